"""A question -> the passages that answer it, of those that its reader may read.

search  hide what is personal in the question → as this reader: by meaning and by word → fuse → re-rank → cut to size

Nothing is filtered after it was found: the transaction sees what the reader may see, and without a reader it sees nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from harken.errors import TryAgainError, UnsuitableError
from harken.flow import finding, remembering
from harken.flow.finding import EXACT_UP_TO, Asked, Seen
from harken.flow.library_desk import LibraryDesk
from harken.kit import observe
from harken.kit.clock import stopwatch
from harken.knowledge import cut, rank, store
from harken.knowledge.access import Reader
from harken.knowledge.found import Candidate, Hit
from harken.knowledge.store import Standing
from harken.privacy.scanner import scan
from harken.privacy.tokens import redact

MOST_CHARACTERS = 20_000
MOST_RESULTS = 100

SPARE = 2
"""Times as many as wanted are ranked: some say what another says."""

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


def search(query: str, reader: Reader, desk: LibraryDesk, limits: Limits = DEFAULT) -> Found:
    """Raises UnsuitableError for a question that is empty or too long, TryAgainError where the database is away."""
    took, whole = stopwatch(), _hidden(query)
    now = limits.as_of or desk.clock()
    with observe.span("search"), observe.timed(observe.RETRIEVAL):
        with desk.reading.transaction() as tx:
            store.read_as(tx, reader)
            at = store.standing(tx)
        key = remembering.key_of(whole, reader, at, limits, now, desk)
        mode = finding.mode_of(at, limits.exact_up_to)
        hits = _again(key, reader, at, now, desk)
        if hits is None:
            asked = finding.put(whole, at, desk, limits.results)
            mode = "lexical" if asked.vector is None else mode
            with desk.reading.transaction() as tx:
                store.read_as(tx, reader)
                seen = finding.look(tx, at, asked, limits.exact_up_to, now)
            hits = _cut(_ranked(asked, seen, limits, now, desk), limits)
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


def _ranked(asked: Asked, seen: Seen, limits: Limits, now: datetime, desk: LibraryDesk) -> list[Hit]:
    """By meaning, words and what else speaks for a passage; a judge, where there is one, looks at the best once more."""
    some = rank.best(seen.candidates, asked.recipe, max(SPARE * limits.results, JUDGED))
    order = partial(rank.ranked, some, seen.weights, recipe=asked.recipe, now=now)
    hits = order()
    judged = _judged(asked.whole, [hit.passage for hit in hits[:JUDGED]], desk)
    return hits if judged is None else order(judged=judged)


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
