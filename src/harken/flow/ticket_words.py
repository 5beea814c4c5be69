"""Words of a customer or of ours -> an event of the log, and in its own transaction whatever follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TypeVar

import orjson

from harken.domain.event import Channel, Kind
from harken.domain.ids import CustomerId, EventId, IdentityId, customer_of
from harken.domain.ticket import Ticket
from harken.errors import AmbiguousCustomerError, RefusedError
from harken.eventlog.store import Entry
from harken.flow import live
from harken.flow.arriving import Arrival, Outcome
from harken.flow.counting import Received
from harken.flow.dossier import microseconds
from harken.flow.ticket_desk import TicketDesk
from harken.intake import fields
from harken.intake.fields import InvalidEventError
from harken.kit import db
from harken.kit.characters import whole

SOURCE = "tickets"

Result = TypeVar("Result")


class KeyUsedError(RefusedError):
    """This Idempotency-Key came with another request before. Nothing was changed."""

    status = 422


class NotThisCustomerError(RefusedError):
    """A customer's id has no spaces and at most 200 characters."""

    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """One more message, the customer's or ours."""

    text: str
    channel: Channel | None = None  #: None: the ticket's
    source: str = SOURCE
    key: str = ""
    answers: EventId | None = None  #: of ours, the turn that they were written for; None: the newest


def identity_of(customer: str, desk: TicketDesk) -> IdentityId:
    """Of somebody known under the name, the identity that bears it; `customer:<name>` where nobody is."""
    try:
        unknown = IdentityId(fields.prefixed(customer, "customer"))
    except InvalidEventError:
        raise NotThisCustomerError from None
    people = desk.people(CustomerId(customer))
    if len(people) > 1:
        raise AmbiguousCustomerError(f"Several sources know a customer {customer}: say which, {' or '.join(people)}.")
    known = [identity for identities in people.values() for identity in identities]
    if not known or unknown in known:
        return unknown
    return next((identity for identity in known if customer_of(identity) == customer), known[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where words belong."""

    identity: IdentityId
    brand: str
    channel: Channel = Channel.WEB
    after: EventId | None = None


def place_of(ticket: Ticket) -> Place:
    return Place(identity=ticket.customer, brand=ticket.brand, channel=ticket.channel, after=ticket.newest_turn)


def arrival_of(kind: Kind, words: Words, place: Place, content: Sequence[object], desk: TicketDesk) -> Arrival:
    """As a door would hand it over. `content`: what makes a repetition the same."""
    at = desk.live.clock()
    form = orjson.dumps([kind, words.source, *(whole(each) if isinstance(each, str) else each for each in content)])
    same = f"key {words.source} {words.key}".encode() if words.key else form + f" {int(at.timestamp())}".encode()
    texts = dict.fromkeys(fields.OPTIONAL_TEXTS) | {
        "identity": place.identity,
        "text": whole(words.text),
        "brand": place.brand,
        "in_reply_to": place.after,
    }
    channel = words.channel or place.channel
    id_ = f"{SOURCE}:{sha256(same).hexdigest()[:40]}"
    row = fields.event_row(kind, id_, channel.value, microseconds(at), texts, SOURCE)
    return Arrival(row=row, same_as=form, received_at=at)


def received(arrival: Arrival, desk: TicketDesk, then: Callable[[db.Tx, Entry | None, datetime], Result]) -> Result:
    """`then` is given the entry that is new, or None where the log had it. Raises KeyUsedError."""
    done: list[Result] = []

    def also(tx: db.Tx, taken: Received) -> None:
        [receipt] = taken.receipts
        if receipt.outcome not in (Outcome.ACCEPTED, Outcome.DUPLICATE):
            raise KeyUsedError
        new = taken.new[0][0] if taken.new else None
        done[:] = [then(tx, new, arrival.received_at)]

    live.receive([arrival], desk.live, also=also)
    return done[0]
