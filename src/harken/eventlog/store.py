"""The log of events: appended to, and read in order, by one transaction at a time of many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import blake2b

from harken.errors import TryAgainError, UnsuitableError
from harken.kit import db, sql

q = sql.queries(__package__)

BATCH_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event as the log keeps it; `at` in microseconds since 1970 UTC."""

    id: str
    kind: str
    identity: str | None
    author: str
    channel: str
    at: int
    in_reply_to: str | None
    addressed_to: str | None
    subject: str
    body: bytes | None
    language: str
    sentiment: int | None
    urgency: int
    signals: int
    evidence: str | None
    attributes: str | None
    source: str
    received_at: datetime
    digest: bytes  #: of the content, by the subject's key: tells a redelivery from another event under the same id


@dataclass(frozen=True, slots=True)
class Stored:
    """What the log has under an id."""

    position: int
    subject: str
    digest: bytes | None


_COLUMNS = tuple(field.name for field in fields(Entry))


def take_turn(tx: db.Tx, definitions: str) -> None:
    """Raises TryAgainError while a batch writes (it resolves threads from what it read at its start), and
    UnsuitableError where the profiles were made with other definitions."""
    turn = db.row(tx, q.write_with_batches)
    assert turn is not None
    if turn["taken"] and turn["definitions"] is None:
        tx.execute(q.defined, {"definitions": definitions})
    elif turn["taken"] and turn["definitions"] != definitions:
        raise UnsuitableError(
            "The profiles in this store were made with other feature definitions. Nothing was kept; run: harken profile rebuild"
        )
    if not turn["taken"]:
        raise TryAgainError(
            "A batch is writing to this store. Nothing of this was kept; send it again.", after_s=BATCH_WAIT_S
        )


def lock(tx: db.Tx, names: Iterable[str]) -> None:
    """Hold these names until the transaction ends."""
    tx.execute(q.lock, {"keys": sorted(map(_key, names))})


def _key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def append(tx: db.Tx, entries: Sequence[Entry]) -> dict[str, int]:
    """Id -> position of the events that were new. Ids within `entries` are unique."""
    columns = {name: [getattr(entry, name) for entry in entries] for name in _COLUMNS}
    found = db.rows(tx, q.append, place=list(range(len(entries))), **columns)
    return {row["id"]: row["position"] for row in found}


def stored(tx: db.Tx, ids: Sequence[str]) -> dict[str, Stored]:
    return {
        row["id"]: Stored(row["position"], row["subject"], row["digest"])
        for row in db.rows(tx, q.stored, ids=list(ids))
    }


def subjects_of(tx: db.Tx, ids: Iterable[str]) -> Mapping[str, str]:
    return {row["id"]: row["subject"] for row in db.rows(tx, q.subjects_of, ids=list(ids))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """A partition of an outside stream, taken in up to here."""

    stream: str
    partition: int
    expected: int | None  #: the offset it stood at as far as the worker knows; None: it is the first
    upto: int  #: the next one to be taken in
    newest: int  #: the next one to be written by anybody: what is between waits


class FencedError(TryAgainError):
    """Another worker has this partition now; nothing of this batch was kept."""


def advance(tx: db.Tx, step: Advance, at: datetime) -> None:
    """Raises FencedError where the partition is not where the worker believes it to be."""
    query = q.begin if step.expected is None else q.advance
    named = {"stream": step.stream, "partition": step.partition, "expected": step.expected}
    if not tx.execute(query, {**named, "upto": step.upto, "newest": step.newest, "at": at}).rowcount:
        raise FencedError


def offset(tx: db.Tx, stream: str, partition: int) -> int | None:
    found = db.row(tx, q.offset, stream=stream, partition=partition)
    return found["next_offset"] if found else None


def changed(tx: db.Tx, after: int, limit: int) -> list[db.Row]:
    """position identity attributes of the next events after a position that no earlier one can still slip in between."""
    return db.rows(tx, q.changed, after=after, limit=limit)
