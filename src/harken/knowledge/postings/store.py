"""Posting lists in the database: written a segment at a time, and joined when there are many."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt

from harken.kit import db, sql
from harken.knowledge.postings.entries import invert, joined

q = sql.queries(__package__)

MOST_SEGMENTS = 8
"""A search reads a row a term, a scope and a segment."""

TERMS_AT_ONCE = 20_000


def add(tx: db.Tx, scope: int, passages: Sequence[tuple[int, Sequence[str]]]) -> None:
    """A segment of its own for these passages of one scope: (number, terms), in order of number."""
    _write(tx, scope, len(passages), invert(passages).items())


def join(tx: db.Tx) -> int:
    """Scopes in too many segments, or full of what is gone, are written anew. Returns how many were."""
    crowded = db.rows(tx, q.crowded, segments=MOST_SEGMENTS)
    for row in crowded:
        segments = db.rows(tx, q.segments, scope=row["scope"])
        rotten = row["dead"] > row["passages"] // 4
        # One that holds most of the scope stays as it is, or each small addition would write all of it again.
        large = not rotten and segments[0]["passages"] * 2 > row["passages"]
        _join(tx, row["scope"], [each["segment"] for each in segments[1 if large else 0 :]], clean=not large)
    return len(crowded)


def _join(tx: db.Tx, scope: int, segments: list[int], *, clean: bool) -> None:
    numbers = [row["no"] for row in db.rows(tx, q.alive, scope=scope)]
    size = db.row(tx, q.highest)
    assert size is not None
    alive = np.zeros(size["no"] + 1, np.bool_)
    alive[numbers] = True
    old = tx.execute(q.postings_of, {"scope": scope, "segments": segments}, binary=True).fetchall()
    kept = list(joined(((row["term"], row["entries"]) for row in old), alive))
    tx.execute(q.drop_postings, {"scope": scope, "segments": segments})
    tx.execute(q.drop_segments, {"scope": scope, "segments": segments})
    present = np.zeros_like(alive)
    for _, entries in kept:
        present[entries["passage"]] = True
    _write(tx, scope, int(present.sum()), kept)
    if clean:
        tx.execute(q.none_dead, {"scope": scope})


def _write(tx: db.Tx, scope: int, passages: int, lists: Iterable[tuple[str, npt.NDArray[np.void]]]) -> None:
    opened = db.row(tx, q.open_segment, scope=scope, passages=passages)
    assert opened is not None
    for some in _pieces(lists, TERMS_AT_ONCE):
        tx.execute(
            q.add_postings,
            {
                "scope": scope,
                "segment": opened["segment"],
                "terms": [term for term, _ in some],
                "passages": [len(entries) for _, entries in some],
                "entries": [entries.tobytes() for _, entries in some],
            },
        )


def _pieces(
    lists: Iterable[tuple[str, npt.NDArray[np.void]]], size: int
) -> Iterator[list[tuple[str, npt.NDArray[np.void]]]]:
    left = iter(lists)
    while some := list(islice(left, size)):
        yield some
