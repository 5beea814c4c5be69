"""Lists of phrases -> where they stand among the words of a message, never inside a word."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

from harken.kit.words import split

LONGEST_GAP = 3
"""Words that a `*` may stand for."""

ANY = "*"
"""Stands for the second word where a phrase has none or begins with a gap."""

_STOPS = frozenset(".?!;")

Step: TypeAlias = frozenset[str] | None
"""The words that fit at one place; None for a gap."""


class Entry(NamedTuple):
    label: str
    steps: tuple[Step, ...]


class Found(NamedTuple):
    label: str
    start: int  #: index of the first word
    end: int
    words: str


class Phrases:
    """Labelled phrases by their first two words. Where two fit, the longer one counts; of equals, the one listed first."""

    def __init__(self, lists: Mapping[str, Sequence[str]]) -> None:
        self._by_word: dict[str, dict[str, list[Entry]]] = {}
        for label, phrases in lists.items():
            for phrase in phrases:
                for steps in _expanded(phrase):
                    self._add(Entry(label, steps))
        for by_second in self._by_word.values():
            anyway = by_second.pop(ANY, [])
            for entries in by_second.values():
                entries.extend(anyway)
            by_second[ANY] = anyway

    def _add(self, entry: Entry) -> None:
        second = entry.steps[1] if len(entry.steps) > 1 else None
        for word in entry.steps[0] or ():
            by_second = self._by_word.setdefault(word, {})
            for following in second or (ANY,):
                by_second.setdefault(following, []).append(entry)

    def find(self, words: Sequence[str]) -> list[Found]:
        """Phrases from left to right, none overlapping another."""
        found: list[Found] = []
        free = 0
        followers = [*words[1:], ""]
        for start, word in enumerate(words):
            by_second = self._by_word.get(word)
            if by_second is None or start < free:
                continue
            entries = by_second.get(followers[start]) or by_second[ANY]
            if entries:
                end, label = _longest(entries, words, start)
                if end:
                    free = end
                    found.append(Found(label, start, end, " ".join(words[start:end])))
        return found


def _longest(entries: Sequence[Entry], words: Sequence[str], start: int) -> tuple[int, str]:
    best, label = 0, ""
    for entry in entries:
        end = _end(words, start + 1, entry.steps, 1)
        if end > best:
            best, label = end, entry.label
    return best, label


def _end(words: Sequence[str], at: int, steps: tuple[Step, ...], step: int) -> int:
    """Where a phrase ends whose `step`s from here on fit; 0 where they do not."""
    while step < len(steps):
        fitting = steps[step]
        if fitting is None:
            return _after_gap(words, at, steps, step + 1)
        if at >= len(words) or words[at] not in fitting:
            return 0
        at, step = at + 1, step + 1
    return at


def _after_gap(words: Sequence[str], at: int, steps: tuple[Step, ...], step: int) -> int:
    for skipped in range(LONGEST_GAP + 1):
        if end := _end(words, at + skipped, steps, step):
            return end
        if at + skipped >= len(words) or words[at + skipped][0] in _STOPS:
            return 0
    return 0


def _expanded(phrase: str) -> Iterator[tuple[Step, ...]]:
    """`{call|give us} now` -> ({call}, {now}) and ({give}, {us}, {now})."""
    places = [_choices(place) for place in re.findall(r"\{[^}]*\}|[^\s{}]+", phrase)]
    for chosen in product(*places):
        yield tuple(step for steps in chosen for step in steps)


def _choices(place: str) -> list[tuple[Step, ...]]:
    if place == "*":
        return [(None,)]
    options = [split(option) for option in place.strip("{}").split("|")]
    single = frozenset(option[0] for option in options if len(option) == 1)
    several = [tuple(frozenset([word]) for word in option) for option in options if len(option) > 1]
    return [*([(single,)] if single else []), *several]
