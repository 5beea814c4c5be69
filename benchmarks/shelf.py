"""Libraries in memory, each with questions whose answers are known: found as the search finds, without a database.

Made-up: the demo bank's handbook. Foreign, from the folder of real data: `stackfaq/`, `tau2_banking/documents/` and `bankfaqs/`, whose
classes with enough questions are libraries of their own. Nothing of the foreign ones is part of Harken.
"""

import csv
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import measure
from benchmarks.q1_retrieval import _bank, _stackfaq
from harken.adapters.embedders import wordllama
from harken.domain.document import DocumentClass
from harken.domain.passage import Passage
from harken.flow import measuring
from harken.kit.terms import query_terms, terms
from harken.knowledge import bm25, fuse, parts
from harken.knowledge.rank import AUTHORITY, Weights

FEWEST = 50
"""Questions: fewer say nothing of a library."""
CLI = measure.ROOT / "src/harken/cli"


@dataclass(frozen=True, slots=True)
class Document:
    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    text: str
    expected: frozenset[str] = frozenset()  #: ids of documents that answer it
    says: tuple[str, ...] = ()  #: what a right answer holds, where that is known


@dataclass(frozen=True, slots=True)
class Library:
    name: str
    documents: Sequence[Document]
    questions: Sequence[Asked]


class Shelf:
    """One library's passages, with the scores that the search gives them."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        self._embedder = wordllama.WordLlama()
        self._recipe = fuse.recipe_of(self._embedder.model)
        titles, whole = [each.title for each in documents], [f"{each.title}\n{each.text}" for each in documents]
        self._vectors = fuse.passage_vectors(self._embedder.embed(titles), self._embedder.embed(whole), self._recipe)
        self._counts = [_counted(each) for each in documents]
        self._lengths = np.array([sum(each.values()) for each in self._counts], np.float32)
        self._having: dict[str, list[int]] = {}
        for place, each in enumerate(self._counts):
            for term in each:
                self._having.setdefault(term, []).append(place)

    def best(self, question: str, depth: int, without: frozenset[str] = frozenset()) -> tuple[Passage, ...]:
        """The best passages, best first, as the live answer gets them. `without`: ids that are not there to be found."""
        scores = self._scores(question)
        there = [place for place, each in enumerate(self.documents) if each.id not in without and scores[place] > 0]
        order = sorted(there, key=lambda place: (-scores[place], self.documents[place].id))[:depth]
        return tuple(self._passage(place, float(scores[place])) for place in order)

    def _passage(self, place: int, fused: float) -> Passage:
        """With what a product's page of today adds to the fused score."""
        weights, of = Weights(), self.documents[place]
        more = weights.recency + weights.authority * AUTHORITY[DocumentClass.PRODUCT]
        whole = 1 + weights.coverage + weights.title + weights.recency + weights.authority
        return Passage(id=of.id, text=of.text, source=of.title, score=(fused + more) / whole)

    def _scores(self, question: str) -> npt.NDArray[np.float64]:
        pieces = parts.parts(question)
        vector = fuse.question_vector(self._embedder.embed(pieces))
        dense = np.clip(self._vectors @ vector, 0.0, 1.0)
        asked = [query_terms(piece, ["en"]) for piece in pieces]
        known = {term for each in asked for term in each if term in self._having}
        idfs = {term: bm25.idf(len(self.documents), len(self._having[term])) for term in known}
        weights = bm25.weights(asked, fuse.shares(len(pieces)), idfs)
        found = bm25.best(
            [self._postings(term, weight) for term, weight in weights.items()],
            average_length=float(self._lengths.mean()),
            n=len(self.documents),
        )
        lexical = np.zeros(len(self.documents))
        lexical[found.passages] = found.scores
        return np.asarray(self._recipe.dense * dense + (1 - self._recipe.dense) * lexical)

    def _postings(self, term: str, weight: float) -> bm25.Postings:
        places = self._having[term]
        return bm25.Postings(
            passages=np.array(places, np.uint32),
            counts=np.array([self._counts[place][term] for place in places], np.uint16),
            lengths=self._lengths[places].astype(np.uint16),
            weight=weight,
        )


def _counted(of: Document) -> dict[str, int]:
    counts: dict[str, int] = {}
    for term in [*terms(of.title, "en") * fuse.TITLE_COUNTS, *terms(of.text, "en")]:
        counts[term] = counts.get(term, 0) + 1
    return counts


def demo() -> Library:
    """The made-up bank's public pages in English, and of its labelled questions those about them; what it has no page on is never right."""
    pages = [_page(path) for path in sorted((CLI / "demo_knowledge").glob("*.md"))]
    questions = [
        Asked(each.text, says=each.says)
        for each in measuring.read(CLI / "demo_questions.jsonl")
        if (each.expected == "sent" and each.says) or each.expected == measuring.UNANSWERED
    ]
    return Library("demo bank", [page for page in pages if page], [each for each in questions if each.text.isascii()])


def _page(path: Path) -> Document | None:
    _, head, body = path.read_text("utf-8").split("---\n", 2)
    told = dict(line.split(": ", 1) for line in head.strip().splitlines())
    if told.get("visibility") != "public" or told.get("language", "en") != "en":
        return None
    return Document(path.stem, told["title"], body.strip())


def foreign(folder: Path) -> Iterator[Library]:
    for name, read in (("stackfaq", _stackfaq), ("tau2 bank", _bank)):
        with tempfile.TemporaryDirectory() as out:
            questions = next(iter(read(folder, Path(out)).values()))
            documents = [_document(path) for path in sorted(Path(out).iterdir())]
        yield Library(name, documents, [Asked(each.query, each.expected) for each in questions])
    yield from bankfaqs(folder)


def _document(path: Path) -> Document:
    given = json.loads(path.read_text("utf-8"))
    return Document(given["id"], given.get("title", ""), given["content"])


def bankfaqs(folder: Path) -> Iterator[Library]:
    """A class a library; the answers alone, without their questions for titles."""
    answers: dict[str, dict[str, str]] = {}
    questions: dict[str, list[Asked]] = {}
    with (folder / "bankfaqs/BankFAQs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            question, answer, of = row["Question"].strip(), row["Answer"].strip(), row["Class"].strip()
            if question and answer:
                ids = answers.setdefault(of, {})
                id_ = ids.setdefault(answer, f"{of}-{len(ids)}")
                questions.setdefault(of, []).append(Asked(question, frozenset({id_})))
    for of, ids in answers.items():
        if len(questions[of]) < FEWEST:
            continue
        yield Library(f"bankfaqs {of}", [Document(id_, "", text) for text, id_ in ids.items()], questions[of])
