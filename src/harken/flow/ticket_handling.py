"""What people and rules do with tickets, each deed in one transaction that holds the ticket.

change      any changes -> the ticket, if it still is as the writer saw it
hand_over   -> the team or the person whom the routes name
merge       two tickets of one customer -> one with all messages; split: some messages -> a ticket of their own
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from harken.domain.event import Channel
from harken.domain.ids import CustomerId, EventId
from harken.domain.ticket import OwnerType, StatusCategory, Ticket, TicketId
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticketing import ANY, Expected, changed, ticket_id, wind_clocks
from harken.kit import db
from harken.tickets import changes as c
from harken.tickets import fold, routing, store
from harken.tickets.changes import Change
from harken.tickets.fold import ClosedError, NotNowError
from harken.tickets.turns import Body, in_turn, is_theirs

Changes = Sequence[Change] | Callable[[Ticket], Sequence[Change]]


def change(id_: TicketId, changes: Changes, who: str, desk: TicketDesk, expected: Expected = ANY) -> Ticket:
    """Raises NoSuchTicketError, ChangedMeanwhileError, NotNowError; then nothing was changed."""
    with desk.live.database.transaction() as tx:
        ticket = store.lock(tx, id_, desk.ring)
        expected.check(ticket)
        wanted = changes(ticket) if callable(changes) else changes
        ticket = changed(tx, ticket, wanted, who, desk.live.clock(), desk)
        if any(isinstance(each, c.Assigned | c.Woken) for each in wanted):
            wake_if_ours(tx, ticket, ticket.updated_at, desk)
        return ticket


def note(id_: TicketId, text: str, who: str, desk: TicketDesk) -> Ticket:
    """Among ourselves."""
    return change(id_, [c.NoteAdded(text=text)], who, desk)


def take_over(id_: TicketId, person: str, desk: TicketDesk, expected: Expected = ANY) -> Ticket:
    """From now on this person answers: what the AI is writing will be dropped."""
    return change(id_, [c.Assigned(owner=OwnerType.PERSON, owner_id=person)], f"person:{person}", desk, expected)


def give_back(id_: TicketId, who: str, desk: TicketDesk, expected: Expected = ANY) -> Ticket:
    """To the AI, which answers at once where somebody waits."""
    return change(id_, [c.Assigned(owner=OwnerType.AI)], who, desk, expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """`reason`: a code, for people and figures. `summary`: what they should know first."""

    reason: str
    summary: str
    by: str = "ai"


def hand_over(tx: db.Tx, ticket: Ticket, why: HandOver, at: datetime, desk: TicketDesk) -> Ticket:
    """A locked ticket -> the team or the person whom the routes name."""
    attributes = ticket.attributes
    urgency, language = attributes.get("urgency", 0), attributes.get("language", "und")
    matter = routing.matter_of(ticket, ticket.category, str(language), int(urgency or 0))
    routed = routing.route(matter, desk.rules.content, store.load(tx))
    given = c.Escalated(
        reason=why.reason, owner=routed.owner, owner_id=routed.owner_id, summary=why.summary, because=routed.because
    )
    return changed(tx, ticket, [given], why.by, at, desk)


def wake_if_ours(tx: db.Tx, ticket: Ticket, at: datetime, desk: TicketDesk) -> None:
    """The workers, where the AI has a ticket in which somebody waits."""
    if ticket.owner.type is OwnerType.AI and ticket.waiting_since is not None:
        desk.wake(tx, ticket.id, at)


def merge(into: TicketId, other: TicketId, who: str, desk: TicketDesk, expected: Expected = ANY) -> Ticket:
    """The other's messages are this one's; it stays as a closed sign that points here. One customer's tickets only."""
    if into == other:
        raise NotNowError("A ticket cannot be merged into itself.")
    with desk.live.database.transaction() as tx:
        held = store.lock_several(tx, [into, other], desk.ring)
        ticket, gone = held[into], held[other]
        expected.check(ticket)
        if gone.merged_into is not None:
            raise NotNowError("The other ticket was merged before.")
        if not _same_person(ticket, gone, desk):
            raise NotNowError("The two tickets are of different customers: their words must not mix.")
        at = max(desk.live.clock(), gone.updated_at)
        theirs = store.messages(tx, gone.id)
        moved = tuple(EventId(row["id"]) for row in theirs)
        thread = thread_of([*store.messages(tx, ticket.id), *theirs], _silent(tx, [into, other]))
        gone = changed(tx, gone, [c.Merged(into=ticket.id)], who, at, desk)
        ticket = changed(tx, ticket, [c.Absorbed(other=gone.id, events=moved, thread=thread)], who, at, desk)
        wake_if_ours(tx, ticket, ticket.updated_at, desk)
        return ticket


def _same_person(one: Ticket, other: Ticket, desk: TicketDesk) -> bool:
    if one.customer == other.customer:
        return True
    people = desk.people(CustomerId(one.customer))
    return len(people) == 1 and any(other.customer in identities for identities in people.values())


def split(
    id_: TicketId, events: Sequence[EventId], subject: str, who: str, desk: TicketDesk, expected: Expected = ANY
) -> Ticket:
    """Some messages get a ticket of their own, which is returned; both keep at least one of the customer's."""
    with desk.live.database.transaction() as tx:
        ticket = store.lock(tx, id_, desk.ring)
        expected.check(ticket)
        if ticket.merged_into is not None:
            raise NotNowError("The ticket was merged into another: split that one.")
        if ticket.status is StatusCategory.CLOSED:
            raise ClosedError("The ticket is closed: open it again, then split it.")
        rows, wanted = store.messages(tx, id_), frozenset(events)
        gone = [row for row in rows if row["id"] in wanted]
        rest = [row for row in rows if row["id"] not in wanted]
        if len(gone) != len(wanted):
            raise NotNowError("Some of these messages are not in this ticket.")
        if not (any(map(is_theirs, gone)) and any(map(is_theirs, rest))):
            raise NotNowError("Both tickets need a message of the customer's.")
        at = max(desk.live.clock(), ticket.updated_at)
        number = store.next_number(tx)
        silent = _silent(tx, [id_])
        first = _split_from(ticket, gone, number, subject, thread_of(gone, silent))
        left = c.SplitOff(into=first.id, events=first.events, thread=thread_of(rest, silent))
        changed(tx, ticket, [left], who, at, desk)
        made = store.apply(tx, None, [first], who, at, desk.ring)
        wind_clocks(tx, made, desk)
        wake_if_ours(tx, made, at, desk)
        return made


def _silent(tx: db.Tx, tickets: Sequence[TicketId]) -> frozenset[EventId]:
    """Words of ours that answered nothing, in these tickets and in those whose messages came to them."""
    found: frozenset[EventId] = frozenset()
    seen: set[TicketId] = set()
    while wanted := [id_ for id_ in dict.fromkeys(tickets) if id_ not in seen]:
        seen.update(wanted)
        histories = store.history(tx, wanted, None).values()
        found = found.union(*map(fold.silent, histories))
        tickets = [id_ for history in histories for stamped in history for id_ in _sources(stamped.change)]
    return found


def _sources(change: Change) -> Sequence[TicketId]:
    match change:
        case c.Absorbed(other=other):
            return [other]
        case c.Opened(split_from=other) if other:
            return [other]
        case _:
            return []


def _split_from(ticket: Ticket, rows: Sequence[db.Row], number: int, subject: str, thread: c.Thread) -> c.Opened:
    theirs = [row for row in rows if is_theirs(row)]
    moved = tuple(EventId(row["id"]) for row in rows)
    return c.Opened(
        id=ticket_id(f"{ticket.id}/{ticket.version}/{moved[0]}"),
        number=number,
        customer=ticket.customer,
        subject=subject or ticket.subject,
        channel=Channel(theirs[0]["channel"]),
        brand=ticket.brand,
        priority=ticket.priority,
        asked=None,
        because=f"Split off number {ticket.number}.",
        owner=ticket.owner.type,
        owner_id=ticket.owner.id,
        tier=str(ticket.attributes.get("tier", "")),
        jurisdiction=str(ticket.attributes.get("jurisdiction", "")),
        verified=ticket.attributes.get("verified") is True,
        language=theirs[-1]["language"],
        urgency=max(row["urgency"] for row in theirs),
        events=moved,
        thread=thread,
        split_from=ticket.id,
    )


def thread_of(rows: Sequence[Body], silent: frozenset[EventId]) -> c.Thread:
    """What messages add up to, in whatever order they come. `silent`: those of ours that answered nothing."""
    turns, newest, waiting, first_reply = 0, None, None, None
    for row in in_turn(rows):
        if is_theirs(row):
            turns, newest, waiting = turns + 1, EventId(row["id"]), waiting or row["at"]
        elif row["id"] not in silent:
            waiting, first_reply = None, first_reply or row["at"]
    return c.Thread(turns=turns, newest_turn=newest, waiting_since=waiting, first_reply_at=first_reply)
