"""ClickHouse as the batch's warehouse: a server by HTTP, or the engine inside this process. Arrow in, Arrow out."""

from collections.abc import Iterator
from contextlib import contextmanager

from harken.adapters.warehouses.clickhouse import address, migrating
from harken.adapters.warehouses.clickhouse.address import Folder, is_clickhouse, url_of
from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.kit.clock import Clock

__all__ = ["described", "is_clickhouse", "opened", "url_of"]


@contextmanager
def opened(url: str, clock: Clock) -> Iterator[ClickHouse]:
    """A migrated store, open until the block ends: an embedded engine takes a second to start."""
    store = ClickHouse(url)
    try:
        migrating.apply(store, clock)
        yield store
    finally:
        store.close()


def described(url: str) -> str:
    """A migrated store in words, without what its URL keeps secret."""
    store, meant = ClickHouse(url), address.read(url)
    where = f"embedded ClickHouse in {meant.path}" if isinstance(meant, Folder) else f"your ClickHouse at {meant.host}"
    try:
        version, applied = migrating.server_version(store), migrating.applied(store)
    finally:
        store.close()
    return f"{where}, {version}, migrations applied: {len(applied)}"
