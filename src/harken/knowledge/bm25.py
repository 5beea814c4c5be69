"""Posting lists of a question's terms -> the passages that say most of it, by BM25 (Robertson and Zaragoza, 2009).

A score is a share: 1 would be a passage in which every term of the question stands endlessly often. That makes
scores of two questions comparable, and lets a cosine be added to them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log1p

import numpy as np
import numpy.typing as npt

SATURATION = 1.2
"""k1: how soon saying a word again stops counting. 0.9, 1.2 and 2 measured on three sets; 1.2 is best beside cosines."""
LENGTH_SHARE = 0.75
"""b: how much of a passage's length is held against it. 0.4, 0.5, 0.75 and 0.9 measured; between 0.5 and 0.75 nothing differs."""
WIDEST_SPAN = 1 << 24
"""Above this, numbers of passages are packed before they are added up: 16 million sums of 4 bytes."""

Numbers = npt.NDArray[np.uint32]
Scores = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Postings:
    """The passages with one term. A passage stands in it once; all three arrays have the same length."""

    passages: Numbers  #: numbers of the passages, in any order
    counts: npt.NDArray[np.uint16]  #: how often each says it, with what the title adds
    lengths: npt.NDArray[np.uint16]  #: how many terms each has, counted the same way
    weight: float  #: what the term counts in this question, from `weights`


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Best first; equal scores by number."""

    passages: Numbers
    scores: Scores  #: shares of what the question could reach: 0 to 1


def idf(passages: int, with_term: int) -> float:
    """How much a term tells: `with_term` of `passages` have it. Never below 0."""
    return log1p((passages - with_term + 0.5) / (with_term + 0.5))


def weights(
    asked: Sequence[Mapping[str, float]], shares: Sequence[float], idfs: Mapping[str, float]
) -> dict[str, float]:
    """The terms of all parts of a question -> one weight a term: two parts cost no more than one.

    `asked` holds `terms.query_terms` of each part and `shares` what each part counts (together 1); `idfs` has the terms that some
    passage has. The others are left out, so that a typing error or a stem of the wrong language weakens nothing.
    """
    together: dict[str, float] = {}
    for share, part in zip(shares, asked, strict=True):
        known = {term: weight * idfs[term] for term, weight in part.items() if term in idfs}
        reach = sum(known.values()) * (SATURATION + 1)
        for term, weight in known.items():
            together[term] = together.get(term, 0.0) + share * weight / reach
    return together


def best(postings: Iterable[Postings], *, average_length: float, n: int) -> Scored:
    """The `n` passages with the highest scores."""
    found = [each for each in postings if each.passages.size]
    if not found or n < 1:
        return Scored(passages=np.empty(0, np.uint32), scores=np.empty(0, np.float32))
    numbers, places = _places(found)
    sums = np.zeros(max(int(place.max()) for place in places) + 1, np.float32)
    for each, place in zip(found, places, strict=True):
        sums[place] += _gains(each, average_length)
    top = _top(sums, places, n)
    return Scored(passages=numbers(top).astype(np.uint32), scores=sums[top])


def _gains(each: Postings, average_length: float) -> Scores:
    """Single precision and in place: this is the arithmetic of half a million postings."""
    counts = each.counts.astype(np.float32)
    divisor = each.lengths.astype(np.float32)
    divisor *= np.float32(SATURATION * LENGTH_SHARE / max(average_length, 1.0))
    divisor += np.float32(SATURATION * (1 - LENGTH_SHARE))
    divisor += counts
    counts /= divisor
    counts *= np.float32(each.weight * (SATURATION + 1))
    return counts


def _places(found: Sequence[Postings]) -> tuple[Callable[[Places], Places], list[Places]]:
    """Where each passage is added up, and the way back to its number: beside it, or by rank where numbers lie far apart."""
    low = min(int(each.passages.min()) for each in found)
    high = max(int(each.passages.max()) for each in found)
    if high - low < WIDEST_SPAN:
        return (lambda places: places + low), [each.passages.astype(np.intp) - low for each in found]
    numbers = np.sort(np.concatenate([each.passages for each in found]))  # where one repeats, its first place is taken
    return (lambda places: numbers[places].astype(np.intp)), [np.searchsorted(numbers, each.passages) for each in found]


def _top(sums: Scores, places: Sequence[Places], n: int) -> Places:
    """Looked for among the postings, not in the sums, which are mostly empty. A passage stands there once a term."""
    where = np.concatenate(places)
    reached = sums[where]
    enough = n * len(places)
    if where.size > enough:
        where = where[reached >= np.partition(reached, where.size - enough)[where.size - enough]]
    where = np.unique(where)
    return np.asarray(where[np.lexsort((where, -sums[where]))][:n])
