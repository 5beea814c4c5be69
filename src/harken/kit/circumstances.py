"""A customer's words -> what makes their message one for people: a minor, distress, a topic that is not ours to answer.

The one list of them: what decides about a ticket and what decides whether a model may be asked both read it here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from harken.kit import wordlists
from harken.kit.wordlists import WordList


class Flag(StrEnum):
    MINOR = "minor"  #: they say that they are under 18
    VULNERABLE = "vulnerable"  #: grief, self-harm, hardship, illness, abuse
    RESTRICTED = "restricted"  #: a topic of `RESTRICTED_KINDS`


SELF_HARM = "self_harm"
"""Vulnerable, and no matter for a model."""

RESTRICTED_KINDS = ("sanctions", "laundering", "terrorism", "weapons", "drugs", "forgery", "trafficking", "stolen_data")

_FLAGS = {
    "minor": Flag.MINOR,
    "bereavement": Flag.VULNERABLE,
    SELF_HARM: Flag.VULNERABLE,
    "hardship": Flag.VULNERABLE,
    "illness": Flag.VULNERABLE,
    "abuse": Flag.VULNERABLE,
    **dict.fromkeys(RESTRICTED_KINDS, Flag.RESTRICTED),
}


@dataclass(frozen=True, slots=True)
class Circumstance:
    flag: Flag
    kind: str  #: finer than the flag: `bereavement`, `sanctions`, …
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


def restricted(found: Sequence[Circumstance]) -> str:
    """The first restricted topic's name; empty where there is none."""
    return next((each.kind for each in found if each.flag is Flag.RESTRICTED), "")


@cache
def _list() -> WordList:
    return wordlists.load(__package__, "circumstances")
