"""The batch's store on ClickHouse: see `flow.ports.Warehouse` for what each method promises."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import pyarrow as pa

from harken.adapters.warehouses.clickhouse import log, reading, runs, snapshot
from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.adapters.warehouses.clickhouse.settling import ClickHouseSettling, MergeStates
from harken.adapters.warehouses.clickhouse.snapshot import Snapshot
from harken.adapters.warehouses.clickhouse.turn import Turn
from harken.adapters.warehouses.pieces import Row
from harken.domain.ids import CustomerId, IdentityId
from harken.domain.run import Appended, Backlog, Newest, Run, RunRequest, Totals
from harken.kit import sql
from harken.profiles.identity import Spoken

q = sql.queries(__package__)

_QUARANTINED = pa.schema(
    [("id", pa.int64()), ("line", pa.int64()), ("reason", pa.string()), ("format", pa.string()),
     ("fingerprint", pa.string()), ("sealed", pa.binary())]
)  # fmt: skip


class ClickHouseWarehouse:
    """One instance a process; safe for threads. `merge` joins two packed profile states."""

    def __init__(self, url: str, merge: MergeStates) -> None:
        self._store = ClickHouse(url)
        self._merge = merge
        self._turn: Turn | None = None

    @property
    def one_process(self) -> bool:
        return self._store.embedded

    def close(self) -> None:
        self._store.close()

    @contextmanager
    def one_batch_at_a_time(self) -> Iterator[None]:
        with Turn(self._store).held() as turn:
            self._turn = turn
            try:
                yield
            finally:
                self._turn = None

    def begin(self, request: RunRequest) -> Run:
        return runs.begin(self._store, request)

    def unsettled(self, but: Run) -> list[Run]:
        return runs.unsettled(self._store, but.id)

    def finish(self, run: Run, counts: dict[str, object], watermark: datetime | None, at: datetime) -> None:
        runs.finish(self._store, run, counts, watermark, at)

    def fail(self, run: Run, error: str, at: datetime) -> None:
        runs.fail(self._store, run, error, at)

    def quarantine(self, run: Run, fingerprint: str, format: str, rows: pa.Table) -> int:
        return runs.quarantine(self._store, run, fingerprint, format, rows)

    def quarantined(self, after: int, limit: int) -> list[Row]:
        rows: list[Row] = self._store.fetch(q.quarantined, _QUARANTINED, after=after, limit=limit).to_pylist()
        return rows

    def release(self, ids: Sequence[int], at: datetime) -> None:
        with self._store.asked(pa.array(list(map(str, ids)), pa.string())) as token:
            self._store.execute(q.release, token=token, at=at)

    def is_empty(self) -> bool:
        return not self._store.value(q.last_position, pa.int64())

    def definitions(self) -> str | None:
        found = self._store.fetch(q.definitions, pa.schema([("definitions", pa.string())])).to_pylist()
        return found[0]["definitions"] if found else None

    def keys(self, subjects: pa.Array) -> pa.Table:
        return log.keys(self._store, subjects)

    def add_keys(self, keys: pa.Table) -> None:
        log.add_keys(self._store, keys)

    def append(self, run: Run, digest: str, block: pa.Table, place: int) -> Appended:
        return log.append(self._store, run, digest, block, place)

    def appended(self, run: Run, digest: str) -> Appended | None:
        return log.appended(self._store, run, digest)

    def known(self, ids: pa.Array) -> pa.Array:
        return log.known(self._store, ids)

    def neighbours(self, ids: pa.Array, parents: pa.Array, identities: pa.Array) -> pa.Table:
        return log.neighbours(self._store, self._seen(), ids, parents, identities)

    def thin(self, run: Run | None = None, identities: Sequence[IdentityId] | None = None) -> Iterator[pa.RecordBatch]:
        return log.thin(self._store, run, identities)

    @property
    def joins(self) -> bool:
        """Files name one identity an event; nothing here joins them."""
        return False

    def say(self, links: Sequence[Spoken], at: datetime, *, anew: bool) -> None: ...

    @contextmanager
    def settling(self) -> Iterator[ClickHouseSettling]:
        settling = ClickHouseSettling(self._store, self._merge)
        yield settling
        assert self._turn is not None, "settles without its turn"
        self._turn.refuse_lost()
        settling.commit()

    def totals(self) -> Totals:
        return reading.totals(self._store, self._seen())

    def newest(self) -> Newest:
        return reading.newest(self._store)

    def people(self, customer: CustomerId) -> dict[str, list[IdentityId]]:
        """Files name one identity an event; nothing here joins them."""
        return {identity: [identity] for identity in reading.identities_of(self._store, self._seen(), customer)}

    def conflicts(self, identities: Sequence[IdentityId]) -> list[Row]:
        return []

    def last_events(self, identities: Sequence[IdentityId], limit: int) -> list[Row]:
        return reading.last_events(self.thin(identities=identities), limit)

    def backlog(self) -> Backlog:
        return Backlog()

    def versions(self, identities: Sequence[IdentityId]) -> dict[str, str]:
        seen = self._seen()
        return dict.fromkeys(identities, f"{seen.generation}.{seen.version}")

    def merged(self) -> list[tuple[str, list[IdentityId]]]:
        return []

    def shared_names(self) -> list[str]:
        return reading.shared_names(self._store, self._seen())

    def spans(self, size: int, most: int | None = None) -> list[tuple[str, str | None]]:
        return reading.spans(self._store, self._seen(), size, most)

    def dossiers(self, span: tuple[str, str | None], batch: int) -> Iterator[list[Row]]:
        return reading.dossiers(self._store, self._seen(), span, batch)

    def conversations_of(self, identities: Sequence[IdentityId]) -> list[Row]:
        return reading.conversations_of(self._store, self._seen(), identities)

    def states(self, identities: Sequence[IdentityId]) -> dict[str, bytes]:
        return reading.states(self._store, self._seen(), identities)

    def all_states(self, batch: int) -> Iterator[tuple[str, bytes]]:
        return reading.all_states(self._store, self._seen())

    def all_facts(self, batch: int) -> Iterator[tuple[str, bytes]]:
        return reading.all_facts(self._store, self._seen())

    def all_links(self, batch: int) -> Iterator[tuple[str, bytes]]:
        return iter(())

    def bodies(self, positions: Sequence[int]) -> list[Row]:
        return reading.bodies(self._store, positions)

    def record(self, decisions: pa.Table) -> None:
        self._store.insert("decision", decisions)

    def _seen(self) -> Snapshot:
        return snapshot.latest(self._store)
