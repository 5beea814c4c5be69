"""One server's share of the requests that are counted, in a process of its own."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing.queues import Queue

from harken.kit import db
from harken.web.auth import store
from harken.web.auth.store import Bucket

NOW = datetime(2025, 3, 14, 12, tzinfo=UTC)
BUCKET = Bucket(key=b"ada", most=100, per_second=100 / 60)


def ask(url: str, times: int, told: "Queue[int]") -> None:
    """On four connections at once."""
    database = db.Database(url, size=4)

    def once(_: int) -> bool:
        with database.statement() as tx:
            return store.take(tx, BUCKET, b"", NOW).left is not None

    with ThreadPoolExecutor(4) as hands:
        told.put(sum(hands.map(once, range(times))))
    database.close()
