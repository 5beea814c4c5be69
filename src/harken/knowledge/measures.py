"""What a search found and what it should have found -> figures, each with the interval that chance leaves open."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RESAMPLES = 2_000
NAMES = ("hit@1", "hit@5", "recall@10", "recall@20", "mrr", "ndcg@10")


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over questions, and the 95 % interval of its bootstrap."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def measure(found: Sequence[Sequence[str]], expected: Sequence[Collection[str]], *, seed: int = 0) -> dict[str, Figure]:
    """Ranked ids of each question, best first, and the ids that answer it -> the figures of `NAMES`.

    An id that comes again (several passages of one document) counts at its first place. Raises ValueError without a question, or for
    one that nothing answers: such a question measures abstaining, not finding.
    """
    if not found:
        raise ValueError("no question to measure")
    rows = np.array([_one(ids, set(wanted)) for ids, wanted in zip(found, expected, strict=True)])
    draws = np.random.default_rng(seed).integers(len(rows), size=(RESAMPLES, len(rows)))
    means = _means(rows, draws)
    low, high = np.quantile(means, (0.025, 0.975), axis=0)
    values = rows.mean(axis=0)
    return {name: Figure(*map(float, row)) for name, *row in zip(NAMES, values, low, high, strict=True)}


def _means(rows: npt.NDArray[np.float64], draws: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.array([rows[draw].mean(axis=0) for draw in draws])  # one draw at a time: all at once would be gigabytes


def _one(ids: Sequence[str], wanted: set[str]) -> tuple[float, ...]:
    """In the order of `NAMES`."""
    if not wanted:
        raise ValueError("a question without an expected document cannot be measured")
    right = [found in wanted for found in dict.fromkeys(ids)]
    first = right.index(True) if True in right else None
    gain = sum(1 / np.log2(place + 2) for place, hit in enumerate(right[:10]) if hit)
    ideal = sum(1 / np.log2(place + 2) for place in range(min(len(wanted), 10)))
    return (
        float(any(right[:1])),
        float(any(right[:5])),
        sum(right[:10]) / len(wanted),
        sum(right[:20]) / len(wanted),
        0.0 if first is None else 1 / (first + 1),
        float(gain / ideal),
    )
