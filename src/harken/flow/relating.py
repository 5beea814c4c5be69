"""Checked events -> the thread each belongs to and the subject whose key will seal it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harken.conversations import threads
from harken.domain.event import Channel
from harken.flow.load import Load

_LINKS = ("id", "kind", "identity", "channel", "at", "in_reply_to")
_MESSAGES = [kind.value for kind in threads.LINKED_KINDS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    threads: Path  #: id thread, of the new turns and of the stored turns near them
    subjects: Path  #: id subject, of the new events
    neighbours: Path | None  #: stored turns (thin, with their old `thread`) whose trees may have grown
    cycles: int


def relate(load: Load, events: Path) -> Related:
    """Resolve reply links among the new events and the stored trees that they touch."""
    near = None if load.first else _neighbours(load, events)
    links = _links(load, events, near)
    linked = load.materialise("linked", threads.link_by_time(links.with_columns(parent=nw.col("in_reply_to"))))
    edges = linked.select("id", "parent")
    rooted = load.engine.write(threads.roots(edges, load.materialise), load.spool.path("threads"))
    answered = load.materialise("answered", threads.answered(linked, load.materialise))
    subjects = _subjects(load.engine.scan(events), load.engine.scan(rooted), answered)
    return Related(
        threads=rooted,
        subjects=load.engine.write(subjects, load.spool.path("subjects")),
        neighbours=near,
        cycles=threads.count_cycles(edges, load.engine.scan(rooted)),
    )


def _neighbours(load: Load, events: Path) -> Path | None:
    new = pq.read_table(events, columns=["id", "in_reply_to", "identity", "channel"])
    # A turn with a link of its own too: the customer's next one on the channel may have gone on from an earlier one.
    timed = new.filter(pc.not_equal(new["channel"], Channel.TWITTER.value))
    found = load.warehouse.neighbours(
        new["id"].combine_chunks(),
        pc.unique(new["in_reply_to"].drop_null()),
        pc.unique(timed["identity"].drop_null()),
    )
    if not found.num_rows:
        return None
    path = load.spool.path("neighbours")
    pq.write_table(found, path)
    return path


def _links(load: Load, events: Path, near: Path | None) -> nw.LazyFrame[Any]:
    new = load.engine.scan(events).filter(nw.col("kind").is_in(_MESSAGES)).select(*_LINKS)
    if near is None:
        return new
    stored = load.engine.scan(near).select(*_LINKS)
    # What the store has counts as it is stored; the file's copy of it is a duplicate.
    unknown = new.join(stored.select("id"), on="id", how="anti")
    return load.materialise("links", nw.concat([stored, unknown]))


def _subjects(events: nw.LazyFrame[Any], rooted: nw.LazyFrame[Any], answered: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The author for inbound, the answered customer for outbound, the thread while nobody is known."""
    whom = events.select("id", "identity").join(answered.select("id", answers="identity"), on="id", how="left")
    placed = whom.join(rooted.select("id", "thread"), on="id", how="left")
    thread = nw.concat_str(nw.lit("thread:"), nw.coalesce("thread", "id"))
    return placed.select("id", subject=nw.coalesce(nw.col("identity"), nw.col("answers"), thread))


def subjects_of(load: Load, related: Related) -> pa.Array:
    """Every subject once, in order."""
    frame = load.engine.scan(related.subjects).select("subject").unique(keep="any")
    return load.engine.collect(frame)["subject"].combine_chunks().cast(pa.string()).sort()
