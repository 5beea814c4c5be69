"""Who does a job now, and when it was last done."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from harken.kit import db, sql

q = sql.queries(__package__)


@contextmanager
def taken(connection: db.Tx) -> Iterator[bool]:
    """Whether nobody else is at it. The connection must do nothing else meanwhile."""
    found = db.row(connection, q.take)
    if not (found and found["taken"]):
        yield False
        return
    try:
        yield True
    finally:
        connection.execute(q.let_go)


def last_at(tx: db.Tx, name: str) -> datetime | None:
    found = db.row(tx, q.last_at, name=name)
    return found["last_at"] if found else None


def was_done(tx: db.Tx, name: str, at: datetime) -> None:
    tx.execute(q.was_done, {"name": name, "at": at})
