"""The audit in PostgreSQL: events that anybody who serves may add, and the tree over them that the sealer grows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from harken.audit import canonical, merkle
from harken.audit.canonical import Plain
from harken.audit.examine import KEPT_LEVEL
from harken.audit.merkle import Node, Span
from harken.audit.rows import AuditEvent, Checkpoint, Counts, Leaf
from harken.kit import db, observe, sql

q = sql.queries(__package__)

AT_ONCE = 5_000
"""Rows that a verifier holds at a time."""

Body = Mapping[str, Plain]


class Done(NamedTuple):
    """Something that was done, to be recorded. No personal data in clear: ids, tokens and keyed digests only."""

    actor: str
    action: str
    body: Body


def record(tx: db.Tx, actor: str, action: str, body: Body) -> None:
    """Say in the audit what is done in this transaction: both are there afterwards, or neither.

    Raises NotCanonicalError for a body that has no canonical form.
    """
    tx.execute(q.record, {"actor": actor, "action": action, "body": canonical.text(body)})
    observe.add(observe.AUDIT_EVENTS)


def records(tx: db.Tx, done: Sequence[Done]) -> None:
    """As `record`, for several at once."""
    if not done:
        return
    columns = {
        "actors": [each.actor for each in done],
        "actions": [each.action for each in done],
        "bodies": [canonical.text(each.body) for each in done],
    }
    tx.execute(q.records, columns)
    observe.add(observe.AUDIT_EVENTS, len(done))


def record_one(tx: db.Tx, actor: str, action: str, body: Body) -> int:
    """As `record`; the event's number, for what refers to it."""
    row = db.row(tx, q.record_one, actor=actor, action=action, body=canonical.text(body))
    assert row
    observe.add(observe.AUDIT_EVENTS)
    number: int = row["id"]
    return number


def record_unwaited(tx: db.Tx, actor: str, action: str, body: Body) -> None:
    """As `record`, in a statement of its own that does not wait for the disk: a crash of the database's machine (no other)
    may take its last second. For what happens too often to wait each time, and changes nothing.
    """
    tx.execute(q.record_unwaited, {"actor": actor, "action": action, "body": canonical.text(body)})
    observe.add(observe.AUDIT_EVENTS)


def take_turn(tx: db.Tx) -> None:
    """One sealer at a time, until this transaction ends."""
    tx.execute(q.take_turn)


def see_one_moment(tx: db.Tx) -> None:
    """Every query of this transaction sees the same rows."""
    tx.execute(q.see_one_moment)


def newest(tx: db.Tx) -> Checkpoint | None:
    row = db.row(tx, q.newest)
    return Checkpoint(**row) if row else None


def server(tx: db.Tx) -> tuple[str, int]:
    """Which server this is, and the oldest transaction that may still be under way."""
    row = db.row(tx, q.server)
    assert row
    return row["system"], row["horizon"]


def unsealed(tx: db.Tx, since: int, most: int) -> tuple[list[AuditEvent], int]:
    """Events of finished transactions from `since` on that have no leaf, in their order; and up to where that is all."""
    rows = db.rows(tx, q.unsealed, since=since, most=most)
    if not rows:
        return [], since
    horizon = rows[-1]["horizon"] if len(rows) < most else rows[-1]["tx"]
    return [_event(row) for row in rows], horizon


def unsealed_anywhere(tx: db.Tx, most: int) -> list[AuditEvent]:
    """Events without a leaf, whatever their transaction's number."""
    return [_event(row) for row in db.rows(tx, q.unsealed_anywhere, most=most)]


def tree(tx: db.Tx, size: int) -> merkle.Growing:
    """The tree of the first `size` leaves, ready to grow."""
    return merkle.Growing(size, subtrees(tx, list(merkle.parts((0, size)))))


def subtrees(tx: db.Tx, wanted: Sequence[Node]) -> list[bytes]:
    """The hashes of complete subtrees: the large ones are kept, the small ones are made of their leaves.

    Raises KeyError where the store lacks one: verifying says what was taken away.
    """
    large = [node for node in wanted if node[0] >= KEPT_LEVEL]
    levels, places = [level for level, _ in large], [place for _, place in large]
    kept = {(row["level"], row["place"]): row["hash"] for row in db.rows(tx, q.edge, levels=levels, places=places)}
    small = [(place << level, (place + 1) << level) for level, place in wanted if level < KEPT_LEVEL]
    leaves = _leaves(tx, small)
    return [
        kept[level, place]
        if level >= KEPT_LEVEL
        else merkle.complete([leaves[at] for at in range(place << level, (place + 1) << level)])
        for level, place in wanted
    ]


def _leaves(tx: db.Tx, spans: Iterable[Span]) -> dict[int, bytes]:
    """By place. Spans of a proof lie in at most two blocks of 256, so what is between them is few."""
    found: dict[int, bytes] = {}
    for block in {start >> KEPT_LEVEL for start, _ in spans}:
        since, until = block << KEPT_LEVEL, (block + 1) << KEPT_LEVEL
        found |= {row["place"]: row["hash"] for row in db.rows(tx, q.leaves, since=since, until=until)}
    return found


def proof(tx: db.Tx, spans: Sequence[Span]) -> list[bytes]:
    """The hashes over these spans, in their order."""
    nodes = [list(merkle.parts(span)) for span in spans]
    wanted = [node for each in nodes for node in each]
    hashes = dict(zip(wanted, subtrees(tx, wanted), strict=True))
    return [merkle.hashed(span, lambda level, place: hashes[level, place]) for span in spans]


def append(tx: db.Tx, events: Sequence[AuditEvent], grown: merkle.Growing) -> None:
    """Add leaves, and the subtrees that they complete, to the store and to the tree."""
    first, hashes = grown.size, [event.hash for event in events]
    kept = [node for each in hashes for node in grown.add(each) if node[0] >= KEPT_LEVEL]
    leaves = ((first + at, event.id, hashes[at]) for at, event in enumerate(events))
    _copy(tx, q.copy_leaves, ["int8", "int8", "bytea"], leaves)
    _copy(tx, q.copy_nodes, ["int2", "int8", "bytea"], kept)


def _copy(tx: db.Tx, query: Any, types: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with tx.cursor() as cursor, cursor.copy(query) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def add_checkpoint(tx: db.Tx, checkpoint: Checkpoint) -> None:
    tx.execute(q.checkpoint, checkpoint._asdict())


def checkpoints(tx: db.Tx) -> list[Checkpoint]:
    return [Checkpoint(**row) for row in db.rows(tx, q.checkpoints)]


def checkpoint_of(tx: db.Tx, size: int) -> Checkpoint | None:
    row = db.row(tx, q.checkpoint_of, size=size)
    return Checkpoint(**row) if row else None


def sealed_at(tx: db.Tx, event: int) -> tuple[int, bytes] | None:
    """An event's place in the tree and its leaf; None: it is not sealed."""
    row = db.row(tx, q.place_of, event=event)
    return (row["place"], row["hash"]) if row else None


def event(tx: db.Tx, number: int) -> AuditEvent | None:
    row = db.row(tx, q.event, event=number)
    return _event(row) if row else None


def all_sealed(tx: db.Tx) -> Iterator[Leaf]:
    """Every leaf with its event, in order, memory flat in their number."""
    with tx.cursor(name="all_sealed") as cursor:
        cursor.itersize = AT_ONCE
        for row in cursor.execute(q.all_sealed):
            content = None if row["id"] is None else _event(row)
            yield Leaf(row["place"], row["event"], row["hash"], content)


def all_nodes(tx: db.Tx) -> Iterator[tuple[int, int, bytes]]:
    """Kept subtrees, in the order in which leaves complete them."""
    with tx.cursor(name="all_nodes") as cursor:
        cursor.itersize = AT_ONCE
        for row in cursor.execute(q.all_nodes):
            yield row["level"], row["place"], row["hash"]


def counts(tx: db.Tx) -> Counts:
    row = db.row(tx, q.counts)
    assert row
    return Counts(**row)


def overlooked(tx: db.Tx, horizon: int, most: int) -> list[int]:
    """Events below the horizon that have no leaf: somebody put them there later."""
    return [row["id"] for row in db.rows(tx, q.overlooked, horizon=horizon, most=most)]


def waiting(tx: db.Tx) -> tuple[int, float]:
    """Events that wait to be sealed, and how long the oldest has, in seconds."""
    row = db.row(tx, q.waiting)
    assert row
    return row["events"], row["age_s"] or 0.0


def _event(row: Mapping[str, Any]) -> AuditEvent:
    return AuditEvent(row["id"], row["tx"], row["at_us"], row["actor"], row["action"], row["body"])
