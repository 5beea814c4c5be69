"""The store -> what a decision reads, in bounded pieces."""

from collections.abc import Iterator, Sequence
from typing import LiteralString

from psycopg.rows import tuple_row

from harken.adapters.warehouses import pieces
from harken.domain.ids import CustomerId, IdentityId
from harken.kit import db, sql

q = sql.queries(__package__)

EVERYBODY = 2**60


def people(tx: db.Tx, customer: CustomerId) -> dict[str, list[IdentityId]]:
    found: dict[str, list[IdentityId]] = {}
    for row in db.rows(tx, q.people, customer=customer):
        found.setdefault(row["customer"], []).append(row["identity"])
    return found


def merged(tx: db.Tx) -> list[tuple[str, list[IdentityId]]]:
    return [(row["customer"], row["identities"]) for row in db.rows(tx, q.merged)]


def shared_names(tx: db.Tx) -> list[str]:
    sources = [row["namespace"] for row in db.rows(tx, q.namespaces)]
    return [row["name"] for row in db.rows(tx, q.shared_names, sources=sources)]


def spans(tx: db.Tx, size: int, most: int | None) -> list[tuple[str, str | None]]:
    cuts = db.rows(tx, q.spans, size=size, most=EVERYBODY if most is None else most)
    return pieces.ranges([row["identity"] for row in cuts], ends=bool(cuts and cuts[-1]["beyond"]))


def dossiers(tx: db.Tx, span: tuple[str, str | None], batch: int) -> Iterator[list[db.Row]]:
    """Rows in order of identity, about `batch` at a time, an identity never parted."""
    with tx.cursor(name="dossiers", binary=True) as cursor:
        cursor.itersize = batch
        cursor.execute(q.dossiers, {"start": span[0], "stop": span[1]})
        yield from pieces.whole(iter(lambda: cursor.fetchmany(batch), []))


def bodies(tx: db.Tx, positions: Sequence[int]) -> list[db.Row]:
    """Binary: sealed bodies are bytes, and would double as text."""
    return tx.execute(q.bodies, {"positions": list(positions)}, binary=True).fetchall()


def pairs(tx: db.Tx, query: LiteralString, batch: int) -> Iterator[tuple[str, bytes]]:
    """A whole table of (key, JSON), streamed."""
    with tx.cursor(name="pairs", binary=True, row_factory=tuple_row) as cursor:
        cursor.itersize = batch
        cursor.execute(query)
        for key, packed in cursor:
            yield key, packed.encode()
