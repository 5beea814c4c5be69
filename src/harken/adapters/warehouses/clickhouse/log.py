"""Blocks of events -> the log, each event once; and the log -> events without their text."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.adapters.warehouses.clickhouse.snapshot import Snapshot
from harken.adapters.warehouses.clickhouse.tables import THIN
from harken.domain.ids import IdentityId
from harken.domain.run import Appended, Run
from harken.kit import sql
from harken.privacy.keys import WRAPPED

q = sql.queries(__package__)

ROWS_AT_ONCE = 200_000
_EVERYWHERE = (0, 2**62)
_IDS = pa.schema([("id", pa.string())])


def append(store: ClickHouse, run: Run, digest: str, block: pa.Table, place: int) -> Appended:
    """Add what the log does not have of a block.

    Positions follow from where the block stands in its attempt, so workers need not agree on them. A block that a killed
    process is still sending is dropped by the engine, whichever of the two comes second.
    """
    there = known(store, block["id"].combine_chunks())
    fresh = block.filter(pc.invert(pc.is_in(block["id"], value_set=there))) if len(there) else block
    rows, first = fresh.num_rows, run.after + place + 1
    if not rows:
        before = appended(store, run, digest)
        return before or Appended(inserted=0, duplicates=block.num_rows)
    own = {"run_id": run.id, "block": digest, "block_rows": rows}
    for name, value in own.items():
        fresh = fresh.append_column(name, pa.repeat(pa.scalar(value), rows))
    fresh = fresh.append_column("position", pa.array(range(first, first + rows), pa.int64()))
    store.insert("event", fresh, insert_deduplication_token=f"{run.id}:{digest}:{rows}")
    here = {"first": first, "last": first + rows - 1, "run": run.id, "block": digest}
    inserted = store.value(q.arrived, pa.int64(), **here)
    whole = inserted == block.num_rows
    return Appended(inserted=inserted, duplicates=block.num_rows - inserted, first=first if whole else None)


def appended(store: ClickHouse, run: Run, digest: str) -> Appended | None:
    rows = store.value(q.whole_block, pa.int64(), run=run.id, block=digest)
    return Appended(inserted=rows, duplicates=0) if rows else None


def known(store: ClickHouse, ids: pa.Array) -> pa.Array:
    with store.asked(ids) as token:
        return store.fetch(q.known, _IDS, token=token)["id"].combine_chunks()


def neighbours(store: ClickHouse, seen: Snapshot, ids: pa.Array, parents: pa.Array, identities: pa.Array) -> pa.Table:
    with store.asked(ids) as new, store.asked(parents) as above, store.asked(identities) as whose:
        schema = pa.schema([*THIN, ("thread", pa.string())])
        return store.fetch(q.neighbours, schema, **seen.named, ids=new, parents=above, identities=whose)


def thin(store: ClickHouse, run: Run | None, identities: Sequence[IdentityId] | None) -> Iterator[pa.RecordBatch]:
    """A range of positions at a time: the embedded engine hands every answer over whole."""
    whose, asked = run.id if run else 0, list(identities or ())
    for first, last in [_EVERYWHERE] if identities else _ranges(store, whose):
        yield from store.fetch(q.thin, THIN, first=first, last=last, run=whose, identities=asked).to_batches()


def _ranges(store: ClickHouse, run: int) -> list[tuple[int, int]]:
    parts = store.fetch(q.parts, pa.schema([("part", pa.int64())]), size=ROWS_AT_ONCE, run=run)["part"].to_pylist()
    return [(part * ROWS_AT_ONCE, (part + 1) * ROWS_AT_ONCE - 1) for part in parts]


def keys(store: ClickHouse, subjects: pa.Array) -> pa.Table:
    with store.asked(subjects) as token:
        return store.fetch(q.keys, WRAPPED, token=token)


def add_keys(store: ClickHouse, new: pa.Table) -> None:
    there = keys(store, new["subject"].combine_chunks())["subject"]
    store.insert("subject_key", new.filter(pc.invert(pc.is_in(new["subject"], value_set=there))))
