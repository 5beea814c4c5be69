"""The words of a message -> its language, how sure we are, and for English the words that say so."""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from harken.intake import lexicon
from harken.kit.spoken import likeliest

LANGUAGES = ("en", "es", "fr", "de", "pt", "it", "nl", "sv", "da", "pl", "tr", "id", "ja", "zh")
"""What is told apart unless the caller says otherwise."""

UNKNOWN = "und"

SURE = 0.8
"""Below this the model guesses: measured on short messages, above it hardly ever wrong."""

HALF_SURE = 0.35
"""Enough for English where an English word stands that no neighbour language has."""

ENOUGH = 4
"""Words that only English has count two, those that it shares with others one."""

SHOWN = 3


class Heard(NamedTuple):
    language: str
    thousandths: int  #: probability
    words: tuple[str, ...] = ()


class _Words(NamedTuple):
    english: frozenset[str]
    shared: frozenset[str]
    telling: frozenset[str]
    foreign: frozenset[str]


def detect(text: str, words: Sequence[str], languages: tuple[str, ...] = LANGUAGES) -> Heard:
    """`words` are those of `kit.words.split(text)`. `und` where nothing is certain."""
    known, seen = _words(), set(words)
    foreign = not text.isascii() and any(word.isalpha() and not word.isascii() for word in seen)
    english = seen & known.english
    clean = not foreign and "en" in languages and known.foreign.isdisjoint(seen)
    if clean and english and 2 * len(english) + len(seen & known.shared) >= ENOUGH:
        return Heard("en", 990, tuple(sorted(english)[:SHOWN]))
    best, probability = likeliest(text, languages)
    thousandths = round(probability * 1000)
    if best == "en" and clean and probability >= HALF_SURE and (telling := seen & known.telling):
        return Heard("en", thousandths, tuple(sorted(telling)[:SHOWN]))
    return Heard(best, thousandths) if probability >= SURE else Heard(UNKNOWN, thousandths)


@cache
def _words() -> _Words:
    lists = lexicon.toml("languages")
    return _Words(*(frozenset(lists[name].split()) for name in _Words._fields))
