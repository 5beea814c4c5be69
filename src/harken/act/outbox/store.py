"""The outbox: written in the transaction that decides, claimed with a lease and a fencing token, settled by its holder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from harken.kit import db, sql

q = sql.queries(__package__)


class State(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"  #: claimed; after the lease somebody else tries
    IN_DOUBT = "in_doubt"  #: begun, and nobody knows how it ended
    UNCONFIGURED = "unconfigured"  #: waits until somebody says how the channel is reached
    DELIVERED = "delivered"
    FAILED = "failed"  #: given up: a dead letter, for a person
    DROPPED = "dropped"  #: a person decided that it is not sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A row to be."""

    id: str
    ticket: str
    subject: str  #: whose key seals it
    proposal: str | None
    action: str
    channel: str
    effect: str
    sealed: bytes
    at: datetime
    not_before: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A row that this worker alone may settle, for as long as nobody claims it after."""

    id: str
    fence: int
    ticket: str
    subject: str
    proposal: str | None
    action: str
    channel: str
    effect: str
    sealed: bytes
    wrapped: bytes | None  #: the subject's key; None: it was destroyed
    arguments_hash: bytes | None  #: what was approved, where it was proposed
    tries: int
    enqueued_at: datetime
    error: str | None  #: of the try before; begins with `unknown` where one of them may have happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    state: State
    at: datetime
    next_at: datetime | None = None
    receipt: str | None = None
    error: str | None = None  #: a code and what happened; never words of the other side or the customer


def enqueue(tx: db.Tx, row: Outgoing) -> bool:
    """Whether it is new. It leaves when the caller's transaction is committed, and only then."""
    given = {name: getattr(row, name) for name in ("id", "ticket", "subject", "proposal", "action", "channel", "effect", "sealed")}  # fmt: skip
    return db.row(tx, q.enqueue, **given, enqueued_at=row.at, next_at=row.not_before) is not None


def claim(tx: db.Tx, now: datetime, until: datetime) -> Claim | None:
    """The next that is due, for this worker alone until then."""
    found = db.row(tx, q.claim, now=now, until=until)
    return Claim(**found) if found else None


def claim_doubtful(tx: db.Tx, channels: Sequence[str], now: datetime, until: datetime) -> Claim | None:
    """One that was begun and never settled, on a channel that can be asked."""
    found = db.row(tx, q.claim_doubtful, channels=list(channels), now=now, until=until)
    return Claim(**found) if found else None


def abandoned(tx: db.Tx, askable: Sequence[str], now: datetime) -> db.Row | None:
    """One whose sender was never heard of again, and of which only people can say more; each once."""
    return db.row(tx, q.abandoned, channels=list(askable), now=now)


def begin_unkeyed(tx: db.Tx, held: Claim, until: datetime) -> bool:
    """False: the claim was lost, so nothing may be sent."""
    return db.row(tx, q.begin_unkeyed, id=held.id, fence=held.fence, until=until) is not None


def settle(tx: db.Tx, held: Claim, how: Settled) -> bool:
    """False: the claim was lost, and whoever has it says what came of it."""
    finished = how.at if how.state in (State.DELIVERED, State.FAILED) else None
    values = {"state": how.state.value, "next_at": how.next_at, "receipt": how.receipt, "error": how.error}
    return db.row(tx, q.settle, id=held.id, fence=held.fence, finished_at=finished, **values) is not None


def add_call(tx: db.Tx, held: Claim, call_at: datetime | None, at: datetime) -> None:
    tx.execute(q.add_call, {"id": held.id, "ticket": held.ticket, "call_at": call_at, "made_at": at})


def one(tx: db.Tx, id_: str) -> db.Row | None:
    """Held until the transaction ends."""
    return db.row(tx, q.one, id=id_)


def decide(tx: db.Tx, id_: str, state: State, now: datetime) -> None:
    tx.execute(q.decide, {"id": id_, "state": state.value, "now": now})


def page(tx: db.Tx, state: State, after: tuple[datetime, str], most: int) -> list[db.Row]:
    return db.rows(tx, q.page, state=state.value, at=after[0], after=after[1], most=most)


def waiting(tx: db.Tx) -> list[db.Row]:
    """state, number, oldest."""
    return db.rows(tx, q.waiting)


def retry_unconfigured(tx: db.Tx, now: datetime) -> None:
    tx.execute(q.retry_unconfigured, {"now": now})
