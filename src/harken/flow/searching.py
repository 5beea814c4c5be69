"""A question -> the passages that answer it, of those that its reader may read.

search  hide what is personal in the question → as this reader: by meaning and by word → fuse → re-rank → cut to size

Nothing is filtered after it was found: the transaction sees what the reader may see, and without a reader it sees nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from harken.errors import TryAgainError, UnsuitableError
from harken.flow import remembering
from harken.flow.describing import LANGUAGES
from harken.flow.desk import LibraryDesk
from harken.flow.embedding import embedder_of
from harken.intake import language
from harken.kit import db, observe, words
from harken.kit.clock import stopwatch
from harken.knowledge import bm25, cut, fuse, parts, rank, store, terms
from harken.knowledge.access import Reader
from harken.knowledge.bm25 import Postings, Scored
from harken.knowledge.found import Candidate, Hit
from harken.knowledge.fuse import Recipe
from harken.knowledge.store import Standing
from harken.privacy.scanner import scan
from harken.privacy.tokens import redact

MOST_CHARACTERS = 20_000
MOST_RESULTS = 100

EXACT_UP_TO = 20_000
"""Readable passages up to which each vector is looked at: quicker there than the graph, which a narrow policy makes search on."""

CANDIDATES = 60
"""Of each way of searching."""

SCORED = 2_000
"""Passages whose words are remembered, so that what was found by meaning has its score by words, too."""

ENTRIES_READ = 150_000
"""Entries of posting lists a search reads at most, beyond those of its most telling word."""

RANKED = 40
"""Looked at word by word; the features weigh too little to bring up what stands below."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A question as it is looked for."""

    whole: str
    parts: Sequence[str]  #: the whole first
    vector: Sequence[float] | None  #: None: nobody can say what it means, and words must do
    recipe: Recipe


class _Seen(NamedTuple):
    """What may answer, and what each word of the question counts."""

    candidates: Sequence[Candidate]
    weights: Mapping[str, float]


def search(query: str, reader: Reader, desk: LibraryDesk, limits: Limits = DEFAULT) -> Found:
    """Raises UnsuitableError for a question that is empty or too long, TryAgainError where the database is away."""
    took, whole = stopwatch(), _hidden(query)
    now = limits.as_of or desk.clock()
    with observe.span("search"), observe.timed(observe.RETRIEVAL):
        with desk.reading.transaction() as tx:
            store.read_as(tx, reader)
            at = store.standing(tx)
        key = remembering.key_of(whole, reader, at, limits, now, desk)
        mode = _mode(at, limits)
        hits = _again(key, reader, at, now, desk)
        if hits is None:
            asked = _asked(whole, at, desk)
            mode = "lexical" if asked.vector is None else mode
            with desk.reading.transaction() as tx:
                store.read_as(tx, reader)
                seen = _look(tx, at, asked, limits, now)
            hits = _cut(_ranked(asked, seen, now, desk), limits)
            if mode != "lexical":  # a model that is away for a minute must not be missed for an hour
                remembering.remember(key, hits, desk)
    observe.add(observe.RETRIEVAL_MODE, mode=mode)
    return Found(hits=hits, mode=mode, visible=at.passages, version=at.version, seconds=round(took(), 4))


def _again(key: bytes, reader: Reader, at: Standing, now: datetime, desk: LibraryDesk) -> list[Hit] | None:
    """What was found before, read anew as this reader; None where nothing is remembered, or not all of it holds."""
    places = remembering.recall(key, desk)
    if places is None:
        return None
    with desk.reading.transaction() as tx:
        store.read_as(tx, reader)
        found = store.candidates(tx, at, [place.number for place in places], now, None, {})
    there = {each.number: each for each in found}
    if len(there) < len(places):
        return None
    return [Hit(passage=there[each.number], score=each.score, parts=each.parts, why=each.why) for each in places]


def _hidden(query: str) -> str:
    """What goes into an index, a cache, a log or a model knows of a person only that there is one."""
    if len(query) > MOST_CHARACTERS:
        raise UnsuitableError(
            f"The question has {len(query):,} characters; {MOST_CHARACTERS:,} are read at most. Ask with less of it."
        )
    # A command line that is no UTF-8 comes with halves of signs, which nothing behind here can write.
    whole = query.encode("utf-8", "replace").decode()
    asked = redact(whole, scan(whole)).strip()
    if not asked:
        raise UnsuitableError("The question is empty.")
    return asked


def _asked(whole: str, at: Standing, desk: LibraryDesk) -> _Asked:
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
    return _Asked(whole=whole, parts=several, vector=vector, recipe=fuse.recipe_of(at.model))


def _mode(at: Standing, limits: Limits) -> str:
    return "exact" if _exactly(at, limits) else "hnsw"


def _exactly(at: Standing, limits: Limits) -> bool:
    return at.passages <= limits.exact_up_to or not at.graph


def _look(tx: db.Tx, at: Standing, asked: _Asked, limits: Limits, now: datetime) -> _Seen:
    """By meaning and by word; each candidate has both scores, whichever way it was found."""
    if not at.passages:
        return _Seen((), {})
    close = store.nearest(tx, at, asked.vector, CANDIDATES, exactly=_exactly(at, limits)) if asked.vector else []
    worded, weights = _by_words(tx, at, asked)
    said = dict(zip(worded.passages.tolist(), worded.scores.tolist(), strict=True))
    wanted = list(dict.fromkeys([*close, *list(said)[:CANDIDATES]]))
    found = store.candidates(tx, at, wanted, now, asked.vector, said)
    if len(found) * 2 <= len(wanted) and len(said) > CANDIDATES:
        # What was retired stays in the lists until they are joined, and must not stand before what serves.
        found = store.candidates(tx, at, list(dict.fromkeys([*close, *said])), now, asked.vector, said)
    return _Seen(found, weights)


def _by_words(tx: db.Tx, at: Standing, asked: _Asked) -> tuple[Scored, Mapping[str, float]]:
    """Every readable passage with one of the words, best first, and what each word counts."""
    spoken = _languages(tx, asked.whole)
    weighed = [terms.query_terms(part, spoken) for part in asked.parts]
    common = store.frequencies(tx, list({term for each in weighed for term in each}))
    idfs = {term: bm25.idf(at.passages, count) for term, count in common.items()}
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


def _languages(tx: db.Tx, question: str) -> tuple[str, ...]:
    """A short question does not tell its language: then it is read in each that has something to say."""
    heard = language.detect(question, words.split(question), LANGUAGES)
    there = store.languages(tx)
    if heard.language in there and heard.language != language.UNKNOWN:
        return (heard.language,)
    return there or ("en",)


def _ranked(asked: _Asked, seen: _Seen, now: datetime, desk: LibraryDesk) -> list[Hit]:
    """Words and meaning alone first; the best of them are looked at more closely, and by a judge where there is one."""
    legs = fuse.legs([each.dense for each in seen.candidates], [each.lexical for each in seen.candidates], asked.recipe)
    order = sorted(zip(-legs.sum(axis=1), seen.candidates, strict=True), key=lambda each: (each[0], each[1].number))
    best = [candidate for _, candidate in order[:RANKED]]
    return rank.ranked(
        best, seen.weights, recipe=asked.recipe, now=now, judged=_judged(asked.whole, best[:JUDGED], desk)
    )


def _judged(question: str, best: Sequence[Candidate], desk: LibraryDesk) -> Mapping[int, float] | None:
    if desk.judge is None or not best:
        return None
    try:
        scores = desk.judge.judge(question, [f"{each.title}\n{each.text}" for each in best])
    except TryAgainError:
        return None  # its own order stands
    return {each.number: score for each, score in zip(best, scores, strict=True)}


def _cut(hits: Sequence[Hit], limits: Limits) -> list[Hit]:
    """Without a budget the best stand first; with one they are to be read, and neighbours stand side by side."""
    if limits.tokens is None:
        return cut.once(hits, limits.results)
    return cut.cut(hits[: limits.results], limits.tokens)


def document(document_id: str, version: int | None, reader: Reader, desk: LibraryDesk) -> Mapping[str, Any] | None:
    """A whole document; None where there is none that this reader may read."""
    with desk.reading.transaction() as tx:
        store.read_as(tx, reader)
        return store.shown(tx, document_id, version)


def around(place: tuple[str, int, int], reach: int, reader: Reader, desk: LibraryDesk) -> list[dict[str, Any]]:
    """The passage at (document id, version, ordinal), and up to `reach` on either side of it."""
    with desk.reading.transaction() as tx:
        store.read_as(tx, reader)
        return [told_passage(each) for each in store.around(tx, *place, reach)]


def told(found: Found) -> dict[str, Any]:
    """As JSON: what `harken knowledge search` and the interface answer."""
    return {
        "results": [
            {**told_passage(hit.passage), "score": round(hit.score, 4), "parts": hit.parts, "why": hit.why}
            for hit in found.hits
        ],
        "mode": found.mode,
        "visible": found.visible,
        "version": found.version,
        "seconds": found.seconds,
    }


def told_passage(passage: Candidate) -> dict[str, Any]:
    scope = passage.scope
    return {
        "document_id": passage.document_id,
        "title": passage.title,
        "passage_id": f"{passage.document_id}@{passage.version}#{passage.ordinal}",
        "text": passage.text,
        "heading": passage.heading,
        "start": passage.start,
        "end": passage.end,
        "source": passage.source,
        "owner": passage.owner,
        "language": passage.language,
        "class": scope.document_class.value,
        "visibility": scope.visibility.name.lower(),
        "jurisdiction": scope.jurisdiction,
        "effective_from": passage.effective_from,
        "added_at": passage.added_at,
    }
