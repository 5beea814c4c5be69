"""The words of a message -> the topics it touches; the topics of the customer's messages -> what the issue is about.

The words are in topics.toml. A closed set, whole words only, no model: anybody can see why, and change it there.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from harken.kit.words import split

GENERAL = "general_inquiry"
"""No word of any topic."""

IGNORED = "ignored"
"""The table of phrases whose words mean something else there: "at the moment" is no cash machine."""

PREFIX = "topic:"
"""How topics are filed among a reading's evidence."""


class _Phrase(NamedTuple):
    second: str
    parts: list[str]  #: all its words
    text: str
    key: str


class _Lexicon(NamedTuple):
    order: dict[str, int]  #: evidence key -> place in the file
    words: dict[str, str]  #: single word -> evidence key
    phrases: dict[str, tuple["_Phrase", ...]]  #: by first word
    starts: frozenset[str]  #: every single word and every first word


def _read() -> _Lexicon:
    listed = tomllib.loads(resources.files(__package__).joinpath("topics.toml").read_text("utf-8"))
    words: dict[str, str] = {}
    phrases: dict[str, list[_Phrase]] = {}
    for topic, entries in listed.items():
        for entry in entries:
            first, *rest = parts = entry.split()
            if rest:
                phrases.setdefault(first, []).append(_Phrase(rest[0], parts, entry, PREFIX + topic))
            else:
                assert entry not in words, f"{entry!r} stands under two topics"
                words[entry] = PREFIX + topic
    return _Lexicon(
        order={PREFIX + topic: place for place, topic in enumerate(topic for topic in listed if topic != IGNORED)},
        words=words,
        phrases={first: tuple(found) for first, found in phrases.items()},
        starts=frozenset(words) | frozenset(phrases),
    )


_LEXICON = _read()

TOPICS = (*(key.removeprefix(PREFIX) for key in _LEXICON.order), GENERAL)
"""Every topic there is, the precise before the vague."""


def topic_hits(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """`kit.words.split` of a message -> `topic:<name>` -> the different words found, in the order of the text: ready
    to join a reading's evidence. Signs between the words of a phrase do not part it ("wi-fi").
    """
    starts = _LEXICON.starts
    if starts.isdisjoint(words):
        return {}
    words = [word for word in words if word[0].isalnum()]
    hits: dict[str, dict[str, None]] = {}
    free = 0
    for place in [place for place, word in enumerate(words) if word in starts]:
        if place >= free:
            key, found, free = _hit_at(words, place)
            if key:
                hits.setdefault(key, {})[found] = None
    hits.pop(PREFIX + IGNORED, None)
    return {key: tuple(found) for key, found in hits.items()}


def _hit_at(words: Sequence[str], place: int) -> tuple[str, str, int]:
    """(key, words, where the next hit may begin): the longest phrase counts, not the words in it."""
    word = words[place]
    key, text, length = _LEXICON.words.get(word, ""), word, 1
    following = words[place + 1] if place + 1 < len(words) else ""
    for phrase in _LEXICON.phrases.get(word, ()):
        size = len(phrase.parts)
        if phrase.second == following and size > length and words[place : place + size] == phrase.parts:
            key, text, length = phrase.key, phrase.text, size
    return key, text, place + length


def topic_from(evidence: Iterable[Mapping[str, tuple[str, ...]]]) -> tuple[str, tuple[str, ...]]:
    """Evidence of the customer's turns in time order -> (topic, its words). Most different words win, then the file."""
    words: dict[str, dict[str, None]] = {}
    for one in evidence:
        for key, found in one.items():
            if key in _LEXICON.order:
                words.setdefault(key, {}).update(dict.fromkeys(found))
    if not words:
        return GENERAL, ()
    best = min(words, key=lambda key: (-len(words[key]), _LEXICON.order[key]))
    return best.removeprefix(PREFIX), tuple(words[best])


def topic_of(texts: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """Texts of the customer's turns in time order -> (topic, its words)."""
    return topic_from(topic_hits(split(text)) for text in texts)
