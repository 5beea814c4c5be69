"""The migrations of ClickHouse -> its tables, each file applied once and in order, by the rules of `kit.migrate`."""

import re
from importlib.resources.abc import Traversable

import pyarrow as pa

from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.errors import UnsuitableError
from harken.kit import migrate, sql
from harken.kit.clock import Clock

q = sql.queries(__package__)

_END_OF_STATEMENT = re.compile(r";\s*$", re.MULTILINE)
_HISTORY = pa.schema([("name", pa.string()), ("checksum", pa.string())])


def shipped() -> Traversable:
    return migrate.shipped() / "clickhouse"


def apply(store: ClickHouse, clock: Clock) -> None:
    """Apply what is pending. Raises UnsuitableError where the database is another application's or version's.

    No statement is in a transaction; each may be run again, so a migration that was killed is begun again.
    """
    if not _has_history(store):
        store.execute(q.make_history)
    for migration in migrate.remaining(migrate.read(shipped()), applied(store)):
        for statement in _END_OF_STATEMENT.split(migration.text.decode()):
            if statement.strip():
                store.execute(statement)
        row = {"name": migration.name, "checksum": migration.checksum, "at": clock()}
        store.insert("schema_migration", pa.Table.from_pylist([row]))


def applied(store: ClickHouse) -> dict[str, str]:
    found = store.fetch(q.history, _HISTORY)
    return dict(zip(found["name"].to_pylist(), found["checksum"].to_pylist(), strict=True))


def server_version(store: ClickHouse) -> str:
    return str(store.value(q.server_version, pa.string()))


def _has_history(store: ClickHouse) -> bool:
    """Tables, and no history of ours among them, are somebody else's."""
    tables = store.fetch(q.tables, pa.schema([("name", pa.string())]))["name"].to_pylist()
    if tables and "schema_migration" not in tables:
        raise UnsuitableError(f"This database has tables that are not Harken's. {migrate.SHARED}")
    return bool(tables)
