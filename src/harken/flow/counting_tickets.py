"""What a change does to a ticket -> what is counted of it: no name of anybody, and nothing that grows without end."""

from collections.abc import Sequence

from harken.domain.ticket import OwnerType, StatusCategory, Ticket
from harken.kit import observe
from harken.tickets import changes as c
from harken.tickets.changes import Change

UNSORTED = "unsorted"
"""Tickets that people have before anything says what they are about."""

_OVER = frozenset({StatusCategory.RESOLVED, StatusCategory.CLOSED})


def opened(ticket: Ticket) -> None:
    """One that is the AI's is counted when it is sorted."""
    if ticket.owner.type is not OwnerType.AI:
        observe.add(observe.TICKETS, channel=ticket.channel, category=UNSORTED)


def changed(before: Ticket, after: Ticket, changes: Sequence[Change], who: str) -> None:
    for change in changes:
        if isinstance(change, c.Escalated):
            observe.add(observe.ESCALATIONS, reason=change.reason)
        if isinstance(change, c.Classified) and before.category is None:
            observe.add(observe.TICKETS, channel=before.channel, category=change.category)
    if before.first_reply_at is None and after.first_reply_at is not None:
        observe.measure(observe.FIRST_RESPONSE, (after.first_reply_at - after.opened_at).total_seconds())
    if before.status not in _OVER and after.status in _OVER and after.merged_into is None:
        alone = before.owner.type is OwnerType.AI and not who.startswith(OwnerType.PERSON)
        observe.add(observe.RESOLUTIONS, method="ai" if alone else "human")
