"""Candidates -> hits in order: the fused score of words and meaning, and what else speaks for a passage, each by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from harken.domain.document import DocumentClass
from harken.kit.terms import terms
from harken.knowledge.found import Candidate, Hit
from harken.knowledge.fuse import Recipe, legs

AUTHORITY: Mapping[DocumentClass, float] = {
    DocumentClass.REGULATORY: 1.0,
    DocumentClass.POLICY: 1.0,
    DocumentClass.PRODUCT: 0.8,
    DocumentClass.SUPPORT_LOG: 0.4,
}
"""Whose word holds where two say the same. A choice, not a measurement."""
HALF_LIFE_DAYS = 365
"""A document that is a year older counts half as recent."""
MOST_HITS = 50
"""Only the best by fused score are looked at: their words are read for it, 0.1 ms each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each feature counts beside the fused score, which counts 1."""

    coverage: float = (
        0.0  #: how much of the question is said at all: won on one half of the questions, lost on the other
    )
    title: float = 0.0  #: the same in the title alone: both legs have the title already, and more of it won nothing
    recency: float = 0.02  #: too small to overrule an answer, enough to choose between two
    authority: float = 0.02
    judge: float = 0.5  #: the share of a judge's word, where one was asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A candidate's features, each from 0 to 1."""

    coverage: float
    title: float
    recency: float
    authority: float


def best(candidates: Sequence[Candidate], recipe: Recipe, most: int = MOST_HITS) -> list[Candidate]:
    """Those with the highest fused score; equal ones by document and place."""
    fused = legs([each.dense for each in candidates], [each.lexical for each in candidates], recipe).sum(axis=1)
    pairs = sorted(zip(candidates, fused.tolist(), strict=True), key=lambda pair: (-pair[1], _place(pair[0])))
    return [each for each, _ in pairs[:most]]


def ranked(
    candidates: Sequence[Candidate],
    asked: Mapping[str, float],
    *,
    recipe: Recipe,
    now: datetime,
    judged: Mapping[int, float] | None = None,
    weights: Weights = Weights(),
) -> list[Hit]:
    """The best `MOST_HITS`, best first; equal ones by document and place, so that the same search gives the same list.

    `asked` is what `bm25.weights` made of the question. `judged` has a judge's scores by the number of the passage; those that the
    judge did not see go below their equals. The parts of a hit add up to its score.
    """
    some = best(candidates, recipe)
    fused = legs([each.dense for each in some], [each.lexical for each in some], recipe).tolist()
    hits: list[Hit] = []
    for each, (meaning, words) in zip(some, fused, strict=True):
        looked = _look(each, asked, now)
        parts = _parts({"meaning": meaning, "words": words}, looked, weights)
        if judged is not None:
            parts = {name: part * (1 - weights.judge) for name, part in parts.items()}
            parts["judge"] = weights.judge * judged.get(each.number, 0.0)
        hits.append(Hit(passage=each, score=sum(parts.values()), parts=parts, why=_why(each, looked, judged)))
    return sorted(hits, key=lambda hit: (-hit.score, _place(hit.passage)))


def _place(each: Candidate) -> tuple[str, int]:
    return each.document_id, each.ordinal


def _look(each: Candidate, asked: Mapping[str, float], now: datetime) -> Looked:
    title = set(terms(each.title, each.language))
    said = title.union(terms(each.heading, each.language), terms(each.text, each.language))
    age = now - (each.effective_from or each.added_at)
    return Looked(
        coverage=_share(asked, said),
        title=_share(asked, title),
        recency=0.5 ** (max(age.days, 0) / HALF_LIFE_DAYS),
        authority=AUTHORITY[each.scope.document_class],
    )


def _share(asked: Mapping[str, float], said: set[str]) -> float:
    """How much of the question's weight is said."""
    whole = sum(asked.values())
    return sum(weight for term, weight in asked.items() if term in said) / whole if whole else 0.0


def _parts(fused: Mapping[str, float], looked: Looked, weights: Weights) -> dict[str, float]:
    """Each part weighed, so that together they reach 1 at most."""
    features = {
        "coverage": weights.coverage * looked.coverage,
        "title": weights.title * looked.title,
        "recency": weights.recency * looked.recency,
        "authority": weights.authority * looked.authority,
    }
    most = 1 + weights.coverage + weights.title + weights.recency + weights.authority
    return {name: part / most for name, part in {**fused, **features}.items()}


def _why(each: Candidate, looked: Looked, judged: Mapping[int, float] | None) -> str:
    meaning = "not among the nearest in meaning" if each.dense is None else f"meaning {each.dense:.2f}"
    title = f" ({looked.title:.0%} in the title)" if looked.title else ""
    since = (each.effective_from or each.added_at).date().isoformat()
    seen = (judged or {}).get(each.number)
    judge = "" if seen is None else f"; judged {seen:.2f}"
    return (
        f"says {looked.coverage:.0%} of what was asked{title}, {meaning}; {each.scope.document_class} of {since}{judge}"
    )
