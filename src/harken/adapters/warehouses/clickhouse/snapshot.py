"""The last settling -> what a reader sees of conversations and profiles, however long it reads."""

from dataclasses import dataclass

import pyarrow as pa

from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.kit import sql

q = sql.queries(__package__)

_SNAPSHOT = pa.schema([("generation", pa.int64()), ("version", pa.int64())])


@dataclass(frozen=True, slots=True)
class Snapshot:
    generation: int
    version: int

    @property
    def named(self) -> dict[str, int]:
        """As the queries call them."""
        return {"generation": self.generation, "version": self.version}


def latest(store: ClickHouse) -> Snapshot:
    found = store.fetch(q.snapshot, _SNAPSHOT).to_pylist()
    return Snapshot(**found[0]) if found else Snapshot(generation=1, version=0)
