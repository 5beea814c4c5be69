"""Events that were refused: kept sealed with their reason, to be tried again after something was mended."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from harken.kit import db, sql

q = sql.queries(__package__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    source: str
    reason: str
    digest: bytes  #: of what was sent, by the key that sealed it
    sealed: bytes
    received_at: datetime


def set_aside(tx: db.Tx, refused: Sequence[Refused]) -> None:
    tx.execute(q.set_aside, {field.name: [getattr(each, field.name) for each in refused] for field in fields(Refused)})


def waiting(tx: db.Tx, after: int, limit: int) -> list[db.Row]:
    """id source reason digest sealed received_at, after an id."""
    return db.rows(tx, q.waiting, after=after, limit=limit)


def release(tx: db.Tx, ids: Sequence[int], at: datetime) -> None:
    tx.execute(q.release, {"ids": list(ids), "at": at})
