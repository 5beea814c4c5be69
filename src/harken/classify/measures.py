"""What a classifier said of messages that it had not seen -> how good that was."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

BINS = 15


@dataclass(frozen=True, slots=True)
class Told:
    """One message: what it is, what was said of it, and how sure."""

    truth: str
    said: str
    probability: float

    @property
    def right(self) -> bool:
        return self.truth == self.said


@dataclass(frozen=True, slots=True)
class OfLabel:
    label: str
    rows: int
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def accuracy(told: Sequence[Told]) -> float:
    return _share(sum(each.right for each in told), len(told))


def ece(told: Sequence[Told], bins: int = BINS) -> float:
    """Expected calibration error: by how much, on average, a probability misses the share that was right.

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017; 15 bins of equal width.
    """
    within: dict[int, list[Told]] = {}
    for each in told:
        within.setdefault(min(int(each.probability * bins), bins - 1), []).append(each)
    off = (abs(sum(each.probability - each.right for each in some)) for some in within.values())
    return sum(off) / len(told) if told else 0.0


def by_label(told: Sequence[Told], labels: Sequence[str]) -> list[OfLabel]:
    there, said = Counter(each.truth for each in told), Counter(each.said for each in told)
    right = Counter(each.truth for each in told if each.right)
    return [
        OfLabel(label, there[label], _share(right[label], said[label]), _share(right[label], there[label]))
        for label in labels
    ]


def macro_f1(told: Sequence[Told], labels: Sequence[str]) -> float:
    """The plain mean over labels, however many messages each has."""
    return sum(each.f1 for each in by_label(told, labels)) / len(labels)


def recall(told: Sequence[Told], label: str) -> float | None:
    """None where there is nothing to find."""
    there = [each for each in told if each.truth == label]
    return accuracy(there) if there else None


def confused(told: Sequence[Told]) -> Mapping[tuple[str, str], int]:
    """(what it is, what was said) -> how often, the worst first."""
    pairs = Counter((each.truth, each.said) for each in told if not each.right)
    return dict(sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
