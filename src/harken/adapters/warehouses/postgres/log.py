"""Blocks of events -> the log, exactly once; and the log -> events without their text."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from harken.adapters.warehouses.postgres import arrow
from harken.adapters.warehouses.postgres.arrow import ArrowConnection, DuplicateError
from harken.domain.ids import IdentityId
from harken.domain.run import Appended, Run
from harken.kit import sql

q = sql.queries(__package__)


def append(url: str, run: Run, digest: str, block: pa.Table) -> Appended:
    """Add a block in one transaction with its mark.

    The straight way is one COPY; where a row is there already the database refuses the whole block, and it goes in
    through a staging table that passes over the rows that are known.
    """
    block = block.append_column("run_id", pa.repeat(pa.scalar(run.id, pa.int64()), block.num_rows))
    try:
        with arrow.connect(url) as connection:
            first = _reserved(connection, block.num_rows)
            positions = pa.array(range(first, first + block.num_rows), pa.int64())
            connection.put("event", block.append_column("position", positions))
            return _marked(connection, run, digest, Appended(inserted=block.num_rows, duplicates=0, first=first))
    except DuplicateError:
        with arrow.connect(url) as connection:
            # Before it writes anything, so that its number and its positions grow together.
            first = _reserved(connection, block.num_rows)
            connection.lay_out("incoming", block)
            inserted: int = connection.fetch(q.append_new, first)["inserted"][0].as_py()
            return _marked(connection, run, digest, Appended(inserted=inserted, duplicates=block.num_rows - inserted))


def _reserved(connection: ArrowConnection, rows: int) -> int:
    """The first of as many positions that nobody else has."""
    first: int = connection.fetch(q.reserve_positions, rows)["first"][0].as_py()
    return first


def _marked(connection: ArrowConnection, run: Run, digest: str, done: Appended) -> Appended:
    """Where another attempt was first, its mark says what the block brought in."""
    connection.execute(q.mark_block, run.id, digest, done.inserted, done.duplicates)
    kept = _mark(connection, run, digest)
    assert kept, "marked just now"
    return replace(kept, first=done.first)


def appended(url: str, run: Run, digest: str) -> Appended | None:
    with arrow.connect(url) as connection:
        return _mark(connection, run, digest)


def _mark(connection: ArrowConnection, run: Run, digest: str) -> Appended | None:
    found = connection.fetch(q.marked, run.id, digest).to_pylist()
    return Appended(**found[0]) if found else None


def known(url: str, ids: pa.Array) -> pa.Array:
    with arrow.connect(url) as connection:
        connection.lay_out("wanted", pa.table({"id": ids}))
        return connection.fetch(q.known)["id"].combine_chunks()


def neighbours(url: str, ids: pa.Array, parents: pa.Array, identities: pa.Array) -> pa.Table:
    with arrow.connect(url) as connection:
        connection.lay_out("wanted", pa.table({"id": ids}))
        connection.lay_out("wanted_parent", pa.table({"id": parents}))
        connection.lay_out("wanted_identity", pa.table({"identity": identities}))
        return connection.fetch(q.neighbours)


def thin(url: str, run: Run | None, identities: Sequence[IdentityId] | None) -> Iterator[pa.RecordBatch]:
    with arrow.connect(url) as connection:
        yield from connection.stream(q.thin, run.id if run else 0, "\n".join(identities or ()))


def keys(url: str, subjects: pa.Array) -> pa.Table:
    with arrow.connect(url) as connection:
        connection.lay_out("wanted", pa.table({"subject": subjects}))
        return connection.fetch(q.keys)


def add_keys(url: str, new: pa.Table) -> None:
    try:
        with arrow.connect(url) as connection:
            connection.put("subject_key", new)
    except DuplicateError:
        with arrow.connect(url) as connection:
            connection.lay_out("new_key", new)
            connection.execute(q.add_keys)
