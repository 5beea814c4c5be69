"""Values of events -> what a feature keeps of them: commutative monoids, so order and partition never matter.

Every aggregate obeys `merge(a, b) == merge(b, a)`, `merge(a, merge(b, c)) == merge(merge(a, b), c)` and
`merge(zero, a) == a`, never changes its arguments, and keeps only what JSON carries exactly: integers, strings,
lists and objects. Floats appear in `final` alone, by one division, so every engine agrees to the bit.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from harken.domain.profile import Value

Cell: TypeAlias = Any
"""The state of one aggregate in one tile; only its own aggregate looks inside."""

MAX_DISTINCT = 1_000
"""A set keeps its smallest 1,000 values, so a profile says at most 1,000: a bound that is itself a monoid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    name: str
    zero: Cell
    lift: Callable[[Any, int], Cell]  #: one event's column value (never None) and its time in microseconds
    merge: Callable[[Cell, Cell], Cell]
    final: Callable[[Cell], Value]
    shows_value: bool = False  #: the result is one of the column's own values, to be shown as that column is


def _plus(a: int, b: int) -> int:
    return a + b


def _as_is(cell: Value) -> Value:
    return cell


def _lesser(a: int | None, b: int | None) -> int | None:
    if a is None or b is None:
        return b if a is None else a
    return a if a <= b else b


def _greater(a: Cell, b: Cell) -> Cell:
    if a is None or b is None:
        return b if a is None else a
    return a if a >= b else b


def _add_pairs(a: list[int], b: list[int]) -> list[int]:
    return [a[0] + b[0], a[1] + b[1]]


def _add_histograms(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
    if not a or not b:
        return a or b
    added = a.copy()
    for value, times in b.items():
        added[value] = added.get(value, 0) + times
    return added


def _most_frequent(histogram: dict[str, int]) -> str | None:
    return min(histogram, key=lambda value: (-histogram[value], value)) if histogram else None


def _union(a: list[str], b: list[str]) -> list[str]:
    return sorted({*a, *b})[:MAX_DISTINCT] if a and b else a or b


def _bounds() -> tuple[int, ...]:
    """Upper bounds of the buckets, each 5 % above the one before (integers: no engine rounds differently)."""
    bounds = [0]
    while bounds[-1] < 10**15:
        bounds.append(max(bounds[-1] + 1, bounds[-1] * 21 // 20))
    return tuple(bounds)


BUCKET_BOUNDS = _bounds()


def bucket(value: int) -> str:
    """The bucket of a value: everything up to 0 in bucket 0, above the last bound in the last."""
    return str(min(bisect_left(BUCKET_BOUNDS, value), len(BUCKET_BOUNDS) - 1))


def _p90(histogram: dict[str, int]) -> int | None:
    """Nearest rank: the upper bound of the bucket that holds it, at most 5 % above the true value."""
    rank = -(-sum(histogram.values()) * 9 // 10)
    for index in sorted(map(int, histogram)):
        rank -= histogram[str(index)]
        if rank <= 0:
            return BUCKET_BOUNDS[index]
    return None


COUNT = Aggregate(name="count", zero=0, lift=lambda value, at: 1, merge=_plus, final=_as_is)
TOTAL = Aggregate(name="total", zero=0, lift=lambda value, at: value, merge=_plus, final=_as_is)
MEAN = Aggregate(
    name="mean",
    zero=[0, 0],
    lift=lambda value, at: [value, 1],
    merge=_add_pairs,
    final=lambda cell: cell[0] / cell[1] if cell[1] else None,
)
LOWEST = Aggregate(
    name="lowest", zero=None, lift=lambda value, at: value, merge=_lesser, final=_as_is, shows_value=True
)
HIGHEST = Aggregate(
    name="highest", zero=None, lift=lambda value, at: value, merge=_greater, final=_as_is, shows_value=True
)
LAST = Aggregate(
    name="last",
    zero=None,
    lift=lambda value, at: [at, value],
    merge=_greater,  # of two values at one moment the greater: a rule that arrival cannot change
    final=lambda cell: cell[1] if cell else None,
    shows_value=True,
)
MODE = Aggregate(
    name="mode",
    zero={},
    lift=lambda value, at: {str(value): 1},
    merge=_add_histograms,
    final=_most_frequent,
    shows_value=True,
)
DISTINCT = Aggregate(name="distinct", zero=[], lift=lambda value, at: [value], merge=_union, final=len)
P90 = Aggregate(name="p90", zero={}, lift=lambda value, at: {bucket(value): 1}, merge=_add_histograms, final=_p90)
