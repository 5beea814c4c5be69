"""What any process on this store worked out: a table that a crash of the server may empty, and that costs no write-ahead log."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from harken.kit import sql
from harken.kit.clock import Clock
from harken.kit.db import Database, rows

q = sql.queries(__package__)


class PostgresCache:
    """Raises TryAgainError where the database does not answer."""

    layer = "store"

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def get_many(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        if not keys:
            return {}
        with self._database.statement() as tx:
            found = rows(tx, q.get_many, keys=list(keys), now=self._clock())
        return {row["key"]: row["value"] for row in found}

    def put(self, values: Mapping[bytes, bytes], *, ttl_s: float) -> None:
        # In one order whoever writes, so that two that write the same keys do not wait for each other.
        keys = sorted(values)
        if not keys:
            return
        expires_at = self._clock() + timedelta(seconds=ttl_s)
        with self._database.statement() as tx:
            tx.execute(q.put, {"keys": keys, "values": [values[key] for key in keys], "expires_at": expires_at})

    def sweep(self) -> int:
        """Deletes what has expired; how much it was. To be called now and then: nothing else does."""
        with self._database.statement() as tx:
            return tx.execute(q.sweep, {"now": self._clock()}).rowcount
