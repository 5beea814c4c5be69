"""ClickHouse as the batch's warehouse: a server by HTTP, or the engine inside this process. Arrow in, Arrow out."""

from collections.abc import Iterator
from contextlib import contextmanager

from harken.adapters.warehouses.clickhouse import migrating
from harken.adapters.warehouses.clickhouse.address import is_clickhouse, is_embedded
from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.kit.clock import Clock

__all__ = ["is_clickhouse", "is_embedded", "opened"]


@contextmanager
def opened(url: str, clock: Clock) -> Iterator[ClickHouse]:
    """A migrated store, open until the block ends: an embedded engine takes a second to start."""
    store = ClickHouse(url)
    try:
        migrating.apply(store, clock)
        yield store
    finally:
        store.close()
