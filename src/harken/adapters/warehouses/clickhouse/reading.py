"""The store -> what a decision reads, in bounded pieces."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter

import pyarrow as pa

from harken.adapters.warehouses import pieces
from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.adapters.warehouses.clickhouse.snapshot import Snapshot
from harken.adapters.warehouses.clickhouse.tables import BODY, COUNT, TEXT, TIME
from harken.adapters.warehouses.pieces import Row
from harken.domain.ids import CustomerId, IdentityId
from harken.domain.run import Newest, Totals
from harken.kit import sql

q = sql.queries(__package__)

EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
EVERYBODY = 2**60
POSITIONS_AT_ONCE = 8_000
PACKED_AT_ONCE = 50_000
_CONVERSATION = pa.schema(
    [("no", COUNT), ("id", TEXT), ("thread", TEXT), ("identity", TEXT), ("brand", TEXT), ("channel", TEXT),
     ("facts", TEXT), ("positions", pa.list_(COUNT))]
)  # fmt: skip
_DOSSIER = _CONVERSATION.append(pa.field("state", TEXT))
_CUTS = pa.schema([("key", TEXT), ("beyond", pa.bool_())])
_PACKED = pa.schema([("key", TEXT), ("packed", pa.binary())])
_NEWEST = pa.schema([("watermark", TIME), ("position", COUNT)])
_TOTALS = pa.schema(
    [(name, COUNT) for name in ("events", "threads", "largest", "conversations", "customers")] + list(_NEWEST)
)


def totals(store: ClickHouse, seen: Snapshot) -> Totals:
    [found] = store.fetch(q.totals, _TOTALS, **seen.named).to_pylist()
    return Totals(largest_thread=found.pop("largest"), **found)


def newest(store: ClickHouse) -> Newest:
    [found] = store.fetch(q.newest, _NEWEST).to_pylist()
    return Newest(at=found["watermark"], position=found["position"])


def identities_of(store: ClickHouse, seen: Snapshot, customer: CustomerId) -> list[IdentityId]:
    """`115712` -> the identities of that name at every source; a full identity names itself."""
    found = store.fetch(q.identities_of, pa.schema([("identity", TEXT)]), **seen.named, customer=customer)
    return [IdentityId(identity) for identity in found["identity"].to_pylist()]


def last_events(batches: Iterable[pa.RecordBatch], limit: int) -> list[Row]:
    """Of all that a few identities did, the newest."""
    found = [row for batch in batches for row in batch.to_pylist()]
    newest = sorted(found, key=itemgetter("at", "id"), reverse=True)[:limit]
    names = ("position", "id", "kind", "identity", "channel")
    return [{name: row[name] for name in names} | {"at": EPOCH + row["at"] * MICROSECOND} for row in newest]


def shared_names(store: ClickHouse, seen: Snapshot) -> list[str]:
    found: list[str] = store.fetch(q.shared_names, pa.schema([("name", TEXT)]), **seen.named)["name"].to_pylist()
    return found


def spans(store: ClickHouse, seen: Snapshot, size: int, most: int | None) -> list[tuple[str, str | None]]:
    cuts = store.fetch(q.spans, _CUTS, **seen.named, size=size, most=EVERYBODY if most is None else most)
    return pieces.ranges(cuts["key"].to_pylist(), ends=any(cuts["beyond"].to_pylist()))


def dossiers(store: ClickHouse, seen: Snapshot, span: tuple[str, str | None], batch: int) -> Iterator[list[Row]]:
    """Rows in order of identity, about `batch` at a time, an identity never parted."""
    found = store.fetch(q.dossiers, _DOSSIER, **seen.named, start=span[0], stop=span[1])
    yield from pieces.whole(piece.to_pylist() for piece in found.to_batches(max_chunksize=batch) if piece.num_rows)


def conversations_of(store: ClickHouse, seen: Snapshot, identities: Sequence[IdentityId]) -> list[Row]:
    found = store.fetch(q.conversations_of, _CONVERSATION, **seen.named, identities=list(identities))
    rows: list[Row] = found.to_pylist()
    return rows


def states(store: ClickHouse, seen: Snapshot, identities: Sequence[IdentityId]) -> dict[str, bytes]:
    return dict(_pairs(store.fetch(q.states, _PACKED, **seen.named, identities=list(identities))))


def all_states(store: ClickHouse, seen: Snapshot) -> Iterator[tuple[str, bytes]]:
    cuts = store.fetch(q.spans, _CUTS, **seen.named, size=PACKED_AT_ONCE, most=EVERYBODY)
    for start, stop in pieces.ranges(cuts["key"].to_pylist()):
        yield from _pairs(store.fetch(q.all_states, _PACKED, **seen.named, start=start, stop=stop))


def all_facts(store: ClickHouse, seen: Snapshot) -> Iterator[tuple[str, bytes]]:
    cuts = store.fetch(q.spans_of_ids, _CUTS, **seen.named, size=PACKED_AT_ONCE)
    for start, stop in pieces.ranges(cuts["key"].to_pylist()):
        yield from _pairs(store.fetch(q.all_facts, _PACKED, **seen.named, start=start, stop=stop))


def _pairs(table: pa.Table) -> Iterator[tuple[str, bytes]]:
    return zip(table["key"].to_pylist(), table["packed"].to_pylist(), strict=True)


def bodies(store: ClickHouse, positions: Sequence[int]) -> list[Row]:
    found: list[Row] = []
    for at in range(0, len(positions), POSITIONS_AT_ONCE):
        asked = list(positions[at : at + POSITIONS_AT_ONCE])
        found += store.fetch(q.bodies, BODY, positions=asked).to_pylist()
    return found
