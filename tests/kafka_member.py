"""A member of a group that keeps what it reads and how far in one SQLite file, to be killed at any moment.

python kafka_member.py URL FILE
"""

import sqlite3
import sys

from harken.adapters.kafka import Batch, Source, Watcher, read

QUICK = {"session.timeout.ms": 2_000, "heartbeat.interval.ms": 500}
TABLES = """
CREATE TABLE IF NOT EXISTS place (topic TEXT, part INTEGER, next INTEGER, PRIMARY KEY (topic, part));
CREATE TABLE IF NOT EXISTS taken (value TEXT);
"""


class Ledger:
    """Rows and offsets, changed together or not at all."""

    def __init__(self, file: str) -> None:
        self._db = sqlite3.connect(file, isolation_level=None, timeout=30)
        self._db.executescript(TABLES)

    def offset_of(self, topic: str, partition: int) -> int | None:
        found = self._db.execute("SELECT next FROM place WHERE topic = ? AND part = ?", (topic, partition)).fetchone()
        return None if found is None else int(found[0])

    def take(self, batch: Batch) -> bool:
        """False, and nothing done, when the place is not the one that the batch follows."""
        self._db.execute("BEGIN IMMEDIATE")
        fits = self.offset_of(batch.topic, batch.partition) == batch.after
        if fits:
            place = (batch.topic, batch.partition, batch.next_offset)
            self._db.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?)", place)
            rows = [((record.value or b"").decode(),) for record in batch.records]
            self._db.executemany("INSERT INTO taken VALUES (?)", rows)
        self._db.execute("COMMIT" if fits else "ROLLBACK")
        return fits

    def values(self) -> list[str]:
        return [value for (value,) in self._db.execute("SELECT value FROM taken")]


def ignore(_: object) -> None: ...


def main() -> None:
    url, file = sys.argv[1:]
    ledger = Ledger(file)
    watcher = Watcher(offset_of=ledger.offset_of, assigned=ignore, revoked=ignore, report=ignore)
    with Source(read(url), watcher, batch_records=20, batch_ms=20, settings=QUICK) as source:
        for batch in source.batches():
            if not ledger.take(batch):
                source.again(batch.partition)


if __name__ == "__main__":
    main()
