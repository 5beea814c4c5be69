"""A question -> the passages that answer it, of those that its reader may read.

search  hide what is personal in the question → as this reader: by meaning and by word → fuse → re-rank → cut to size

Nothing is filtered after it was found: the transaction sees what the reader may see, and without a reader it sees nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from harken.errors import TryAgainError, UnsuitableError
from harken.flow.desk import LibraryDesk
from harken.kit import db, observe
from harken.kit.clock import stopwatch
from harken.knowledge import cut, parts, store, terms
from harken.knowledge.access import Reader
from harken.knowledge.found import Candidate, Hit
from harken.knowledge.ports import Embedder, Vectors
from harken.knowledge.store import Standing
from harken.privacy.scanner import scan
from harken.privacy.tokens import redact

MOST_CHARACTERS = 20_000
MOST_RESULTS = 100

EXACT_UP_TO = 20_000
"""Readable passages up to which each vector is looked at: quicker there than the graph, which a narrow policy makes search on."""

CANDIDATES = 60
"""Of each way of searching, and of each part of the question."""

JUDGED = 20
"""What a judge looks at: it costs a hundred times what finding does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is wanted, and how it is looked for."""

    results: int = 10
    tokens: int | None = None  #: what the passages may have together; None: as many as they have
    exact_up_to: int = EXACT_UP_TO
    as_of: datetime | None = None  #: which documents are in force; None: now


DEFAULT = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hits in order, and how they were found."""

    hits: Sequence[Hit]
    mode: str  #: `exact`, `hnsw`, or `lexical` where no vector could be asked for
    visible: int  #: passages that the reader may read
    version: int  #: of the library
    seconds: float


@dataclass(slots=True, kw_only=True)
class _Seen:
    """Candidates of all parts of a question, and what each part thinks of them."""

    candidates: Sequence[Candidate] = ()
    dense: Vectors = field(default_factory=lambda: np.zeros((0, 0), np.float32))  #: (parts, candidates)
    lexical: Vectors = field(default_factory=lambda: np.zeros((0, 0), np.float32))  #: the same
    asked: Mapping[str, float] = field(default_factory=dict)  #: what each term of the whole question weighs


def search(query: str, reader: Reader, desk: LibraryDesk, limits: Limits = DEFAULT) -> Found:
    """Raises UnsuitableError for a question that is empty or too long, TryAgainError where the database is away."""
    took = stopwatch()
    asked = _hidden(query)
    with observe.span("search"):
        with desk.reading.transaction() as tx:
            store.read_as(tx, reader)
            at = store.standing(tx)
        embedder = _embedder(at, desk)
        questions = parts.parts(asked)
        vectors = _embedded(questions, embedder)
        with desk.reading.transaction() as tx:
            store.read_as(tx, reader)
            seen = _look(tx, at, questions, vectors, limits, desk)
        hits = _ranked(asked, seen, at, desk)
    mode = "lexical" if vectors is None else "exact" if at.passages <= limits.exact_up_to or not at.graph else "hnsw"
    kept = cut.cut(hits, limits.results, limits.tokens)
    return Found(hits=kept, mode=mode, visible=at.passages, version=at.version, seconds=round(took(), 4))


def _hidden(query: str) -> str:
    """What goes into an index, a cache, a log or a model knows of a person only that there is one."""
    if len(query) > MOST_CHARACTERS:
        raise UnsuitableError(
            f"The question has {len(query):,} characters; {MOST_CHARACTERS:,} are read at most. Ask with less of it."
        )
    asked = redact(query, scan(query)).strip()
    if not asked:
        raise UnsuitableError("The question is empty.")
    return asked


def _embedder(at: Standing, desk: LibraryDesk) -> Embedder | None:
    """Who made the vectors that serve; None: they cannot be asked any more, and words must do."""
    if at.index is None:
        return None
    return desk.embedder if desk.embedder.model == at.model else desk.embedder_of(at.model)


def _embedded(questions: Sequence[str], embedder: Embedder | None) -> Vectors | None:
    if embedder is None:
        return None
    try:
        return embedder.embed(questions)
    except TryAgainError:
        return None  # a search by words is better than none; the mode says so


def _look(
    tx: db.Tx, at: Standing, questions: Sequence[str], vectors: Vectors | None, limits: Limits, desk: LibraryDesk
) -> _Seen:
    if not at.passages:
        return _Seen()
    exactly = at.passages <= limits.exact_up_to or not at.graph
    close = [
        number
        for vector in (vectors if vectors is not None else ())
        for number in store.nearest(tx, at, vector.tolist(), CANDIDATES, exactly=exactly)
    ]
    spoken = _languages(tx, questions[0])
    weights = [terms.query_terms(question, spoken) for question in questions]
    scores = _by_words(tx, at, weights)
    worded = [number for each in scores for number in each.best(CANDIDATES)]
    wanted = list(dict.fromkeys([*close, *worded]))
    candidates, rows = store.candidates(tx, at, wanted, limits.as_of or desk.clock())
    lexical = np.array([[each.of(candidate.number) for candidate in candidates] for each in scores], np.float32)
    dense = np.zeros_like(lexical) if vectors is None else vectors @ rows.T
    return _Seen(candidates=candidates, dense=dense, lexical=lexical, asked=weights[0])
