"""A ticket's changes, in order -> the ticket. Nothing else says what a ticket is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any, Final

from harken.domain.ids import EventId
from harken.domain.ticket import Owner, OwnerType, StatusCategory, Ticket
from harken.errors import RefusedError
from harken.tickets import changes as c
from harken.tickets.changes import Stamped

Values = dict[str, Any]

_OVER: Final = frozenset({StatusCategory.RESOLVED, StatusCategory.CLOSED})
_WAITS: Final = frozenset({StatusCategory.PENDING, StatusCategory.ON_HOLD})
_STILL: Final = (c.NoteAdded, c.SlaWarning, c.SlaBreached, c.TagsChanged, c.Renamed)
"""What may still be said of a ticket that another took in."""

MOST_TAGS: Final = 50
TURNS_BEFORE: Final = "turns_before_reopened"
"""The attribute that says how many of the customer's turns belong to what was resolved."""


class NotNowError(RefusedError):
    """This ticket cannot be changed like that as it stands."""


class ClosedError(NotNowError):
    """The ticket is closed: a new message opens a new one."""


def fold(ticket: Ticket | None, stamped: Stamped) -> Ticket:
    """Raises NotNowError where the change does not fit. The epoch grows by one whenever the owner changes."""
    change = stamped.change
    if ticket is None:
        if not isinstance(change, c.Opened):
            raise NotNowError("A ticket begins with being opened.")
        return _opened(change, stamped)
    if ticket.merged_into and not isinstance(change, _STILL):
        raise NotNowError("The ticket was merged into another: change that one.")
    values = _EFFECTS[type(change)](ticket, change, stamped)
    return replace(ticket, **values, version=stamped.version, updated_at=stamped.at)


def folded(changes: Iterable[Stamped]) -> Ticket | None:
    return reduce(fold, changes, None)


def messages(changes: Iterable[Stamped]) -> tuple[EventId, ...]:
    """The events that are the ticket's messages, in the order in which they came to it."""
    own: dict[EventId, None] = {}
    for stamped in changes:
        match stamped.change:
            case c.Opened(events=events) | c.Absorbed(events=events):
                own |= dict.fromkeys(events)
            case c.MessageAdded(event=event) | c.Replied(event=event):
                own[event] = None
            case c.SplitOff(events=events):
                own = {event: None for event in own if event not in events}
            case c.Merged():
                own = {}
            case _:
                pass
    return tuple(own)


def silent(changes: Iterable[Stamped]) -> frozenset[EventId]:
    """The words of ours among a ticket's changes that answered nothing: see `answers`."""
    ticket, found = None, set()
    for stamped in changes:
        if ticket and isinstance(stamped.change, c.Replied) and not answers(stamped.change, ticket.owner):
            found.add(stamped.change.event)
        ticket = fold(ticket, stamped)
    return frozenset(found)


def ai_may_answer(ticket: Ticket) -> bool:
    """Only where the ticket is the AI's own and open to words; after a take-over it is that by assignment alone."""
    return ticket.owner.type is OwnerType.AI and ticket.status not in _OVER and ticket.merged_into is None


def answers(change: c.Replied, owner: Owner) -> bool:
    """What the AI says in a ticket that others have ("a colleague will write to you") leaves the customer waiting for them."""
    return change.author is not OwnerType.AI or owner.type in (OwnerType.AI, OwnerType.NONE)


def _opened(change: c.Opened, stamped: Stamped) -> Ticket:
    attributes: dict[str, str | int | bool | None] = {"language": change.language, "urgency": change.urgency}
    if change.verified:
        attributes["verified"] = True
    if change.asked:
        attributes["asked_priority"] = change.asked.value
    for name in ("tier", "jurisdiction", "split_from", "follows"):
        if other := getattr(change, name):
            attributes[name] = other
    return Ticket(
        id=change.id,
        number=change.number,
        customer=change.customer,
        subject=change.subject,
        channel=change.channel,
        brand=change.brand,
        status=StatusCategory.NEW,
        label=StatusCategory.NEW.value,
        priority=change.priority,
        owner=Owner(type=change.owner, id=change.owner_id, epoch=1),
        opened_at=stamped.at,
        updated_at=stamped.at,
        version=stamped.version,
        turns=change.thread.turns,
        newest_turn=change.thread.newest_turn,
        waiting_since=change.thread.waiting_since,
        first_reply_at=change.thread.first_reply_at,
        attributes=attributes,
    )


def _status(ticket: Ticket, status: StatusCategory, stamped: Stamped, label: str | None = None) -> Values:
    if ticket.status is status:
        return {"label": label or ticket.label}
    values: Values = {"status": status, "label": label or status.value}
    if status in _OVER:
        values["resolved_at"] = ticket.resolved_at or stamped.at
        values["snoozed_until"] = None
    elif ticket.status in _OVER:
        values["resolved_at"] = None
        values["reopened"] = ticket.reopened + 1
        values["attributes"] = {**ticket.attributes, TURNS_BEFORE: ticket.turns}
    return values


def _owner(ticket: Ticket, type_: OwnerType, id_: str) -> Values:
    if (ticket.owner.type, ticket.owner.id) == (type_, id_):
        return {}
    return {"owner": Owner(type=type_, id=id_, epoch=ticket.owner.epoch + 1)}


def _message_added(ticket: Ticket, change: c.MessageAdded, stamped: Stamped) -> Values:
    if ticket.status is StatusCategory.CLOSED:
        raise ClosedError
    new = ticket.status is StatusCategory.NEW
    return _status(ticket, StatusCategory.NEW if new else StatusCategory.OPEN, stamped) | {
        "turns": ticket.turns + 1,
        "newest_turn": change.event,
        "waiting_since": ticket.waiting_since or stamped.at,
        "snoozed_until": None,
    }


def _replied(ticket: Ticket, change: c.Replied, stamped: Stamped) -> Values:
    if not answers(change, ticket.owner):
        return {}
    values: Values = {"first_reply_at": ticket.first_reply_at or stamped.at}
    if change.to not in (None, ticket.newest_turn):
        return values  # on its way when the customer spoke again: they still wait for an answer to that
    values["waiting_since"] = None
    if ticket.status in (StatusCategory.NEW, StatusCategory.OPEN):
        values |= _status(ticket, StatusCategory.PENDING, stamped)
    if change.author in (OwnerType.PERSON, OwnerType.BOT):
        values |= _owner(ticket, change.author, change.author_id)
    return values


def _status_changed(ticket: Ticket, change: c.StatusChanged, stamped: Stamped) -> Values:
    if change.status is StatusCategory.NEW and ticket.status is not StatusCategory.NEW:
        raise NotNowError("A ticket is new once: what somebody looked at is open.")
    if ticket.status is StatusCategory.CLOSED and change.status not in (StatusCategory.OPEN, StatusCategory.CLOSED):
        raise NotNowError("The ticket is closed. It can be opened again, and nothing else.")
    return _status(ticket, change.status, stamped, change.label)


def _priority_changed(ticket: Ticket, change: c.PriorityChanged, stamped: Stamped) -> Values:
    return {"priority": change.priority}


def _assigned(ticket: Ticket, change: c.Assigned, stamped: Stamped) -> Values:
    values = _owner(ticket, change.owner, change.owner_id)
    if change.owner is OwnerType.PERSON and ticket.status is StatusCategory.NEW:
        values |= _status(ticket, StatusCategory.OPEN, stamped)
    return values


def _tags_changed(ticket: Ticket, change: c.TagsChanged, stamped: Stamped) -> Values:
    return {"tags": tuple(sorted(set(change.tags)))[:MOST_TAGS]}


def _snoozed(ticket: Ticket, change: c.Snoozed, stamped: Stamped) -> Values:
    if ticket.status in _OVER:
        raise NotNowError("What is over cannot be snoozed.")
    if change.until <= stamped.at:
        raise NotNowError("A snooze ends in the future.")
    return _status(ticket, StatusCategory.OPEN, stamped) | {"snoozed_until": change.until}


def _woken(ticket: Ticket, change: c.Woken, stamped: Stamped) -> Values:
    return {"snoozed_until": None}


def _moved(thread: c.Thread) -> Values:
    return {
        "turns": thread.turns,
        "newest_turn": thread.newest_turn,
        "waiting_since": thread.waiting_since,
        "first_reply_at": thread.first_reply_at,
    }


def _merged(ticket: Ticket, change: c.Merged, stamped: Stamped) -> Values:
    empty = c.Thread(turns=0, newest_turn=None, waiting_since=None, first_reply_at=ticket.first_reply_at)
    return _status(ticket, StatusCategory.CLOSED, stamped) | _moved(empty) | {"merged_into": change.into}


def _absorbed(ticket: Ticket, change: c.Absorbed, stamped: Stamped) -> Values:
    if ticket.status is StatusCategory.CLOSED:
        raise ClosedError("The ticket is closed: nothing can be merged into it.")
    waits = change.thread.waiting_since is not None and ticket.status in (_WAITS | {StatusCategory.RESOLVED})
    return (_status(ticket, StatusCategory.OPEN, stamped) if waits else {}) | _moved(change.thread)


def _split_off(ticket: Ticket, change: c.SplitOff, stamped: Stamped) -> Values:
    return _moved(change.thread)


def _classified(ticket: Ticket, change: c.Classified, stamped: Stamped) -> Values:
    read = {"language": change.language, "urgency": change.urgency, "category_model": change.model}
    return {"category": change.category, "attributes": {**ticket.attributes, **read}}


def _escalated(ticket: Ticket, change: c.Escalated, stamped: Stamped) -> Values:
    if change.owner is OwnerType.AI:
        raise NotNowError("A hand-over goes to people.")
    status = ticket.status if ticket.status is StatusCategory.NEW else StatusCategory.OPEN
    return (
        _status(ticket, status, stamped)
        | _owner(ticket, change.owner, change.owner_id)
        | {"attributes": {**ticket.attributes, "escalated": change.reason}}
    )


def _sla(ticket: Ticket, change: c.SlaWarning | c.SlaBreached, stamped: Stamped) -> Values:
    state = "breached" if isinstance(change, c.SlaBreached) else "warned"
    return {"attributes": {**ticket.attributes, f"sla_{change.clock}": state}}


def _renamed(ticket: Ticket, change: c.Renamed, stamped: Stamped) -> Values:
    return {"subject": change.subject}


def _nothing(ticket: Ticket, change: object, stamped: Stamped) -> Values:
    return {}


def _opened_twice(ticket: Ticket, change: c.Opened, stamped: Stamped) -> Values:
    raise NotNowError("A ticket is opened once.")


_EFFECTS: Final[Mapping[type[c.Change], Callable[[Ticket, Any, Stamped], Values]]] = {
    c.Opened: _opened_twice,
    c.Acknowledged: _nothing,
    c.MessageAdded: _message_added,
    c.Replied: _replied,
    c.NoteAdded: _nothing,
    c.StatusChanged: _status_changed,
    c.PriorityChanged: _priority_changed,
    c.Assigned: _assigned,
    c.TagsChanged: _tags_changed,
    c.Snoozed: _snoozed,
    c.Woken: _woken,
    c.Merged: _merged,
    c.Absorbed: _absorbed,
    c.SplitOff: _split_off,
    c.Classified: _classified,
    c.Escalated: _escalated,
    c.SlaWarning: _sla,
    c.SlaBreached: _sla,
    c.Renamed: _renamed,
}
