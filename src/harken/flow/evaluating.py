"""Questions with the documents that answer them -> how well each embedder and weight finds those, and the search as it is set.

Each row of the table is measured on every question: by meaning alone (weight 1), by words alone (0), and between. The last row is
the whole search, with its candidates and its re-ranking, as this installation serves it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

from harken.errors import UnsuitableError
from harken.flow import finding, searching
from harken.flow.finding import Asked
from harken.flow.library_desk import LibraryDesk
from harken.flow.ports import Progress
from harken.kit import db
from harken.knowledge import fuse, parts, store
from harken.knowledge.access import Reader
from harken.knowledge.composing import composed
from harken.knowledge.measures import Figure, measure
from harken.knowledge.ports import Embedder

WEIGHTS = (0.0, 0.25, 0.4, 0.5, 0.6, 0.75, 1.0)
"""Of meaning; words have the rest."""

DEEP = 20
MOST_QUESTIONS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    query: str
    expected: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way of searching. `dense`: the weight of meaning; None: the search as it is set."""

    embedder: str
    dense: float | None
    figures: dict[str, Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    questions: int
    passages: int
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class _Library:
    """All that the reader may read."""

    numbers: npt.NDArray[np.int64]
    documents: Sequence[str]
    titles: Sequence[str]
    texts: Sequence[str]  #: as they are embedded


def read(path: Path) -> list[Question]:
    """JSON Lines of `query` and `expected`. Raises UnsuitableError, naming the line."""
    found = []
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        raise UnsuitableError(
            f"{path} cannot be read: {getattr(wrong, 'strerror', None) or 'it is not UTF-8'}."
        ) from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            found.append(_question(line, f"{path}, line {number}"))
    if not 0 < len(found) <= MOST_QUESTIONS:
        raise UnsuitableError(f"{path} has {len(found):,} questions; 1 to {MOST_QUESTIONS:,} can be measured.")
    return found


def _question(line: str, where: str) -> Question:
    try:
        given = orjson.loads(line)
        query, expected = given["query"], given["expected"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise UnsuitableError(f'{where}: a line is {{"query": …, "expected": [document ids]}}.') from None
    if not (isinstance(query, str) and query.strip() and isinstance(expected, list) and expected):
        raise UnsuitableError(f"{where}: it needs a question, and at least one document that answers it.")
    return Question(query=query, expected=frozenset(map(str, expected)))


def evaluate(
    questions: Sequence[Question], reader: Reader, embedders: Sequence[Embedder], desk: LibraryDesk, progress: Progress
) -> Evaluation:
    """Raises UnsuitableError where nothing of what is expected is in the library."""
    with desk.reading.transaction() as tx:
        store.read_as(tx, reader)
        library = _library(tx)
        if not {id_ for each in questions for id_ in each.expected} & set(library.documents):
            raise UnsuitableError("None of the expected documents is in the library: add them first, or mend the ids.")
        progress.step("By words", len(questions))
        lexical = np.array([_by_words(tx, each.query, library, progress) for each in questions])
    rows = [row for embedder in embedders for row in _rows(embedder, questions, library, lexical, progress)]
    progress.step("As it is set", len(questions))
    rows.append(_as_set(questions, reader, desk, progress))
    return Evaluation(questions=len(questions), passages=len(library.documents), rows=rows)


def _library(tx: db.Tx) -> _Library:
    rows = store.everything(tx)
    return _Library(
        np.array([row["no"] for row in rows], np.int64),
        [row["document_id"] for row in rows],
        [row["title"] for row in rows],
        [composed(row["title"], row["heading"], row["text"]) for row in rows],
    )


def _by_words(tx: db.Tx, query: str, library: _Library, progress: Progress) -> npt.NDArray[np.float32]:
    """Each passage's share, in the library's order."""
    at = store.standing(tx)
    asked = Asked(whole=query, parts=parts.parts(query), vector=None, recipe=fuse.recipe_of(at.model))
    scored, _ = finding.by_words(tx, at, asked)
    shares = np.zeros(len(library.numbers), np.float32)
    shares[np.searchsorted(library.numbers, scored.passages)] = scored.scores
    progress.advance(1)
    return shares


def _rows(
    embedder: Embedder,
    questions: Sequence[Question],
    library: _Library,
    lexical: npt.NDArray[np.float32],
    progress: Progress,
) -> Iterator[Row]:
    recipe = fuse.recipe_of(embedder.model)
    progress.step(f"Embedding with {embedder.model}")
    passages = fuse.passage_vectors(embedder.embed(library.titles), embedder.embed(library.texts), recipe)
    asked = np.array([fuse.question_vector(embedder.embed(parts.parts(each.query))) for each in questions])
    dense = np.clip(asked @ passages.T, 0.0, 1.0)
    for weight in sorted({*WEIGHTS, recipe.dense}):
        fused = weight * dense + (1 - weight) * lexical
        found = [_documents(scores, library) for scores in fused]
        yield Row(embedder=embedder.model, dense=weight, figures=measure(found, [each.expected for each in questions]))


def _documents(scores: npt.NDArray[np.float32], library: _Library) -> list[str]:
    """The best documents, each at its best passage."""
    order = np.argsort(-scores, kind="stable")
    best = dict.fromkeys(library.documents[place] for place in order[: DEEP * 10] if scores[place] > 0)
    return list(best)[:DEEP]


def _as_set(questions: Sequence[Question], reader: Reader, desk: LibraryDesk, progress: Progress) -> Row:
    limits = searching.Limits(results=DEEP * 2)
    found = []
    for each in questions:
        hits = searching.search(each.query, reader, desk, limits).hits
        found.append([hit.passage.document_id for hit in hits])
        progress.advance(1)
    figures = measure(found, [each.expected for each in questions])
    return Row(embedder=desk.embedder.model, dense=None, figures=figures)
