"""A resolved conversation -> what was asked and how it was solved, where somebody said that it was.

Read TEACHES to a support lead: what we answered is worth repeating only where somebody said that it helped.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from harken.domain.conversation import Standing, Status
from harken.domain.event import Signal

RECIPE = 1
"""Moves when the same conversation would teach something else."""


class Teaches(NamedTuple):
    """Whether conversations that a rule of status.py calls resolved were solved, and why."""

    solved: bool
    because: str
    they_said_so: bool = False  #: then only what we had said before their last word can be what helped


TEACHES: dict[str, Teaches] = {
    "closed-by-a-person": Teaches(True, "Whoever closed it had seen that it was done."),
    "customer-confirmed-fix": Teaches(True, "The customer said that it works.", they_said_so=True),
    "customer-said-thanks": Teaches(True, "Nobody thanks for an answer that is none.", they_said_so=True),
    "spoke-to-somebody-else": Teaches(False, "It was never about us."),
    "moved-to-private": Teaches(False, "What helped, if anything did, was said where we cannot see it."),
    "praise-needs-no-answer": Teaches(False, "Nothing was asked."),
    "acknowledged-and-silent": Teaches(False, "Ok is no word on whether it helped."),
    "small-talk-has-passed": Teaches(False, "Nothing was asked."),
    "too-old-to-answer": Teaches(False, "Nobody answered."),
    "abandoned-after-a-question": Teaches(False, "We never learned what the problem was."),
    "silence-after-an-answer": Teaches(False, "Who is silent may have been helped, or have given up."),
}


class Skipped(StrEnum):
    """Why a solved conversation teaches nothing."""

    NO_QUESTION = "no-question"  #: the customer's words are links and signs alone
    NO_ANSWER = "no-answer"  #: we were sorry, asked back, said goodbye or went to private messages, and never said how


class Said(NamedTuple):
    """A message of a conversation."""

    from_customer: bool
    signals: int
    text: str  #: cleaned; ours with its links


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    question: Sequence[str]  #: the customer's messages
    resolution: Sequence[str]  #: ours that say how


# Plain integers: see facts.py.
_HOW, _PRIVATE = int(Signal.OFFERS_FIX), int(Signal.MOVES_PRIVATE)
_EMPTY = int(Signal.ASKS_DETAILS | Signal.APOLOGY | Signal.CLOSING)
_KIND = int(Signal.THANKS | Signal.ACKNOWLEDGES | Signal.PRAISE)
_ASKS = int(Signal.QUESTION | Signal.STILL_BROKEN)
_FEWEST_WORDS = 4

_GREETING = (
    r"hi|hello|hey|dear|thanks|thank you|sorry|welcome|good (?:morning|afternoon|evening)|hallo|liebe[rs]?|guten (?:tag|morgen|abend)"
    r"|danke|hola|gracias|estimad[oa]|bonjour|merci|ch[eè]re?|ciao|grazie|gentile|salve|ol[áa]|obrigad[oa]|prezad[oa]|beste|bedankt"
)
_NAME = r"[A-ZÀ-ÖØ-ÞŁŚŻ][\w'’-]+"
_ADDRESSED = re.compile(
    rf"\b(?i:{_GREETING})(?i:,? (?:there|again|mr|mrs|ms|dr|herr|frau|señora?|monsieur|madame)\b\.?)?,?\s+"
    rf"({_NAME}(?:\s{_NAME})?)(?=\s*(?:[,.!?;:–—-]|$))"
)
_SIGNED = re.compile(rf"(?:\^|[–—~]\s?|\s-\s?)({_NAME})\s*$")
_NOBODY = frozenset({"all", "there", "again", "team", "everyone", "everybody", "you", "for", "to", "sir", "madam"})


def is_solved(standing: Standing) -> bool:
    taught = TEACHES.get(standing.rule) if standing.status is Status.RESOLVED else None
    return taught is not None and taught.solved


def lesson(rule: str, messages: Sequence[Said]) -> Lesson | Skipped:
    """What a conversation that this rule calls resolved (in time order) teaches."""
    theirs = [at for at, said in enumerate(messages) if said.from_customer and said.text]
    if not theirs:
        return Skipped.NO_QUESTION
    end = theirs[-1] if TEACHES[rule].they_said_so else len(messages)
    hows = [at for at in range(theirs[0] + 1, end) if _says_how(messages[at])]
    if not hows:
        return Skipped.NO_ANSWER
    asked = [
        messages[at].text for at in theirs if at < hows[-1] and (at == theirs[0] or not _is_kind_word(messages[at]))
    ]
    return Lesson(question=asked, resolution=[messages[at].text for at in hows])


def _says_how(said: Said) -> bool:
    """Steps, a link, an answer. Where no phrase of any kind was recognised, as in most languages, a sentence is one."""
    if said.from_customer or said.signals & _PRIVATE or len(said.text.split()) < _FEWEST_WORDS:
        return False
    return bool(said.signals & _HOW) or not said.signals & _EMPTY


def _is_kind_word(said: Said) -> bool:
    return bool(said.signals & _KIND) and not said.signals & _ASKS


def names(messages: Sequence[Said]) -> Iterator[str]:
    """Names that are called or signed with: `Hi Maria,`, `Thanks Tom!`, `^Anna`."""
    for said in messages:
        for match in (*_ADDRESSED.finditer(said.text), *_SIGNED.finditer(said.text)):
            if match[1].split()[0].lower() not in _NOBODY:
                yield match[1]
