"""Which of a customer's conversations needs somebody first."""

from collections.abc import Iterable

from harken.domain.conversation import Conversation, Standing, Status
from harken.domain.event import Signal

_HEATED = Signal.ANGRY | Signal.REGULATORY | Signal.WANTS_PERSON | Signal.STILL_BROKEN

Judged = tuple[Conversation, Standing]


def by_pressure(judged: Iterable[Judged]) -> list[Judged]:
    """Unresolved conversations, the most pressing first: urgent words, then heat, then whoever has waited longest.

    A conversation that waits for us comes before one that waits for the customer.
    """
    unresolved = [pair for pair in judged if pair[1].status is not Status.RESOLVED]
    return sorted(unresolved, key=_pressure)


def _pressure(pair: Judged) -> tuple[int, bool, bool, int, str]:
    conversation, standing = pair
    facts = conversation.facts
    waiting_since = facts.unanswered_since if facts.unanswered_since is not None else facts.last_at
    heated = bool(facts.unanswered_signals & _HEATED)
    return (-facts.urgency, standing.status is not Status.OPEN, not heated, waiting_since, conversation.id)
