"""What is said in tickets, each word in one transaction with everything that follows from it, or nothing.

open   a customer's message -> event of the log + ticket + acknowledgement + the workers woken
say    the customer's next message -> event + change; on a closed ticket a new one that follows it
reply  a word of ours -> event + change; a person who answers has the ticket
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from harken.domain.event import Channel, Kind
from harken.domain.ids import EventId, IdentityId
from harken.domain.ticket import Owner, OwnerType, Priority, StatusCategory, Ticket, TicketId
from harken.errors import RefusedError
from harken.eventlog.store import Entry
from harken.flow import counting_tickets
from harken.flow.arriving import Arrival
from harken.flow.dossier import microseconds
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_words import SOURCE, KeyUsedError, Place, Words, arrival_of, identity_of, place_of, received
from harken.kit import db
from harken.profiles import read
from harken.profiles import store as profiles
from harken.tickets import acknowledge, priority, routing, sla, store
from harken.tickets import changes as c
from harken.tickets.changes import Change
from harken.tickets.desk_file import Content
from harken.tickets.fold import ClosedError
from harken.tickets.routing import Matter
from harken.tickets.store import NoSuchTicketError

CUSTOMER, SYSTEM = "customer", "system"
_NAMESPACE = UUID("6f0e3a52-93d5-5d0b-8f7c-2d1f6f7b9a41")


class ChangedMeanwhileError(RefusedError):
    """The ticket is not as you saw it any more. Nothing was changed: look again, then decide."""

    status = 412


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A new ticket as somebody sent it. The same `key` of the same `source` is the same request."""

    customer: str  #: short name or full identity
    subject: str
    description: str
    channel: Channel = Channel.WEB
    priority: Priority | None = None
    tier: str = ""  #: what whoever may say it says they pay for; empty: what the profile knows
    jurisdiction: str = ""  #: the same of whose law holds for them
    verified: bool = False  #: whoever lets them in knows who they are: their own token, or somebody of the house
    source: str = SOURCE
    key: str = ""  #: empty: the same words of the same customer within one second are the same request


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What the writer saw; anything else by now, and nothing is written. None is not looked at.

    Who names the turn that is answered is refused, too, where somebody has answered it.
    """

    version: int | None = None
    epoch: int | None = None
    newest_turn: EventId | None = None

    def check(self, ticket: Ticket) -> None:
        seen = (self.version, self.epoch, self.newest_turn)
        now = (ticket.version, ticket.owner.epoch, ticket.newest_turn)
        if self.newest_turn is not None and ticket.waiting_since is None:
            raise ChangedMeanwhileError
        if any(mine is not None and mine != theirs for mine, theirs in zip(seen, now, strict=True)):
            raise ChangedMeanwhileError


ANY = Expected()

SUBJECT_CHARACTERS = 80


def subject_of(text: str) -> str:
    """Of words that came without one: how they begin."""
    return next(iter(text.strip().splitlines()), "")[:SUBJECT_CHARACTERS]


class Done(NamedTuple):
    """The ticket as it is now, and whether this call made it so: False for a repetition."""

    ticket: Ticket
    new: bool


def open(asked: Asked, desk: TicketDesk) -> Done:
    """Raises KeyUsedError, AmbiguousCustomerError, NotThisCustomerError; TryAgainError where nothing was kept."""
    identity = identity_of(asked.customer, desk)
    content = [
        identity,
        asked.subject,
        asked.description,
        asked.priority,
        asked.channel,
        asked.tier,
        asked.jurisdiction,
    ]
    words = Words(text=_first_text(asked), channel=asked.channel, source=asked.source, key=asked.key)
    place = Place(identity=identity, brand=desk.rules.content.brand)
    arrival = arrival_of(Kind.MESSAGE_RECEIVED, words, place, content, desk)
    id_ = ticket_id(arrival.row["id"])

    def also(tx: db.Tx, new: Entry | None, at: datetime) -> Done:
        if new is None:
            return Done(store.lock(tx, id_, desk.ring), False)
        return Done(_opened(tx, new, at, asked, desk), True)

    return received(arrival, desk, also)


def say(id_: TicketId, words: Words, desk: TicketDesk) -> Done:
    """The customer writes again. Follows a merge; a closed ticket stays as it is and a new one follows it."""
    ticket = standing(id_, desk)
    arrival = arrival_of(Kind.MESSAGE_RECEIVED, words, place_of(ticket), [id_, words.text], desk)

    def also(tx: db.Tx, new: Entry | None, at: datetime) -> Done:
        if new is None:
            return Done(store.lock(tx, _where(tx, arrival), desk.ring), False)
        now = followed(tx, ticket.id, desk)
        if now.status is StatusCategory.CLOSED:
            more = Asked(
                customer=now.customer,
                subject=now.subject,
                description=words.text,
                channel=Channel(new.channel),
                tier=str(now.attributes.get("tier", "")),
                jurisdiction=str(now.attributes.get("jurisdiction", "")),
                verified=now.attributes.get("verified") is True,
            )
            return Done(_opened(tx, new, at, more, desk, follows=now), True)
        said = changed(tx, now, [c.MessageAdded(event=EventId(new.id))], CUSTOMER, at, desk)
        if said.owner.type is OwnerType.AI:
            desk.wake(tx, said.id, at)
        return Done(said, True)

    return received(arrival, desk, also)


def reply(id_: TicketId, words: Words, author: Owner, desk: TicketDesk, expected: Expected = ANY) -> Done:
    """We answer. `author`: who of us; a person takes the ticket over. Raises ChangedMeanwhileError, ClosedError."""
    ticket = standing(id_, desk)
    content = [id_, words.text, author.type, author.id]
    place = place_of(ticket)
    place = replace(place, after=words.answers or place.after)
    arrival = arrival_of(Kind.MESSAGE_SENT, words, place, content, desk)

    def also(tx: db.Tx, new: Entry | None, at: datetime) -> Done:
        if new is None:
            return Done(store.lock(tx, _where(tx, arrival), desk.ring), False)
        now = followed(tx, ticket.id, desk)
        expected.check(now)
        if now.status is StatusCategory.CLOSED:
            raise ClosedError("The ticket is closed: open it again, then answer.")
        by = f"{author.type}:{author.id}" if author.id else str(author.type)
        sent = c.Replied(event=EventId(new.id), author=author.type, author_id=author.id, to=words.answers)
        return Done(changed(tx, now, [sent], by, at, desk), True)

    return received(arrival, desk, also)


def changed(tx: db.Tx, ticket: Ticket, changes: Sequence[Change], who: str, at: datetime, desk: TicketDesk) -> Ticket:
    """Apply changes to a ticket, as it is by now in this transaction; its clocks are looked at before and after.

    A promise that was broken before the change is on record before it. Raises NotNowError where a change does not fit.
    """
    ring = desk.ring
    ticket = store.lock(tx, ticket.id, ring)  # something else in this transaction may have changed it
    at = max(at, ticket.updated_at)
    late = sla.due(store.history(tx, [ticket.id], None)[ticket.id], desk.rules, at)
    if late:
        ticket = store.apply(tx, ticket, late, SYSTEM, at, ring)
    before, ticket = ticket, store.apply(tx, ticket, changes, who, at, ring)
    wind_clocks(tx, ticket, desk)
    counting_tickets.changed(before, ticket, changes, who)
    return ticket


def wind_clocks(tx: db.Tx, ticket: Ticket, desk: TicketDesk) -> None:
    """When this ticket's promises must be looked at next."""
    history = store.history(tx, [ticket.id], None)[ticket.id]
    store.look_at(tx, ticket.id, sla.next_look(history, desk.rules, ticket.updated_at))


def found(name: str, desk: TicketDesk) -> Ticket:
    """By id or number, merged or not. Raises NoSuchTicketError."""
    with desk.live.database.statement() as tx:
        ticket = store.find(tx, name, desk.ring)
    if ticket is None:
        raise NoSuchTicketError
    return ticket


def standing(name: str, desk: TicketDesk) -> Ticket:
    """The ticket by id or number, or the one that took it in. Raises NoSuchTicketError."""
    ticket = found(name, desk)
    while ticket.merged_into:
        ticket = found(ticket.merged_into, desk)
    return ticket


def ticket_id(event: str) -> TicketId:
    """Opening it twice is opening it once."""
    return TicketId(str(uuid5(_NAMESPACE, event)))


def _first_text(asked: Asked) -> str:
    """What is read, searched and answered: the subject is part of what they say."""
    return asked.description if asked.subject in asked.description else f"{asked.subject}\n\n{asked.description}"


def followed(tx: db.Tx, id_: TicketId, desk: TicketDesk) -> Ticket:
    """Locked, and whoever merged it while we waited is followed: what took another in was never merged before."""
    ticket = store.lock(tx, id_, desk.ring)
    while ticket.merged_into:
        ticket = store.lock(tx, ticket.merged_into, desk.ring)
    return ticket


def _opened(
    tx: db.Tx, new: Entry, at: datetime, asked: Asked, desk: TicketDesk, follows: Ticket | None = None
) -> Ticket:
    rules, id_, event = desk.rules.content, ticket_id(new.id), EventId(new.id)
    assert new.identity
    features = read.read(list(profiles.states(tx, [new.identity]).values()), microseconds(at) + 1)
    tier = asked.tier or str(features.get("tier") or "")
    jurisdiction = asked.jurisdiction or desk.rules.jurisdiction_of(features.get("country"))
    weighed = priority.weigh(asked.priority, new.urgency, tier, features, rules.priority)
    matter = Matter(language=new.language, urgency=new.urgency, jurisdiction=jurisdiction, tier=tier)
    owner = _first_owner(tx, matter, rules)
    number = store.next_number(tx)
    first = c.Opened(
        id=id_,
        number=number,
        customer=IdentityId(new.identity),
        subject=asked.subject,
        channel=Channel(new.channel),
        brand=rules.brand,
        priority=weighed.priority,
        asked=asked.priority,
        because=weighed.because,
        owner=owner.type,
        owner_id=owner.id,
        tier=tier,
        jurisdiction=jurisdiction,
        verified=asked.verified,
        language=new.language,
        urgency=new.urgency,
        events=(event,),
        thread=c.Thread(turns=1, newest_turn=event, waiting_since=at, first_reply_at=None),
        follows=follows.id if follows else None,
    )
    ticket = store.apply(tx, None, [first], CUSTOMER, at, desk.ring)
    ticket = store.apply(tx, ticket, [acknowledge.acknowledgement(new.language, number)], SYSTEM, at, desk.ring)
    wind_clocks(tx, ticket, desk)
    counting_tickets.opened(ticket)
    if ticket.owner.type is OwnerType.AI:
        desk.wake(tx, ticket.id, at)
    return ticket


def _first_owner(tx: db.Tx, matter: Matter, rules: Content) -> Owner:
    if rules.first_owner == "ai":
        return Owner(type=OwnerType.AI)
    routed = routing.route(matter, rules, store.load(tx))
    return Owner(type=routed.owner, id=routed.owner_id)


def _where(tx: db.Tx, arrival: Arrival) -> TicketId:
    known = store.of_event(tx, EventId(arrival.row["id"]))
    if known is None:
        raise KeyUsedError
    return known
