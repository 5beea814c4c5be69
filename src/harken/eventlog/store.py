"""The log of events: appended to, and read in order, by one transaction at a time of many."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from hashlib import blake2b

from harken.errors import TryAgainError, UnsuitableError
from harken.kit import db, sql

q = sql.queries(__package__)

BATCH_WAIT_S = 5.0

SLOW = timedelta(minutes=5)
"""An event that came so long after it happened counts as slow for its source."""


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


def take_turn(tx: db.Tx, definitions: str) -> bool:
    """Whether the store has no definitions yet: see `define`. Raises TryAgainError while a batch writes (it resolves threads from what it read at its start), and
    UnsuitableError where the profiles were made with other definitions."""
    turn = db.row(tx, q.write_with_batches)
    assert turn is not None
    if turn["taken"] and turn["definitions"] not in (None, definitions):
        raise UnsuitableError(
            "The profiles in this store were made with other feature definitions. Nothing was kept; run: harken profile rebuild"
        )
    if not turn["taken"]:
        raise TryAgainError(
            "A batch is writing to this store. Nothing of this was kept; send it again.", after_s=BATCH_WAIT_S
        )
    return turn["definitions"] is None


def define(tx: db.Tx, definitions: str) -> None:
    """After the events: a transaction that had its number before its positions would have them out of order."""
    tx.execute(q.defined, {"definitions": definitions})


def lock(tx: db.Tx, names: Iterable[str]) -> None:
    """Hold these names until the transaction ends."""
    tx.execute(q.lock, {"keys": sorted(map(_key, names))})


def _key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


def append(tx: db.Tx, entries: Sequence[Entry]) -> dict[str, int]:
    """Id -> position of the events that were new. Ids within `entries` are unique."""
    columns = {name: [getattr(entry, name) for entry in entries] for name in _COLUMNS}
    found = db.rows(tx, q.append, place=list(range(len(entries))), slow=SLOW, **columns)
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


def read(tx: db.Tx, after: int, limit: int) -> list[db.Row]:
    """Events after a position, without text, in order; however many write at once, none appears before them later."""
    return db.rows(tx, q.read, after=after, limit=limit)


def end(tx: db.Tx) -> int:
    """The position that `read` would come to by now."""
    found = db.row(tx, q.end)
    return found["position"] if found else 0


def before(tx: db.Tx, identity: str, position: int, limit: int) -> list[db.Row]:
    """What the fold takes of an identity's events before a position; at most `limit`, in no order."""
    return db.rows(tx, q.before, identity=identity, position=position, limit=limit)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader saw of the log: all of the transactions before one, nothing of those from another on (xid8)."""

    known_before: str
    unknown_from: str


def horizon(tx: db.Tx) -> str | None:
    """The oldest transaction that is still open; None while the profiles are behind the log."""
    found = db.row(tx, q.horizon)
    return found["oldest_open"] if found else None


def of_identities(tx: db.Tx, identities: Sequence[str], reader: Seen) -> list[db.Row]:
    """Thin rows with `known` and `perhaps`: whether this reader saw them."""
    return db.rows(tx, q.of_identities, identities=list(identities), **asdict(reader))


def seen(tx: db.Tx, positions: Iterable[int], reader: Seen) -> list[db.Row]:
    """position, known, perhaps."""
    return db.rows(tx, q.seen, positions=list(positions), **asdict(reader))


def partitions(tx: db.Tx) -> list[db.Row]:
    """stream, partition, waiting."""
    return db.rows(tx, q.partitions)


def sources(tx: db.Tx) -> list[db.Row]:
    """source, newest, since."""
    return db.rows(tx, q.sources)


def hours(tx: db.Tx, hours: Sequence[datetime]) -> list[db.Row]:
    """source, hour, kind, events, slow."""
    return db.rows(tx, q.hours, hours=list(hours))


def forget_hours(tx: db.Tx, before: datetime) -> None:
    tx.execute(q.forget_hours, {"before": before})
