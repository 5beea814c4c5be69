"""Advice and verdict -> what becomes of a ticket: what the customer is told, who has it then, and why. Pure.

The verdict may only move an answer down: from sent to a question, to a suggestion for a person, to a hand-over.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from harken.domain.decision import Action, Advice, OutChannel
from harken.domain.verdict import Outcome, Verdict


class Ending(StrEnum):
    """How one look at a ticket ended; the names that figures and the interface use."""

    SENT = "sent"
    CLARIFIED = "clarified"  #: the customer was asked for what is missing
    SUGGESTED = "suggested"  #: a person has the ticket, with a draft
    HELD = "held"  #: something waits for a person's approval
    HANDED_OVER = "handed_over"
    BLOCKED = "blocked"  #: a person has the ticket, and nothing of the draft
    CLOSED = "closed"
    WAITED = "waited"  #: nothing is to be said


class Words(StrEnum):
    """Whose words the customer is told."""

    DRAFT = "draft"
    ASK = "ask"  #: a set phrase that asks for details
    HAND_OVER = "hand_over"  #: a set phrase that says that a person takes over
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    ending: Ending
    words: Words
    to_person: bool  #: somebody has it from now on
    suggests: bool  #: that person sees the draft
    reason: str  #: a rule's name or a guard's code, for people and figures


STILL_UNCLEAR = "still_unclear"
NEEDS_APPROVAL = "needs_approval"
UNVERIFIED = "identity_unverified"

PERSON_FIRST = frozenset({Ending.SUGGESTED, Ending.HELD, Ending.HANDED_OVER, Ending.BLOCKED})


def conclude(
    advice: Advice,
    verdict: Verdict,
    *,
    waits_for_approval: bool = False,
    asked_before: bool = False,
    settled: bool = False,
) -> Conclusion:
    """`waits_for_approval`: an action that was proposed along with the draft needs a person's yes. `asked_before`: we
    have asked for details already, and asking again would go in circles. `settled`: their words say that it is."""
    decision = advice.decision
    match decision.action:
        case Action.WAIT:
            ended = _conclusion(Ending.CLOSED if settled else Ending.WAITED, Words.NONE, decision.rule)
            return _waiting(ended) if waits_for_approval else ended
        case Action.HAND_TO_PERSON:
            return _handed_over(verdict, decision.rule)
        case Action.PROPOSE_CLOSE:
            says = decision.channel is not OutChannel.NONE and verdict.outcome is Outcome.SEND
            return _conclusion(Ending.CLOSED, Words.DRAFT if says else Words.NONE, decision.rule)
        case Action.ANSWER | Action.ASK_DETAILS | Action.CALL_BACK | Action.FOLLOW_UP_EMAIL:
            said = _said(advice, verdict)
            if said.ending is Ending.CLARIFIED and asked_before:
                said = _conclusion(Ending.HANDED_OVER, Words.HAND_OVER, STILL_UNCLEAR)
            return _waiting(said) if waits_for_approval else said
        case _:
            assert_never(decision.action)


def unproved() -> Conclusion:
    """They ask for something that only who proved who they are may have: a person sees to it."""
    return _conclusion(Ending.HANDED_OVER, Words.HAND_OVER, UNVERIFIED)


def _said(advice: Advice, verdict: Verdict) -> Conclusion:
    """What rests on nothing answers nothing, however politely it is said."""
    rule = advice.decision.rule
    why = verdict.reasons[0] if verdict.reasons else rule
    match verdict.outcome:
        case Outcome.SEND:
            answers = advice.decision.action is not Action.ASK_DETAILS and bool(advice.draft.citations)
            return _conclusion(Ending.SENT if answers else Ending.CLARIFIED, Words.DRAFT, rule)
        case Outcome.CLARIFY:
            return _conclusion(Ending.CLARIFIED, Words.ASK, why)
        case Outcome.SUGGEST:
            return _conclusion(Ending.SUGGESTED, Words.HAND_OVER, why, suggests=True)
        case Outcome.HOLD:
            return _conclusion(Ending.HELD, Words.HAND_OVER, why, suggests=True)
        case Outcome.HAND_OVER:
            return _conclusion(Ending.HANDED_OVER, Words.HAND_OVER, why)
        case Outcome.BLOCK:
            return _conclusion(Ending.BLOCKED, Words.HAND_OVER, why)
        case _:
            assert_never(verdict.outcome)


def _handed_over(verdict: Verdict, rule: str) -> Conclusion:
    """The words of a hand-over are looked at like any others; the set phrase takes their place where they do not pass."""
    words = Words.DRAFT if verdict.outcome is Outcome.SEND else Words.HAND_OVER
    return _conclusion(Ending.HANDED_OVER, words, rule)


def _waiting(said: Conclusion) -> Conclusion:
    """A good answer goes out although something waits; otherwise the customer hears that a person has it."""
    words = Words.DRAFT if said.ending is Ending.SENT else Words.HAND_OVER
    return _conclusion(Ending.HELD, words, NEEDS_APPROVAL, suggests=said.suggests)


def _conclusion(ending: Ending, words: Words, reason: str, *, suggests: bool = False) -> Conclusion:
    return Conclusion(ending=ending, words=words, to_person=ending in PERSON_FIRST, suggests=suggests, reason=reason)
