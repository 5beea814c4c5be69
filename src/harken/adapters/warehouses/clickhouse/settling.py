"""New events -> conversations and profile states under a new version, which one row makes visible.

Whatever is killed before that row leaves rows that no reader sees and no later settling takes for its own.
"""

from collections.abc import Callable, Iterable

import pyarrow as pa
import pyarrow.compute as pc

from harken.adapters.warehouses.clickhouse import runs, snapshot
from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.domain.run import Run
from harken.kit import sql

q = sql.queries(__package__)

MergeStates = Callable[[bytes, bytes], bytes]
_STATES = pa.schema([("identity", pa.string()), ("state", pa.string())])
_GENERATIONS = pa.schema([("generation", pa.int64())])


class ClickHouseSettling:
    """See `flow.ports.Settling`."""

    def __init__(self, store: ClickHouse, merge: MergeStates) -> None:
        self._store = store
        self._merge = merge
        self._seen = snapshot.latest(store)
        self._generation = self._seen.generation
        self._sweep()
        self._version: int = store.value(q.used_versions, pa.int64()) + 1
        self._number: int = store.value(q.used_numbers, pa.int64())
        self._runs: list[int] = []
        self._projection = ("", "")

    def forget_threads(self, threads: pa.Array) -> None:
        with self._store.asked(_texts(threads)) as token:
            self._store.execute(q.forget_conversations, **self._seen.named, next=self._version, token=token)

    def conversations(self, table: pa.Table) -> None:
        numbers = pa.array(range(self._number + 1, self._number + table.num_rows + 1), pa.int64())
        self._number += table.num_rows
        nobody = table.set_column(
            table.schema.get_field_index("identity"), "identity", pc.fill_null(table["identity"], "")
        )
        self._written("conversation", nobody.append_column("no", numbers).append_column("kept", _repeated(1, table)))

    def forget_everything(self) -> None:
        self._generation = self._seen.generation + 1

    def profiles(self, states: Iterable[pa.Table], *, merge: bool) -> None:
        for table in states:
            self._written("profile", self._merged(table) if merge else table)

    def _merged(self, table: pa.Table) -> pa.Table:
        with self._store.asked(_texts(table["identity"])) as token:
            old = self._store.fetch(q.old_states, _STATES, **self._seen.named, token=token)
        known = dict(zip(old["identity"].to_pylist(), old["state"].to_pylist(), strict=True))
        new = zip(table["identity"].to_pylist(), table["state"].to_pylist(), strict=True)
        states = [
            self._merge(known[who].encode(), state.encode()).decode() if who in known else state for who, state in new
        ]
        return pa.table({"identity": table["identity"], "state": states}, schema=_STATES)

    def _written(self, name: str, table: pa.Table) -> None:
        for column, value in (("generation", self._generation), ("version", self._version)):
            table = table.append_column(column, _repeated(value, table))
        self._store.insert(name, table)

    def projected(self, name: str, definitions: str) -> None:
        self._projection = (name, definitions)

    def settled(self, run: Run) -> None:
        self._runs.append(run.id)

    def settled_everything(self) -> None:
        self._runs += [run.id for run in runs.unsettled(self._store, but=0)]

    def commit(self) -> None:
        """One row: everything, or nothing."""
        name, definitions = self._projection
        self._store.execute(
            q.settle, next=self._version, generation=self._generation, runs=self._runs, projection=name, definitions=definitions
        )  # fmt: skip

    def _sweep(self) -> None:
        """What the last rebuild replaced goes only now: readers that began before it have long been done."""
        named = {"generation": self._seen.generation}
        for found, drop in (
            (q.generations_of_conversations, q.drop_conversations),
            (q.generations_of_profiles, q.drop_profiles),
        ):
            for old in self._store.fetch(found, _GENERATIONS, **named)["generation"].to_pylist():
                self._store.execute(drop, old=old)


def _texts(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    return (values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values).cast(pa.string())


def _repeated(value: int, table: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.int64()), table.num_rows)
