"""Tickets: changes are added, what follows from them is kept beside, and both are read back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from harken.domain.ids import EventId, IdentityId
from harken.domain.ticket import OwnerType, StatusCategory, Ticket, TicketId
from harken.errors import RefusedError
from harken.kit import db, sql
from harken.privacy.ring import KeyRing
from harken.privacy.sealing import Body, ErasedError
from harken.tickets import changes as c
from harken.tickets import fold
from harken.tickets.changes import Change, Stamped

q = sql.queries(__package__)

ERASED: Final = "(erased)"


class NoSuchTicketError(RefusedError):
    """There is no such ticket."""

    status = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tickets a list shows; what is None is not asked about."""

    status: StatusCategory | None = None
    owner_type: OwnerType | None = None
    owner_id: str | None = None
    tag: str | None = None
    customers: Sequence[IdentityId] | None = None
    jurisdictions: Sequence[str] | None = None  #: of these, of parts of them, and of customers of whom nobody knows it
    updated_since: datetime | None = None


def next_number(tx: db.Tx) -> int:
    found = db.row(tx, q.next_number)
    assert found
    number: int = found["number"]
    return number


def lock(tx: db.Tx, id_: TicketId, ring: KeyRing) -> Ticket:
    """Held until the transaction ends. Raises NoSuchTicketError."""
    found = db.row(tx, q.lock, id=id_)
    if found is None:
        raise NoSuchTicketError
    return _ticket(found, ring)


def lock_several(tx: db.Tx, ids: Iterable[TicketId], ring: KeyRing) -> dict[TicketId, Ticket]:
    """Raises NoSuchTicketError where one is missing."""
    wanted = set(ids)
    found = {TicketId(row["id"]): _ticket(row, ring) for row in db.rows(tx, q.lock_several, ids=list(wanted))}
    if found.keys() != wanted:
        raise NoSuchTicketError
    return found


def find(tx: db.Tx, name: str, ring: KeyRing) -> Ticket | None:
    """By id or number."""
    number = int(name) if name.isascii() and name.isdigit() and len(name) < len(str(1 << 63)) else None
    found = db.row(tx, q.find, id=name, number=number)
    return _ticket(found, ring) if found else None


def of_event(tx: db.Tx, event: EventId) -> TicketId | None:
    """The ticket that this message is in now."""
    found = db.row(tx, q.of_event, event=event)
    return TicketId(found["ticket"]) if found else None


def apply(tx: db.Tx, ticket: Ticket | None, changes: Sequence[Change], who: str, at: datetime, ring: KeyRing) -> Ticket:
    """Add changes to a ticket that is locked, or that the first of them opens; the ticket as it is then.

    Raises NotNowError where one does not fit, ErasedError where there is no key any more for words in them.
    """
    version = ticket.version if ticket else 0
    for change in changes:
        version += 1
        stamped = Stamped(at=at, by=who, version=version, change=change)
        ticket = fold.fold(ticket, stamped)
        _add(tx, ticket, stamped, ring)
        if moved := fold.messages([stamped]):
            tx.execute(q.link, {"events": list(moved), "ticket": ticket.id})
    assert ticket is not None
    _keep(tx, ticket, ring)
    return ticket


def history(tx: db.Tx, tickets: Sequence[TicketId], ring: KeyRing | None) -> dict[TicketId, list[Stamped]]:
    """Without a ring, without the words of people."""
    found: dict[TicketId, list[Stamped]] = {id_: [] for id_ in tickets}
    for row in db.rows(tx, q.history, tickets=list(tickets)):
        words = _opened(row, _about(row["ticket"], row["version"]), ring) if ring else ""
        change = c.read(row["name"], row["body"], words)
        stamped = Stamped(at=row["at"], by=row["by"], version=row["version"], change=change)
        found[TicketId(row["ticket"])].append(stamped)
    return found


def messages(tx: db.Tx, ticket: TicketId) -> list[db.Row]:
    """Sealed, in order of time: the columns of the warehouse's `bodies`."""
    return db.rows(tx, q.messages, ticket=ticket)


def page(tx: db.Tx, wanted: Wanted, before: int | None, limit: int, ring: KeyRing) -> list[Ticket]:
    """Newest first; `before`: the number that the page before ended with."""
    named = {name: getattr(wanted, name) for name in Wanted.__dataclass_fields__}
    for name in ("customers", "jurisdictions"):
        named[name] = None if named[name] is None else list(named[name])
    return [_ticket(row, ring) for row in db.rows(tx, q.page, before=before, limit=limit, **named)]


def look_at(tx: db.Tx, ticket: TicketId, at: datetime | None) -> None:
    tx.execute(q.look_at, {"id": ticket, "at": at})


def load(tx: db.Tx) -> dict[str, int]:
    """Person -> tickets that are not over."""
    return {row["owner_id"]: row["tickets"] for row in db.rows(tx, q.load)}


def to_wake(tx: db.Tx, now: datetime, limit: int) -> list[TicketId]:
    return [row["id"] for row in db.rows(tx, q.to_wake, now=now, limit=limit)]


def to_look_at(tx: db.Tx, now: datetime, limit: int) -> list[TicketId]:
    return [row["id"] for row in db.rows(tx, q.to_look_at, now=now, limit=limit)]


def ids(tx: db.Tx, after: str, limit: int) -> list[TicketId]:
    """In order of id, after one."""
    return [row["id"] for row in db.rows(tx, q.ids, after=after, limit=limit)]


def linked(tx: db.Tx, tickets: Sequence[TicketId]) -> dict[TicketId, set[EventId]]:
    """What the table says of whose messages are whose."""
    found: dict[TicketId, set[EventId]] = {id_: set() for id_ in tickets}
    for row in db.rows(tx, q.linked, tickets=list(tickets)):
        found[row["ticket"]].add(row["event"])
    return found


def agrees(tx: db.Tx, tickets: Sequence[Ticket]) -> set[TicketId]:
    """Of these, folded anew, the ones whose columns say the same."""
    kept = {row["id"]: row for row in db.rows(tx, q.columns, tickets=[ticket.id for ticket in tickets])}
    return {ticket.id for ticket in tickets if kept.get(ticket.id) == _columns(ticket)}


def _columns(ticket: Ticket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "number": ticket.number,
        "customer": ticket.customer,
        "status": ticket.status.value,
        "priority": ticket.priority.value,
        "owner_type": ticket.owner.type.value,
        "owner_id": ticket.owner.id,
        "tags": list(ticket.tags),
        "version": ticket.version,
        "updated_at": ticket.updated_at,
        "snoozed_until": ticket.snoozed_until,
        "merged_into": ticket.merged_into,
        "jurisdiction": str(ticket.attributes.get("jurisdiction", "")),
    }


def _keep(tx: db.Tx, ticket: Ticket, ring: KeyRing) -> None:
    state = orjson.dumps(replace(ticket, subject=""), option=orjson.OPT_SORT_KEYS).decode()
    sealed = None if ticket.subject == ERASED else _sealed(tx, ticket, ticket.id, ticket.subject, ring)
    tx.execute(q.keep, {**_columns(ticket), "state": state, "sealed": sealed})


def _add(tx: db.Tx, ticket: Ticket, stamped: Stamped, ring: KeyRing) -> None:
    name, body, words = c.written(stamped.change)
    about = _about(ticket.id, stamped.version)
    given: Mapping[str, Any] = {
        "ticket": ticket.id,
        "version": stamped.version,
        "at": stamped.at,
        "by": stamped.by,
        "name": name,
        "body": body,
        "sealed": _sealed(tx, ticket, about, words, ring) if words else None,
    }
    tx.execute(q.add_change, given)


def _about(ticket: str, version: int) -> str:
    """What the words are bound to."""
    return f"{ticket}/{version}"


def _sealed(tx: db.Tx, ticket: Ticket, about: str, words: str, ring: KeyRing) -> bytes:
    key = db.row(tx, q.key, subject=ticket.customer)
    if key is None:
        raise ErasedError("The customer was erased: nothing more can be written down of them.")
    return ring.seal(ticket.customer, key["wrapped"], about, Body(words))


def _opened(row: db.Row, about: str, ring: KeyRing) -> str:
    if row["sealed"] is None:
        return ""
    if row["wrapped"] is None:
        return ERASED
    return ring.open(row["customer"], row["wrapped"], about, row["sealed"]).text


def _ticket(row: db.Row, ring: KeyRing) -> Ticket:
    ticket: Ticket = _adapter().validate_python(orjson.loads(row["state"]))
    return replace(ticket, subject=_opened(row, row["id"], ring))


@cache
def _adapter() -> TypeAdapter[Ticket]:
    return TypeAdapter(Ticket)
