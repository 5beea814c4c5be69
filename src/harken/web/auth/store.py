"""Buckets, revoked tokens, answers given before and tickets for sockets <-> their tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from harken.kit import db, sql

q = sql.queries(__package__)


class Record(Protocol):
    """Writes into the audit, in the caller's transaction."""

    def __call__(self, tx: db.Tx, actor: str, action: str, body: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking for one request."""

    left: float | None  #: None: the bucket had less than one
    wait_s: float
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    key: bytes
    most: int
    per_second: float


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that a caller sent. `attempt` is 0 where somebody else has it, or had it."""

    caller: bytes
    key: bytes
    attempt: int = 0


def take(tx: db.Tx, bucket: Bucket, token: bytes, now: datetime) -> Taken:
    given = {"key": bucket.key, "now": now, "most": bucket.most, "per_second": bucket.per_second}
    row = db.row(tx, q.take, token=token, **given)
    assert row is not None
    if row["tokens"] is not None or row["revoked"]:
        return Taken(row["tokens"], 0.0, row["revoked"])
    there = db.row(tx, q.bucket, key=bucket.key, now=now)
    missing = 1 - (there["tokens"] + there["age_s"] * bucket.per_second) if there else 0
    return Taken(None, max(0.0, missing / bucket.per_second), False)


def revoke(tx: db.Tx, token: bytes, expires_at: datetime, now: datetime) -> None:
    tx.execute(q.revoke, {"token": token, "now": now, "expires_at": expires_at})


def claim(
    tx: db.Tx, asked: Claim, digest: bytes, *, now: datetime, running_until: datetime, expires_at: datetime
) -> int:
    """The attempt's number, or 0 where the key is taken."""
    row = db.row(
        tx, q.claim, caller=asked.caller, key=asked.key, digest=digest, now=now,
        running_until=running_until, expires_at=expires_at,
    )  # fmt: skip
    return row["attempt"] if row else 0


def answered(tx: db.Tx, asked: Claim) -> db.Row | None:
    """`digest` of the request that has the key, and its `sealed` answer, None while it is under way."""
    return db.row(tx, q.answered, caller=asked.caller, key=asked.key)


def finish(tx: db.Tx, mine: Claim, sealed: bytes) -> None:
    tx.execute(q.finish, {"caller": mine.caller, "key": mine.key, "attempt": mine.attempt, "sealed": sealed})


def release(tx: db.Tx, mine: Claim) -> None:
    tx.execute(q.release, {"caller": mine.caller, "key": mine.key, "attempt": mine.attempt})


def give_ticket(tx: db.Tx, id_: bytes, sealed: bytes, expires_at: datetime) -> None:
    tx.execute(q.give_ticket, {"id": id_, "sealed": sealed, "expires_at": expires_at})


def take_ticket(tx: db.Tx, id_: bytes, now: datetime) -> bytes | None:
    """What is sealed in it; None for a ticket that nobody has, that was used, or that came too late."""
    row = db.row(tx, q.take_ticket, id=id_)
    return row["sealed"] if row and row["expires_at"] > now else None


class NewClient(Protocol):
    """What is kept of a client; its secret comes beside it, as a keyed digest."""

    @property
    def id(self) -> str: ...
    @property
    def roles(self) -> Sequence[str]: ...
    @property
    def scopes(self) -> Sequence[str] | None: ...
    @property
    def jurisdictions(self) -> Sequence[str]: ...
    @property
    def customer(self) -> str | None: ...
    @property
    def minutes(self) -> int: ...


def add_client(tx: db.Tx, new: NewClient, secret: bytes, now: datetime) -> bool:
    """False: the name is taken."""
    scopes = None if new.scopes is None else list(new.scopes)
    given = {"id": new.id, "roles": list(new.roles), "jurisdictions": list(new.jurisdictions), "minutes": new.minutes}
    row = db.row(tx, q.add_client, **given, scopes=scopes, customer=new.customer, secret=secret, now=now)
    return row is not None


def clients(tx: db.Tx) -> list[db.Row]:
    return db.rows(tx, q.clients)


def client(tx: db.Tx, id_: str) -> db.Row | None:
    """With the digest of its `secret`."""
    return db.row(tx, q.client, id=id_)


def revoke_client(tx: db.Tx, id_: str, now: datetime) -> db.Row | None:
    """None: there is none that could be revoked."""
    return db.row(tx, q.revoke_client, id=id_, now=now)


def sweep(tx: db.Tx, now: datetime, full: datetime) -> None:
    """Forget what has expired, and buckets that nobody took from since `full`."""
    tx.execute(q.sweep_buckets, {"full": full})
    tx.execute(q.sweep_revoked, {"now": now})
    tx.execute(q.sweep_answers, {"now": now})
    tx.execute(q.sweep_tickets, {"now": now})
