"""A message and what was read in it -> how likely its writer wants a person, and speaks of law or a regulator."""

from functools import cache

from harken.classify import wordlists
from harken.classify.wordlists import WordList
from harken.domain.event import Reading, Signal

SURE, LIKELY, READ, HARDLY = 0.97, 0.8, 0.6, 0.01
"""Of messages with such words, how many mean it: counted on customers' messages and rounded down, see docs/quality.md."""

MEANT = 0.5
"""From here on it is acted upon."""

_STRENGTHS = {"sure": SURE, "within": SURE, "likely": LIKELY}


def wants_person(text: str, reading: Reading) -> float:
    return _probability(_list("person"), text, bool(reading.signals & Signal.WANTS_PERSON))


def regulatory(text: str, reading: Reading) -> float:
    return _probability(_list("regulatory"), text, bool(reading.signals & Signal.REGULATORY))


def _probability(words: WordList, text: str, read: bool) -> float:
    """What the log's own reading found counts where no phrase that means something else stands in its place."""
    found = words.find(text)
    best = max((_STRENGTHS[each.label] for each in found if each.label in _STRENGTHS), default=HARDLY)
    excused = any(each.label == "none" for each in found)
    return max(best, READ) if read and not excused else best


@cache
def _list(name: str) -> WordList:
    return wordlists.load(name)
