"""A question -> its candidates: the nearest by meaning, and those that say its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from harken.errors import TryAgainError
from harken.flow import remembering
from harken.flow.describing import LANGUAGES
from harken.flow.embedding import embedder_of
from harken.flow.library_desk import LibraryDesk
from harken.intake import language
from harken.kit import db, terms, words
from harken.knowledge import bm25, fuse, parts, store
from harken.knowledge.bm25 import Postings, Scored
from harken.knowledge.found import Candidate
from harken.knowledge.fuse import Recipe
from harken.knowledge.store import Standing

EXACT_UP_TO = 20_000
"""Readable passages up to which each vector is looked at: quicker there than the graph, which a narrow policy makes search on."""

CANDIDATES = 40
"""Of each way of searching, unless more are wanted: twice as many as that."""

SCORED = 2_000
"""Passages whose words are remembered, so that what was found by meaning has its score by words, too."""

ENTRIES_READ = 150_000
"""Entries of posting lists a search reads at most, beyond those of its most telling word."""

MOST_LANGUAGES = 8
"""In which a question is read that does not tell its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question as it is looked for."""

    whole: str
    parts: Sequence[str]  #: the whole first
    vector: Sequence[float] | None  #: None: nobody can say what it means, and words must do
    recipe: Recipe
    most: int = CANDIDATES  #: of each way of searching


class Seen(NamedTuple):
    """What may answer, and what each word of the question counts."""

    candidates: Sequence[Candidate]
    weights: Mapping[str, float]


def put(whole: str, at: Standing, desk: LibraryDesk, results: int) -> Asked:
    """No transaction is open while a model thinks."""
    several = parts.parts(whole)
    embedder = embedder_of(at.model, desk) if at.index is not None else None
    vector = None
    if embedder:
        try:
            made = remembering.vector_of(whole, embedder, lambda it: fuse.question_vector(it.embed(several)), desk)
            vector = made.tolist()
        except TryAgainError:
            vector = None  # finding by words is better than finding nothing; the mode says so
    most = max(CANDIDATES, 2 * results)
    return Asked(whole=whole, parts=several, vector=vector, recipe=fuse.recipe_of(at.model), most=most)


def mode_of(at: Standing, up_to: int) -> str:
    return "exact" if exactly(at, up_to) else "hnsw"


def exactly(at: Standing, up_to: int) -> bool:
    return at.passages <= up_to or not at.graph


def look(tx: db.Tx, at: Standing, asked: Asked, up_to: int, now: datetime) -> Seen:
    """By meaning and by word; each candidate has both scores, whichever way it was found."""
    if not at.passages:
        return Seen((), {})
    close = store.nearest(tx, at, asked.vector, asked.most, exactly=exactly(at, up_to)) if asked.vector else []
    worded, weights = by_words(tx, at, asked)
    said = dict(zip(worded.passages.tolist(), worded.scores.tolist(), strict=True))
    wanted = list(dict.fromkeys([*close, *list(said)[: asked.most]]))
    found = store.candidates(tx, at, wanted, now, asked.vector, said)
    if len(found) * 2 <= len(wanted) and len(said) > asked.most:
        # What was retired stays in the lists until they are joined, and must not stand before what serves.
        found = store.candidates(tx, at, list(dict.fromkeys([*close, *said])), now, asked.vector, said)
    return Seen(found, weights)


def by_words(tx: db.Tx, at: Standing, asked: Asked) -> tuple[Scored, Mapping[str, float]]:
    """Every readable passage with one of the words, best first, and what each word counts."""
    spoken = _languages(at, asked.whole)
    weighed = [terms.query_terms(part, spoken) for part in asked.parts]
    common = store.frequencies(tx, list({term for each in weighed for term in each}))
    idfs = {term: bm25.idf(at.passages, min(count, at.passages)) for term, count in common.items()}
    weights = bm25.weights(weighed, fuse.shares(len(weighed)), idfs)
    lists = store.postings(tx, _telling(weights, common))
    postings = [
        Postings(passages=each["passage"], counts=each["times"], lengths=each["length"], weight=weights[term])
        for term, each in lists.items()
    ]
    return bm25.best(postings, average_length=at.words / at.passages, n=SCORED), weights


def _telling(weights: Mapping[str, float], common: Mapping[str, int]) -> list[str]:
    """The words to look up, those that tell most first, until the lists are long: what every second passage says tells little."""
    chosen, read = list[str](), 0
    for term in sorted(weights, key=lambda term: (-weights[term], term)):
        if chosen and read + common[term] > ENTRIES_READ:
            continue
        chosen.append(term)
        read += common[term]
    return chosen


def _languages(at: Standing, question: str) -> tuple[str, ...]:
    """A short question does not tell its language: then it is read in each that has something to say."""
    heard = language.detect(question, words.split(question), LANGUAGES).language
    return (heard,) if heard in at.languages else at.languages[:MOST_LANGUAGES] or ("en",)
