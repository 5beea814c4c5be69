"""What a reader may see of the library: every statement runs under the reader's own settings, or finds nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import numpy as np
import numpy.typing as npt
from psycopg import sql as composed

from harken.kit import db, sql
from harken.knowledge.access import Reader
from harken.knowledge.found import Candidate
from harken.knowledge.postings.entries import unpacked
from harken.knowledge.rights import scope_of

q = sql.queries(__package__)

EF_SEARCH = 400
SCANNED_TUPLES = 100_000
"""Past this the graph gives up; a reader of so little is asked exactly long before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What there is for this reader."""

    version: int  #: of the whole library: it moves with every change
    index: int | None  #: the vectors that serve; None: there are none
    model: str
    dimension: int
    graph: bool
    passages: int  #: that the reader may see
    words: int
    languages: tuple[str, ...]  #: in which there is something
    scopes: tuple[int, ...]  #: that are not empty


def read_as(tx: db.Tx, reader: Reader) -> None:
    """Until the transaction ends, it sees what this reader may see."""
    tx.execute(
        q.read_as,
        {
            "visibility": str(int(reader.visibility)),
            "classes": ",".join(reader.classes),
            "risk": str(int(reader.risk)),
            "jurisdictions": ",".join(reader.jurisdictions),
        },
    )


def standing(tx: db.Tx) -> Standing:
    row = db.row(tx, q.standing)
    assert row is not None
    return Standing(
        version=row["version"],
        index=row["id"],
        model=row["model"] or "",
        dimension=row["dimension"] or 0,
        graph=bool(row["graph"]),
        passages=row["passages"],
        words=row["words"],
        languages=tuple(filter(None, row["languages"])),
        scopes=tuple(row["scopes"]),
    )


def nearest(
    tx: db.Tx, at: Standing, vector: Sequence[float], limit: int, *, exactly: bool, wide: bool = True
) -> list[int]:
    """Passage numbers, the closest first. Not `wide`: the graph as it comes, which misses most under a narrow policy."""
    if not exactly and wide:
        tx.execute(q.wide_search, {"ef": str(max(EF_SEARCH, limit)), "tuples": str(SCANNED_TUPLES)})
    query = _for_index(q.nearest_exactly if exactly else q.nearest, at)
    written = "[" + ",".join([f"{value:.6g}" for value in vector]) + "]"
    values = {"vector": written, "limit": limit, "scopes": list(at.scopes)}
    # A prepared plan would keep the choice that was right for another reader.
    return [row["passage"] for row in tx.execute(query, values, prepare=False)]


def frequencies(tx: db.Tx, terms: Sequence[str]) -> dict[str, int]:
    found = tx.execute(q.frequencies, {"terms": list(terms)})
    return {row["term"]: row["passages"] for row in found}


def postings(tx: db.Tx, terms: Sequence[str]) -> dict[str, npt.NDArray[np.void]]:
    """The entries of each term in the reader's scopes, one scope after the other."""
    lists: dict[str, list[npt.NDArray[np.void]]] = {}
    for row in tx.execute(q.postings, {"terms": list(terms)}, binary=True):
        lists.setdefault(row["term"], []).append(unpacked(row["entries"]))
    return {term: parts[0] if len(parts) == 1 else np.concatenate(parts) for term, parts in lists.items()}


def candidates(
    tx: db.Tx,
    at: Standing,
    passages: Sequence[int],
    now: datetime,
    vector: Sequence[float] | None,
    said: Mapping[int, float],
) -> list[Candidate]:
    """Those of the passages that serve and hold now. `vector`: the question's, for their cosines; `said`: their scores by words."""
    values = {"passages": list(passages), "now": now}
    rows = tx.execute(_for_index(q.candidates, at), values, binary=True).fetchall()
    cosines = _cosines([row["embedding"] for row in rows], vector)
    return [_candidate(row, cosine, said.get(row["no"])) for row, cosine in zip(rows, cosines, strict=True)]


def _cosines(embeddings: Sequence[bytes | None], vector: Sequence[float] | None) -> list[float | None]:
    """None where a passage has no vector yet, or nobody can say what the question means."""
    if vector is None:
        return [None] * len(embeddings)
    asked = np.asarray(vector, np.float32)
    # A halfvec as it is sent: its dimension and a spare, of two bytes each, then its numbers.
    return [None if each is None else float(np.frombuffer(each, ">f2", offset=4) @ asked) for each in embeddings]


def around(tx: db.Tx, document_id: str, version: int, ordinal: int, reach: int) -> list[Candidate]:
    """A passage and up to `reach` on either side, of the version that is named."""
    rows = db.rows(tx, q.around, document_id=document_id, version=version, first=ordinal - reach, last=ordinal + reach)
    return [_candidate(row) for row in rows]


def shown(tx: db.Tx, document_id: str, version: int | None) -> Mapping[str, Any] | None:
    """A whole document as it is kept; without a version the one that serves."""
    row = db.row(tx, q.shown, document_id=document_id, version=version)
    if row is None:
        return None
    scope = scope_of(row)
    return {
        **{name: row[name] for name in row if name not in ("visibility", "jurisdiction", "class", "risk")},
        "visibility": scope.visibility.name.lower(),
        "jurisdiction": scope.jurisdiction,
        "class": scope.document_class.value,
        "risk": scope.risk.name.lower(),
    }


def everything(tx: db.Tx) -> list[dict[str, Any]]:
    """Every current passage that the reader may see: no, document_id, title, heading, text."""
    return db.rows(tx, q.everything)


def _for_index(query: LiteralString, at: Standing) -> composed.Composed:
    """A dimension is part of a type and cannot be a parameter; both are numbers of ours."""
    template = composed.SQL(query)
    return template.format(
        index=composed.Literal(at.index or 0),
        dimension=composed.Literal(at.dimension or 1),
    )


def _candidate(row: Mapping[str, Any], dense: float | None = None, lexical: float | None = None) -> Candidate:
    return Candidate(
        number=row["no"],
        document_id=row["document_id"],
        version=row["version"],
        ordinal=row["ordinal"],
        title=row["title"],
        heading=row["heading"],
        text=row["text"],
        start=row["starts"],
        end=row["ends"],
        source=row["source"],
        owner=row["owner"],
        language=row["language"],
        scope=scope_of(row),
        effective_from=row["effective_from"],
        added_at=row["valid_from"],
        dense=dense,
        lexical=lexical,
    )
