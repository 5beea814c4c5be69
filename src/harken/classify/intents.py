"""A message and what was read in it -> how likely its writer wants a person, and speaks of law or a regulator."""

from collections.abc import Sequence
from functools import cache

from harken.domain.event import Reading, Signal
from harken.kit import wordlists
from harken.kit.wordlists import EXCUSED, WordList

SURE, LIKELY, READ, HARDLY = 0.97, 0.8, 0.6, 0.01
"""How strongly such words say it, set by hand: there is no labelled set of such messages to fit them on. See docs/quality.md."""

MEANT = 0.5
"""From here on it is acted upon."""

_STRENGTHS = {"sure": SURE, "within": SURE, "likely": LIKELY}


def wants_person(text: str, reading: Reading) -> float:
    return _probability(_list("person"), text, _read(reading, Signal.WANTS_PERSON))


def regulatory(text: str, reading: Reading) -> float:
    return _probability(_list("regulatory"), text, _read(reading, Signal.REGULATORY))


def _read(reading: Reading, signal: Signal) -> tuple[str, ...]:
    """The words for which the log's own reading says so."""
    if not reading.signals & signal:
        return ()
    return tuple(reading.evidence.get(str(signal.name).lower(), ("",)))


def _probability(words: WordList, text: str, read: Sequence[str]) -> float:
    """What was read before counts, too, unless its words are part of a phrase that means something else."""
    found = words.find(text)
    best = max((_STRENGTHS[each.label] for each in found if each.label in _STRENGTHS), default=HARDLY)
    excused = [each.words for each in found if each.label == EXCUSED]
    meant = any(not any(said in phrase or phrase in said for phrase in excused) for said in read)
    return max(best, READ) if meant else best


@cache
def _list(name: str) -> WordList:
    return wordlists.load(__package__, name)
