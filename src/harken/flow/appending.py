"""Related events -> read, sealed with their subject's key, in the log. A block is one transaction of a worker."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from harken.domain.run import Appended, Run
from harken.flow import pool, relating, thin
from harken.flow.desk import Desk
from harken.flow.load import Load
from harken.flow.loading import Checked
from harken.flow.ports import Warehouse
from harken.flow.reading import Kept, Subject, kept
from harken.flow.relating import Related
from harken.flow.tables import LOG
from harken.intake import normalise
from harken.kit.spool import Slice, rows_in, slices
from harken.privacy import keys
from harken.privacy.ring import KeyRing

KEYS_AT_ONCE = 100_000
_BESIDE_THE_TEXT = [
    "id",
    "kind",
    "identity",
    "author",
    "channel",
    "at",
    "in_reply_to",
    "addressed_to",
    "subject",
    "attributes",
    "source",
]


@dataclass(frozen=True, slots=True)
class Block:
    run: Run
    rows: Slice
    ask_first: bool  #: the log was not empty: ask which rows it has before reading and sealing them
    with_mood: bool  #: language and sentiment too, not only what the words signal
    thin: Path  #: the folder for what the settling needs of the block


@dataclass(frozen=True, slots=True)
class Wanted:
    """A block, and what the log has of it already."""

    block: Block
    digest: str
    known: pa.Array | None  #: ids; None: nobody asked
    done: Appended | None  #: where nothing is left to do


@dataclass(frozen=True, slots=True)
class InTheLog:
    inserted: int
    duplicates: int
    thin: Path | None  #: the events without their texts, where every block went in whole


def append(load: Load, checked: Checked, related: Related, desk: Desk, *, with_mood: bool) -> InTheLog:
    """Every event is in the log afterwards, once."""
    load.step("keys")
    held = _keys(load, related, desk.bench.master)
    sealing = _sealing(load, checked, related, held)
    load.step("sealing and appending", rows_in(sealing))
    beside = load.spool.folder / "thin"
    beside.mkdir()
    blocks = [Block(load.run, rows, not load.first, with_mood, beside) for rows in slices(sealing, desk.block_rows)]
    inserted = duplicates = 0
    whole = bool(blocks)
    for rows, done in _appended(load, blocks):
        inserted += done.inserted
        duplicates += done.duplicates
        whole = whole and done.first is not None
        load.progress.advance(rows)
    return InTheLog(inserted, duplicates, beside if whole else None)


def _keys(load: Load, related: Related, master: keys.MasterKey) -> Path:
    """Every subject's wrapped key: those that exist, and new ones, committed before anything is sealed with them."""
    subjects = relating.subjects_of(load, related)
    known = load.warehouse.keys(subjects) if len(subjects) else None
    tables = [known] if known is not None else []
    unknown = subjects if known is None else subjects.filter(pc.invert(pc.is_in(subjects, value_set=known["subject"])))
    for at in range(0, len(unknown), KEYS_AT_ONCE):
        names = unknown.slice(at, KEYS_AT_ONCE)
        wrapped = keys.wrap_many(master, names.to_pylist())
        new = pa.table({"subject": names, "wrapped": pa.array([blob for _, blob in wrapped], pa.binary())})
        load.warehouse.add_keys(new)
        tables.append(new)
    return load.spool.write("keys", [table.select(keys.WRAPPED.names) for table in tables], keys.WRAPPED)


def _sealing(load: Load, checked: Checked, related: Related, held: Path) -> Path:
    """Events beside their text and their subject's key, a subject's messages together, in an order that a second
    attempt repeats."""
    scan = load.engine.scan
    whose = scan(related.subjects).join(scan(held), on="subject", how="left")
    joined = scan(checked.events).join(whose.select("id", "subject", "wrapped"), on="id", how="inner")
    worded = normalise.texts(scan(checked.raw)).join(joined, on="line", how="inner")
    return load.engine.write(worded.sort("subject", "id"), load.spool.path("sealing"))


def _appended(load: Load, blocks: list[Block]) -> Iterator[tuple[int, Appended]]:
    """How many rows were looked at, and what came of them."""
    if not load.warehouse.one_process:
        yield from load.crew.each(append_block, blocks)
        return
    wanted = (_wanted(block, load.warehouse) for block in blocks)
    for piece, rows in load.crew.each(seal_block, wanted):
        yield piece.block.rows.rows, _entered(piece, rows, load.warehouse)


def append_block(block: Block) -> tuple[int, Appended]:
    """Runs in a worker, and twice where an executor was lost before it could report."""
    at = pool.seat()
    wanted = _wanted(block, at.warehouse)
    return block.rows.rows, _entered(wanted, _sealed(wanted), at.warehouse)


def seal_block(wanted: Wanted) -> tuple[Wanted, pa.Table | None]:
    """Runs in a worker, where only its parent may open the store."""
    return wanted, _sealed(wanted)


def _wanted(block: Block, warehouse: Warehouse) -> Wanted:
    ids = block.rows.read(["id"])["id"].combine_chunks()
    digest = hashlib.sha256("\n".join(ids.to_pylist()).encode()).hexdigest()
    if digest in block.run.done:
        return Wanted(block, digest, None, block.run.done[digest])
    known = warehouse.known(ids) if block.ask_first else None
    # Asked after it: so no attempt of this very block is taken for somebody else's rows.
    there = 0 if known is None else len(known)
    if there and (before := warehouse.appended(block.run, digest)):
        done = Appended(inserted=before.inserted, duplicates=len(ids) - before.inserted)
        return Wanted(block, digest, known, done)
    return Wanted(block, digest, known, Appended(inserted=0, duplicates=there) if there == len(ids) else None)


def _sealed(wanted: Wanted) -> pa.Table | None:
    """What is to be added, as the log keeps it."""
    if wanted.done:
        return None
    table = wanted.block.rows.read()
    if wanted.known is not None:
        table = table.filter(pc.invert(pc.is_in(table["id"], value_set=wanted.known)))
    return _rows(table, KeyRing(pool.seat().bench.master), with_mood=wanted.block.with_mood)


def _entered(wanted: Wanted, rows: pa.Table | None, warehouse: Warehouse) -> Appended:
    if wanted.done:
        return wanted.done
    assert rows is not None, "sealed, where it is not done"
    block, known = wanted.block, len(wanted.known or ())
    done = warehouse.append(block.run, wanted.digest, rows, block.rows.offset)
    if done.first is not None and not known:
        thin.keep(block.thin, wanted.digest, rows, done.first)
        return done
    return Appended(inserted=done.inserted, duplicates=done.duplicates + known)


def _rows(table: pa.Table, ring: KeyRing, *, with_mood: bool) -> pa.Table:
    """The block as the log keeps it."""
    given = zip(*(table[name].to_pylist() for name in ("id", "kind", "text", "subject", "wrapped")), strict=True)
    made = [
        kept(id_, kind, text, Subject(subject, wrapped), ring, with_mood=with_mood)
        for id_, kind, text, subject, wrapped in given
    ]
    columns = {name: table[name] for name in _BESIDE_THE_TEXT}
    columns["at"] = table["at"].cast(pa.timestamp("us", "UTC"))
    for name, values in zip(Kept._fields, zip(*made, strict=True), strict=True):
        columns[name] = pa.array(values, LOG.field(name).type)
    return pa.table({name: columns[name] for name in LOG.names}).cast(LOG)
