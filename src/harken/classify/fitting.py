"""Labelled messages -> a classifier. The only file that imports scikit-learn, and only where something is fitted."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from harken.classify import calibrate
from harken.classify.features import MOST_CHARACTERS, counted
from harken.classify.fitted import Facts, Fitted, signs, weighed
from harken.classify.labels import Labelled
from harken.classify.ports import Embedder, Floats, Whole

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FIFTHS = 5
THREADS = 2
REGULARITY = 1.0
VECTOR_WEIGHT = 0.5
"""Of the vector beside the words: more of it costs a twentieth where messages are few, and brings nothing where they are many."""

RARE_FROM = 3_000
"""Texts from which on an n-gram that only one of them has is left out."""

ENOUGH_OUTSIDE = 40
"""Messages that belong to no label from which on they alone say what that looks like, and get a line of their own."""

Chosen: TypeAlias = npt.NDArray[np.bool_]

Words: TypeAlias = Sequence[tuple[Whole, Whole]]


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """Messages once read: what every fit of them shares."""

    labels: tuple[str, ...]
    truth: Whole  #: index into labels; -1 out of scope
    words: Words
    vectors: Floats
    fifth: Whole  #: 0 to 4: which part of its label's messages

    def part(self, chosen: Chosen) -> "Read":
        rows = np.flatnonzero(chosen)
        return Read(
            self.labels,
            self.truth[rows],
            [self.words[row] for row in rows.tolist()],
            self.vectors[rows],
            self.fifth[rows],
        )


class Scored(NamedTuple):
    truth: Whole
    scores: Floats  #: the last one is the outside's
    nearness: Floats
    share: Floats

    @property
    def signs(self) -> Floats:
        return signs(self.scores, self.nearness, self.share)

    def part(self, chosen: Chosen) -> "Scored":
        return Scored(self.truth[chosen], self.scores[chosen], self.nearness[chosen], self.share[chosen])


def read(rows: Sequence[Labelled], embedder: Embedder) -> Read:
    labels = tuple(sorted({row.label for row in rows if row.label}))
    place = {label: at for at, label in enumerate(labels)} | {"": -1}
    return Read(
        labels,
        np.array([place[row.label] for row in rows], np.int32),
        [counted(row.text) for row in rows],
        embedder.embed([row.text[:MOST_CHARACTERS] for row in rows]),
        _fifths(rows),
    )


def _fifths(rows: Sequence[Labelled]) -> Whole:
    """Of every label a fifth of its messages in each, by the digest of the text: the order of the rows does not matter."""
    digests = [hashlib.sha256(row.text.encode("utf-8", "replace")).digest() for row in rows]
    seen: Counter[str] = Counter()
    found = np.zeros(len(rows), np.int32)
    for at in sorted(range(len(rows)), key=digests.__getitem__):
        found[at] = seen[rows[at].label] % FIFTHS
        seen[rows[at].label] += 1
    return found


def held_back(given: Read, embedder: str) -> tuple[Fitted, Read]:
    """A classifier that has not seen a fifth of the messages, not even to be calibrated, and that fifth."""
    rest = given.part(given.fifth != FIFTHS - 1)
    first = _linear(rest.part(rest.fifth != FIFTHS - 2), embedder)
    tuned = calibrated(_linear(rest, embedder), score(first, _unseen(rest, FIFTHS - 2)))
    return tuned, given.part(given.fifth == FIFTHS - 1)


def whole(given: Read, embedder: str, unseen: Scored) -> Fitted:
    """Fitted on all, calibrated on scores that a classifier gave to messages it had not seen."""
    return calibrated(_linear(given, embedder), unseen)


def fit(given: Read, embedder: str) -> Fitted:
    """Without a report: two fits instead of three."""
    first = _linear(given.part(given.fifth != FIFTHS - 1), embedder)
    return whole(given, embedder, score(first, _unseen(given, FIFTHS - 1)))


def _unseen(given: Read, fifth: int) -> Read:
    """What a classifier of the other fifths was not fitted on: few messages from outside have no line, so all of them."""
    few = (given.truth < 0).sum() < ENOUGH_OUTSIDE
    return given.part((given.fifth == fifth) | (few & (given.truth < 0)))


def score(fitted: Fitted, given: Read) -> Scored:
    matrix, share = _matrix(given.words, fitted.columns, fitted.rarity)
    wide = len(fitted.columns)
    scores = matrix @ fitted.weights[:wide] + given.vectors @ fitted.weights[wide:] + fitted.bias
    return Scored(given.truth, scores.astype(np.float32), given.vectors @ fitted.centres.T, share)


def calibrated(fitted: Fitted, unseen: Scored) -> Fitted:
    """With probabilities that held for messages the scores were not fitted on."""
    known = unseen.truth >= 0
    inside = unseen.part(known)
    outside = unseen.signs[~known]
    if not fitted.bias[-1]:
        outside = np.concatenate([outside, _unknown(inside)])
    facts = replace(
        fitted.facts,
        sharpness=calibrate.sharpness(inside.scores[:, :-1], inside.truth),
        scope=calibrate.scope(inside.signs, outside),
    )
    return replace(fitted, facts=facts)


def _unknown(inside: Scored) -> Floats:
    """The same messages, as they would look if their own label were none of ours: a stand-in for what lies outside."""
    rows = np.arange(len(inside.truth))
    scores, nearness = inside.scores.copy(), inside.nearness.copy()
    scores[rows, inside.truth] = -9.0  # lower than any line says of anything
    nearness[rows, inside.truth] = -1.0
    return signs(scores, nearness, inside.share)


def _linear(given: Read, embedder: str) -> Fitted:
    """One straight line per label (support vectors), uncalibrated."""
    known = given.part(given.truth >= 0)
    columns, rarity = _columns(known.words)
    weights, bias = _lines(given, columns, rarity)
    centres = np.stack([known.vectors[known.truth == at].mean(axis=0) for at in range(len(given.labels))])
    lengths = np.maximum(np.linalg.norm(centres, axis=1, keepdims=True), 1e-6)
    return Fitted(
        facts=Facts(labels=given.labels, embedder=embedder, rows=len(given.truth), sharpness=1.0, scope=()),
        columns=columns,
        rarity=rarity,
        weights=weights.astype(np.float16).astype(np.float32),
        bias=bias.astype(np.float32),
        centres=(centres / lengths).astype(np.float32),
    )


def _columns(words: Words) -> tuple[Whole, Floats]:
    """The buckets that say something, in order, and how rare each is."""
    seen = np.concatenate([buckets for buckets, _ in words]) if words else np.zeros(0, np.int32)
    columns, often = np.unique(seen, return_counts=True)
    kept = often >= (2 if len(words) >= RARE_FROM else 1)
    rarity = np.log((1 + len(words)) / (1 + often[kept])) + 1
    return columns[kept].astype(np.int32), rarity.astype(np.float32)


def _matrix(words: Words, columns: Whole, rarity: Floats) -> "tuple[csr_matrix, Floats]":
    from scipy.sparse import csr_matrix  # noqa: PLC0415  half a second that only fitting needs

    places, values, ends, shares = [], [], [0], []
    for buckets, counts in words:
        at = np.minimum(np.searchsorted(columns, buckets), len(columns) - 1)
        known = columns[at] == buckets
        places.append(at[known])
        values.append(weighed(counts[known], rarity[at[known]]))
        ends.append(ends[-1] + int(known.sum()))
        shares.append(float(known.mean()) if len(known) else 0.0)
    shape = (len(words), len(columns))
    made = csr_matrix((np.concatenate(values), np.concatenate(places), np.array(ends)), shape=shape, dtype=np.float32)
    return made, np.array(shares, np.float32)


def _lines(given: Read, columns: Whole, rarity: Floats) -> tuple[Floats, Floats]:
    """Half of the labels on each thread: what is not of its half is the rest to both, so the lines are the same."""
    from scipy.sparse import csr_matrix, hstack  # noqa: PLC0415  as above

    near = csr_matrix(given.vectors * np.float32(VECTOR_WEIGHT))
    table = hstack([_matrix(given.words, columns, rarity)[0], near]).tocsr()
    known = given.truth >= 0
    inside, truth = table[known], given.truth[known]
    halves = np.array_split(np.arange(len(given.labels)), THREADS if len(given.labels) >= 4 else 1)
    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(lambda half: _half(inside, truth, half), halves))
    found.append(_outside(table, known))
    weights = np.concatenate([each[0] for each in found], axis=1)
    weights[len(columns) :] *= VECTOR_WEIGHT
    return weights, np.concatenate([each[1] for each in found])


def _outside(table: "csr_matrix", known: Chosen) -> tuple[Any, Any]:
    """The line between what has a label and what has none."""
    from sklearn.svm import LinearSVC  # noqa: PLC0415  as above

    if (~known).sum() < ENOUGH_OUTSIDE * (FIFTHS - 2) // FIFTHS:  # two fifths may be held back
        return np.zeros((table.shape[1], 1)), np.zeros(1)
    line = LinearSVC(C=REGULARITY, class_weight="balanced", random_state=0).fit(table, ~known)
    return line.coef_.T, line.intercept_


def _half(table: "csr_matrix", truth: Whole, half: Whole) -> tuple[Any, Any]:
    from sklearn.svm import LinearSVC  # noqa: PLC0415  as above

    rest = int(truth.max()) + 1
    mine = np.where(np.isin(truth, half), truth, rest)
    line = LinearSVC(C=REGULARITY, random_state=0).fit(table, mine)
    if len(line.classes_) == 2:
        return np.concatenate([-line.coef_, line.coef_]).T, np.concatenate([-line.intercept_, line.intercept_])
    own = line.classes_ != rest
    return line.coef_[own].T, line.intercept_[own]
