"""A ticket's messages -> the conversation that a decision weighs, and what people and customers are shown of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from harken.conversations.facts import facts_of_rows
from harken.domain.conversation import Conversation
from harken.domain.event import Channel, Kind
from harken.domain.ids import ConversationId, CustomerId, EventId, IdentityId, ThreadId
from harken.domain.ticket import OwnerType, Ticket, TicketId
from harken.flow.advising import ERASED, heard_of, turn_row
from harken.flow.ticket_desk import TicketDesk
from harken.kit import db
from harken.privacy.ring import KeyRing
from harken.tickets import changes as c
from harken.tickets import sla, store
from harken.tickets.changes import Stamped
from harken.tickets.fold import NotNowError
from harken.tickets.sla import Clock
from harken.tickets.store import NoSuchTicketError, Wanted
from harken.tickets.turns import in_turn


def conversation_of(ticket: Ticket, desk: TicketDesk) -> Conversation:
    """Exactly the ticket's turns, whatever threads they came by, with the facts that follow from them.

    Raises NotNowError where it has none: they are in the ticket that took them in.
    """
    with desk.live.database.statement() as tx:
        return conversation_in(tx, ticket, desk.ring)


def conversation_in(tx: db.Tx, ticket: Ticket, ring: KeyRing) -> Conversation:
    """The same within a transaction."""
    bodies = in_turn(store.messages(tx, ticket.id))
    if not bodies:
        raise NotNowError("The ticket has no messages any more.")
    turns = tuple(heard_of(body, ring).turn for body in bodies)
    last = next((turn for turn in reversed(turns) if turn.from_customer), turns[-1])
    return Conversation(
        id=ConversationId(f"ticket:{ticket.id}"),
        thread=ThreadId(turns[0].id),
        identity=ticket.customer,
        brand=ticket.brand,
        channel=last.channel,
        facts=facts_of_rows([turn_row(body) for body in bodies]),
        turns=turns,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One line of a ticket, as it is shown."""

    id: str
    at: datetime
    author_type: str  #: customer, ai, person or system
    author: str  #: a person's name; empty otherwise
    text: str
    channel: Channel
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A ticket with everything that belongs to it."""

    ticket: Ticket
    description: str
    messages: tuple[Message, ...]
    changes: tuple[Stamped, ...]
    clocks: tuple[Clock, ...]


def look(name: str, desk: TicketDesk) -> Seen:
    """By id or number. Raises NoSuchTicketError."""
    with desk.live.database.transaction() as tx:
        ticket = store.find(tx, name, desk.ring)
        if ticket is None:
            raise NoSuchTicketError
        return seen(tx, ticket, desk)


def seen(tx: db.Tx, ticket: Ticket, desk: TicketDesk) -> Seen:
    """The notes of tickets that were merged into it are shown with its own."""
    ring = desk.ring
    changes = store.history(tx, [ticket.id], ring)[ticket.id]
    absorbed = _absorbed(tx, changes, ring)
    bodies = store.messages(tx, ticket.id)
    authors = _authors([*changes, *absorbed])
    messages = [_message(body, authors, ring) for body in bodies]
    messages += _said_aside([*changes, *absorbed], ticket)
    messages.sort(key=lambda each: (each.at, each.author_type != "customer", each.id))
    return Seen(
        ticket=ticket,
        description=_description(ticket, changes, messages),
        messages=tuple(messages),
        changes=tuple(changes),
        clocks=sla.clocks(changes, desk.rules, max(desk.live.clock(), ticket.updated_at)),
    )


def listed(wanted: Wanted, before: int | None, limit: int, desk: TicketDesk) -> list[Ticket]:
    """Newest first."""
    with desk.live.database.statement() as tx:
        return store.page(tx, wanted, before, limit, desk.ring)


def identities_of(customer: str, desk: TicketDesk) -> Sequence[IdentityId]:
    """Everybody whom the name may mean; who has no events yet is known by the full identity."""
    known = [each for identities in desk.people(CustomerId(customer)).values() for each in identities]
    return known or [IdentityId(customer if ":" in customer else f"customer:{customer}")]


def _absorbed(tx: db.Tx, changes: Sequence[Stamped], ring: KeyRing) -> list[Stamped]:
    """What happened to the tickets that are in this one now, and to those in them."""
    found: list[Stamped] = []
    others = _others(changes)
    while others:
        more = [stamped for each in store.history(tx, others, ring).values() for stamped in each]
        found += more
        others = _others(more)
    return found


def _others(changes: Sequence[Stamped]) -> list[TicketId]:
    return [stamped.change.other for stamped in changes if isinstance(stamped.change, c.Absorbed)]


def _authors(changes: Sequence[Stamped]) -> dict[EventId, c.Replied]:
    return {stamped.change.event: stamped.change for stamped in changes if isinstance(stamped.change, c.Replied)}


def _message(body: db.Row, authors: dict[EventId, c.Replied], ring: KeyRing) -> Message:
    theirs = body["kind"] == Kind.MESSAGE_RECEIVED
    said = authors.get(body["id"])
    type_ = "customer" if theirs else str(said.author) if said else OwnerType.PERSON.value
    return Message(
        id=body["id"],
        at=body["at"],
        author_type=type_,
        author=said.author_id if said else "",
        text=ERASED if body["wrapped"] is None else _text(body, ring),
        channel=Channel(body["channel"]),
    )


def _text(body: db.Row, ring: KeyRing) -> str:
    return ring.open(body["subject"], body["wrapped"], body["id"], body["body"]).text


def _said_aside(changes: Sequence[Stamped], ticket: Ticket) -> list[Message]:
    """Acknowledgements, which no decision weighs, and notes and summaries, which no customer sees."""
    found = []
    for stamped in changes:
        match stamped.change:
            case c.Acknowledged(text=text):
                type_, private = "system", False
            case c.NoteAdded(text=text) | c.Escalated(summary=text) if text:
                type_, private = stamped.by.partition(":")[0], True
            case _:
                continue
        found.append(
            Message(
                id=f"{stamped.name}:{stamped.version}",
                at=stamped.at,
                author_type=type_,
                author=stamped.by.partition(":")[2],
                text=text,
                channel=ticket.channel,
                private=private,
            )
        )
    return found


def _description(ticket: Ticket, changes: Sequence[Stamped], messages: Sequence[Message]) -> str:
    """What they wrote first, without the subject before it."""
    first = next((each.text for each in messages if each.author_type == "customer"), "")
    opened = next((each.change.subject for each in changes if isinstance(each.change, c.Opened)), ticket.subject)
    return first.removeprefix(f"{opened}\n\n")
