"""The words of one message -> what they do (thank, confirm, ask, apologise), each with the words that do it."""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TypeAlias

from harken.domain.event import Signal
from harken.intake import lexicon

Evidence: TypeAlias = dict[str, tuple[str, ...]]
"""Signal by its name in lower case, as in the word lists -> the words. Members of Signal would be slow keys."""

DISPLEASED = -250
"""Thanks in a message that sounds worse than this are not meant."""

PLEASED = 400
"""Strong words in a message that sounds better than this are not anger."""

_LOOK_BACK = 4
_TURNED = frozenset(("thanks", "confirms_fix", "praise"))
_COMPLAINS = frozenset(("still_broken", "angry", "regulatory"))
_KIND = ("thanks", "praise", "acknowledges")
_ASKING = frozenset(["how", "what", "when", "where", "why", "who", "which", "can", "could", "anyone"])
_FEWEST_ASKING = 4
_STOPS = ".?!;"
_MOST_ALONE = 5
"""Words at most: a sentence that says "done" says more in six, and so does a message that says "ok"."""

_SHOUTING_LETTERS = 20
_CAPITALS = re.compile(r"[^\W\d_a-z]{2}")
"""Spares nearly every text the counting of its letters."""

_VALUES = {signal.name.lower(): signal.value for signal in Signal if signal.name}


def of_customer(text: str, words: Sequence[str], sentiment: int | None) -> Evidence:
    found = _found("signals_customer", words)
    if alone := found.pop("acknowledges_alone", ()):
        found.setdefault("acknowledges", alone)
    if question := _question(words):
        found["question"] = (question,)
    if sentiment is not None and sentiment < 0 and "angry" not in found and _shouts(text):
        found["angry"] = ("capitals",)
    return _settled(found, sentiment)


def of_brand(words: Sequence[str]) -> Evidence:
    found = _found("signals_brand", words)
    interrogative = found.pop("interrogative", ())
    asking = _asking(words)
    # "Anything else?" at a goodbye asks for nothing.
    meant = interrogative or "closing" not in found or any(word.startswith("you") for word in asking)
    if asking and meant and "asks_details" not in found:
        found["asks_details"] = interrogative or ("?",)
    if "asks_details" in found or "moves_private" in found:
        found.pop("closing", None)  # "happy to help! Send us a message" opens, it does not close
    return found


def flags(found: Iterable[str]) -> int:
    return sum(_VALUES[name] for name in found)


def _settled(found: Evidence, sentiment: int | None) -> Evidence:
    """What contradicts itself: a thank-you beside a complaint ends nothing, and who still has the problem has it."""
    irony = found.pop("irony", ())
    if sentiment is not None and sentiment > PLEASED:
        found.pop("angry", None)  # "hell yeah"
    if irony:
        found["angry"] = (*irony, *found.get("angry", ()))
    if "still_broken" in found:
        found.pop("confirms_fix", None)
    if not _COMPLAINS.isdisjoint(found) or (sentiment is not None and sentiment < DISPLEASED):
        for kind in _KIND:
            found.pop(kind, None)
    return found


def _found(name: str, words: Sequence[str]) -> Evidence:
    found: Evidence = {}
    for label, start, _, said in _phrases(name).find(words):
        if label == "none" or (label in _TURNED and _turned(label, words, start)):
            continue
        if label == "did_it" and _many(_sentence(words, start)):
            continue
        if label == "acknowledges_alone" and _many(words):
            continue
        found[label] = (*found.get(label, ()), said)
    return found


def _many(words: Sequence[str]) -> bool:
    return sum(word[0].isalnum() for word in words) > _MOST_ALONE


def _sentence(words: Sequence[str], at: int) -> Sequence[str]:
    """The words around `at` up to the next full stops."""
    first = next((place + 1 for place in range(at, -1, -1) if words[place][0] in _STOPS), 0)
    last = next((place for place in range(at, len(words)) if words[place][0] in _STOPS), len(words))
    return words[first:last]


def _turned(label: str, words: Sequence[str], start: int) -> bool:
    """Does a word just before, in the same sentence, deny it, or leave it open?"""
    turning = _turning()[label]
    for word in reversed(words[max(start - _LOOK_BACK, 0) : start]):
        if word[0] in ".?!,;":
            return False
        if word in turning:
            return True
    return False


def _question(words: Sequence[str]) -> str:
    for at, word in enumerate(words):
        if word[0] in ".?!" and "?" in word:
            return " ".join(words[max(at - 3, 0) : at + 1])
    return words[0] if len(words) >= _FEWEST_ASKING and words[0] in _ASKING else ""


def _asking(words: Sequence[str]) -> Sequence[str]:
    """The words of the first sentence that ends with a question mark."""
    at = next((place for place, word in enumerate(words) if "?" in word), None)
    return () if at is None else [*_sentence(words, max(at - 1, 0)), "?"]


def _shouts(text: str) -> bool:
    if not _CAPITALS.search(text):
        return False
    capitals = sum(map(str.isupper, text))
    return capitals >= _SHOUTING_LETTERS and capitals > 4 * sum(map(str.islower, text))


@cache
def _phrases(name: str) -> lexicon.Phrases:
    lists = lexicon.toml(name)
    return lexicon.Phrases({label: phrases for label, phrases in lists.items() if isinstance(phrases, list)})


@cache
def _turning() -> dict[str, frozenset[str]]:
    """The words that take the meaning from each of `_TURNED`."""
    lists = lexicon.toml("signals_customer")
    negations, doubts = frozenset(lists["negations"].split()), frozenset(lists["doubts"].split())
    return dict.fromkeys(_TURNED, negations) | {"confirms_fix": negations | doubts}
