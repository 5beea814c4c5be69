"""Vectors in the database: which model's serve, and which passages have none yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from harken.kit import db, sql
from harken.knowledge.ports import Vectors

q = sql.queries(__package__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The vectors of one model."""

    id: int
    model: str
    dimension: int
    serving: bool
    graph: bool  #: whether an HNSW graph spares looking at each


@dataclass(frozen=True, slots=True, kw_only=True)
class Unembedded:
    """A current passage without a vector."""

    number: int
    title: str
    heading: str
    text: str


def indexes(tx: db.Tx) -> tuple[Index | None, Index | None]:
    """The one that serves, and the one that is being built."""
    found = {
        row["state"]: Index(
            id=row["id"],
            model=row["model"],
            dimension=row["dimension"],
            serving=row["state"] == "serving",
            graph=row["graph"],
        )
        for row in db.rows(tx, q.indexes)
    }
    return found.get("serving"), found.get("building")


def open_index(tx: db.Tx, model: str, dimension: int, at: datetime) -> None:
    tx.execute(q.open_index, {"model": model, "dimension": dimension, "at": at})


def switch(tx: db.Tx, index: Index) -> None:
    """What served before is gone; whoever embeds questions for it learns so with the next search."""
    tx.execute(q.switch_index, {"id": index.id})


def drop(tx: db.Tx, index: Index) -> None:
    tx.execute(q.drop_index, {"id": index.id})


def draw_graph(tx: db.Tx, index: Index) -> None:
    tx.execute(q.draw_graph, {"id": index.id})


def count(tx: db.Tx, index: Index) -> int:
    found = db.row(tx, q.vectors, index=index.id)
    assert found is not None
    return int(found["vectors"])


def unembedded(tx: db.Tx, index: Index, after: int, limit: int) -> list[Unembedded]:
    found = db.rows(tx, q.without_vector, index=index.id, after=after, limit=limit)
    return [Unembedded(number=row["no"], title=row["title"], heading=row["heading"], text=row["text"]) for row in found]


def add(tx: db.Tx, index: Index, passages: Sequence[Unembedded], vectors: Vectors) -> int:
    """Those that are still current; returns how many. The caller holds the librarian's turn."""
    numbers = [each.number for each in passages]
    given = {"index": index.id, "passages": numbers, "embeddings": list(written(vectors))}
    return tx.execute(q.add_vectors, given).rowcount


def forget(tx: db.Tx, documents: Sequence[int]) -> None:
    """The passages of these versions are found by meaning no more."""
    tx.execute(q.forget_vectors, {"documents": documents})


def written(vectors: Vectors) -> Iterator[str]:
    """As the database reads them. Five digits are more than half a float has."""
    for vector in np.asarray(vectors, np.float32):
        yield "[" + ",".join([f"{value:.5g}" for value in vector.tolist()]) + "]"
