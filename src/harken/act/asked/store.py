"""Proposals and what people said of them. Arguments rest sealed; a hash made with the customer's key binds every word to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from harken.act.approvals import State, Word
from harken.act.plan import Spent
from harken.kit import db, sql

q = sql.queries(__package__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A row to be."""

    id: str
    ticket: str
    subject: str
    cause: str
    action: str
    sealed: bytes
    arguments_hash: bytes
    amount_minor: int | None
    currency: str | None
    people: int
    state: State
    proposer: str
    proposed_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    sealed: bytes
    arguments_hash: bytes
    amount_minor: int | None
    currency: str | None
    people: int


_COLUMNS = tuple(Asked.__dataclass_fields__)


def take_turn(tx: db.Tx, subject: str) -> None:
    """One transaction at a time counts what this customer has left."""
    key = int.from_bytes(blake2b(f"actions {subject}".encode(), digest_size=8).digest(), "big", signed=True)
    tx.execute(q.take_turn, {"key": key})


def spent(tx: db.Tx, subject: str, since: datetime, besides: Sequence[str]) -> Spent:
    """Without the proposals `besides`: what is proposed again, to the letter, is not proposed twice."""
    rows = db.rows(tx, q.spent, subject=subject, since=since, besides=list(besides))
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["action"]] = counts.get(row["action"], 0) + row["number"]
    sums = {(row["action"], row["currency"]): int(row["minor"]) for row in rows if row["currency"]}
    return Spent(counts=counts, sums=sums)


def add(tx: db.Tx, row: Asked) -> bool:
    """Whether it is new."""
    return db.row(tx, q.add, **{name: getattr(row, name) for name in _COLUMNS}) is not None


def held(tx: db.Tx, id_: str) -> db.Row | None:
    """With the customer's wrapped key; nobody else decides until the transaction ends."""
    return db.row(tx, q.held, id=id_)


def find(tx: db.Tx, id_: str) -> db.Row | None:
    return db.row(tx, q.find, id=id_)


def words(tx: db.Tx, ids: Sequence[str]) -> dict[str, tuple[Word, ...]]:
    """Proposal -> what people said of it."""
    found: dict[str, tuple[Word, ...]] = {}
    for row in db.rows(tx, q.words, ids=list(ids)):
        word = Word(who=row["who"], role=row["role"], approved=row["approved"], arguments_hash=row["arguments_hash"].hex(), at=row["at"])  # fmt: skip
        found[row["proposal"]] = (*found.get(row["proposal"], ()), word)
    return found


def add_word(tx: db.Tx, id_: str, word: Word) -> None:
    values = {"who": word.who, "role": word.role, "approved": word.approved, "at": word.at}
    tx.execute(q.add_word, {"id": id_, "arguments_hash": bytes.fromhex(word.arguments_hash), **values})


def turn_to(tx: db.Tx, id_: str, state: State, before: Sequence[State], at: datetime) -> bool:
    """False where it is in none of the states `before`."""
    return db.row(tx, q.turn_to, id=id_, state=state.value, before=[each.value for each in before], at=at) is not None


def edit(tx: db.Tx, id_: str, new: Edit) -> None:
    given = {name: getattr(new, name) for name in Edit.__dataclass_fields__}
    tx.execute(q.edit, {"id": id_, **given})


def overdue(tx: db.Tx, now: datetime, most: int) -> list[db.Row]:
    """Held until the transaction ends."""
    return db.rows(tx, q.overdue, now=now, most=most)


def page(tx: db.Tx, state: State, after: tuple[datetime, str], most: int) -> list[db.Row]:
    return db.rows(tx, q.page, state=state.value, at=after[0], after=after[1], most=most)


def of_ticket(tx: db.Tx, ticket: str) -> list[db.Row]:
    """id, action, state, proposed_at."""
    return db.rows(tx, q.of_ticket, ticket=ticket)
