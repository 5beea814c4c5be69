"""A customer's words -> what makes their message one for people: a minor, distress, a topic that is not ours to answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from harken.classify import wordlists
from harken.classify.wordlists import WordList


class Flag(StrEnum):
    MINOR = "minor"  #: they say that they are under 18
    VULNERABLE = "vulnerable"  #: grief, self-harm, hardship, illness, abuse
    RESTRICTED = "restricted"  #: sanctions, weapons, drugs, laundering, forged papers


_FLAGS = {
    "minor": Flag.MINOR,
    "bereavement": Flag.VULNERABLE,
    "self_harm": Flag.VULNERABLE,
    "hardship": Flag.VULNERABLE,
    "illness": Flag.VULNERABLE,
    "abuse": Flag.VULNERABLE,
    "restricted": Flag.RESTRICTED,
}


@dataclass(frozen=True, slots=True)
class Circumstance:
    flag: Flag
    kind: str  #: finer than the flag: `bereavement`, `self_harm`, …
    words: str  #: the customer's own, in lower case: as confidential as their message


def circumstances(text: str) -> tuple[Circumstance, ...]:
    """In the order of the text, each kind once; of twelve languages at a time."""
    found: dict[str, Circumstance] = {}
    for each in _list().find(text):
        if flag := _FLAGS.get(each.label):
            found.setdefault(each.label, Circumstance(flag, each.label, each.words))
    return tuple(found.values())


def flags(found: Sequence[Circumstance]) -> frozenset[Flag]:
    return frozenset(each.flag for each in found)


@cache
def _list() -> WordList:
    return wordlists.load("circumstances")
