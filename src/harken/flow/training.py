"""A file of labelled messages -> a classifier of the organisation's own, and a report on messages that it had not seen."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson

from harken.classify import calibrate, fitting, labels, measures
from harken.classify.fitted import Fitted, keep
from harken.classify.measures import OfLabel, Told
from harken.classify.ports import Embedder
from harken.domain.classification import OUT_OF_SCOPE
from harken.errors import UnsuitableError
from harken.intake import encoding

MOST_BYTES = 1 << 29
ROUNDED = 4

Step = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """On the held-back fifth; the classifier that is kept was fitted on all rows."""

    name: str
    labels: int
    rows: int
    skipped: Mapping[str, int]  #: reason -> rows that could not be used
    held_back: int
    accuracy: float
    macro_f1: float
    ece: float
    out_of_scope_recall: float | None  #: None: nothing was labelled out of scope
    refused: float  #: share of messages with a label that were called out of scope
    by_label: Sequence[OfLabel] = field(default_factory=list)
    confused: Sequence[tuple[str, str, int]] = field(default_factory=list)  #: what it is, what was said, how often


def train(path: Path, name: str, folder: Path, embedder: Embedder, step: Step) -> Trained:
    """Fits, reports and keeps. Raises UnsuitableError where the file cannot be learned from; then nothing is kept."""
    step("Reading")
    given = labels.usable(_pairs(path))
    read = fitting.read(given.rows, embedder)
    step("Fitting on four fifths")
    fitted, fifth = fitting.held_back(read, embedder.model)
    unseen = fitting.score(fitted, fifth)
    told = said_of(fitted, unseen)
    step("Fitting on all")
    keep(fitting.whole(read, embedder.model, unseen), folder)
    return _report(name, given, told)


def said_of(fitted: Fitted, unseen: fitting.Scored) -> list[Told]:
    """What the classifier says of each message, by the same sums as one at a time."""
    facts = fitted.facts
    inside = calibrate.sigmoid(unseen.signs.astype(np.float64) @ np.array(facts.scope))
    shares = calibrate.softmax(unseen.scores[:, :-1] * facts.sharpness) * inside[:, None]
    likely = np.concatenate([shares, 1 - inside[:, None]], axis=1)
    names = [*facts.labels, OUT_OF_SCOPE]
    best = likely.argmax(axis=1)
    return [
        Told(names[truth], names[said], float(likely[row, said]))
        for row, (truth, said) in enumerate(zip(unseen.truth.tolist(), best.tolist(), strict=True))
    ]


def _report(name: str, given: labels.Usable, told: Sequence[Told]) -> Trained:
    known = sorted(given.counts)
    outside = measures.recall(told, OUT_OF_SCOPE)
    inside = [each for each in told if each.truth != OUT_OF_SCOPE]
    pairs = measures.confused(told)
    return Trained(
        name=name,
        labels=len(known),
        rows=len(given.rows),
        skipped=given.skipped,
        held_back=len(told),
        accuracy=round(measures.accuracy(told), ROUNDED),
        macro_f1=round(measures.macro_f1(told, known), ROUNDED),
        ece=round(measures.ece(told), ROUNDED),
        out_of_scope_recall=None if outside is None else round(outside, ROUNDED),
        refused=round(sum(each.said == OUT_OF_SCOPE for each in inside) / len(inside), ROUNDED),
        by_label=measures.by_label(told, known),
        confused=[(truth, said, often) for (truth, said), often in pairs.items()],
    )


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UnsuitableError(f"{path} is larger than {MOST_BYTES >> 20} MB. Take a part of it.")
        text = encoding.decode(path.read_bytes())
    except OSError as wrong:
        raise UnsuitableError(f"{path} cannot be read: {wrong.strerror}.") from None
    yield from _of_jsonl(text) if path.suffix.lower() in (".jsonl", ".ndjson") else _of_csv(text)


def _of_csv(text: str) -> Iterator[tuple[str, str]]:
    rows = csv.DictReader(text.splitlines(keepends=True))
    names = {(name or "").strip().lower().lstrip("\ufeff"): name for name in rows.fieldnames or ()}
    label = names.get("label", names.get("category"))
    if "text" not in names or label is None:
        raise UnsuitableError("The file's first line must name the columns `text` and `label`.")
    try:
        for row in rows:
            yield row[names["text"]] or "", row[label] or ""
    except csv.Error as wrong:
        raise UnsuitableError(f"Line {rows.line_num} is not CSV: {wrong}.") from None


def _of_jsonl(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            match orjson.loads(line):
                case {"text": str() as words, "label": str() as label}:
                    yield words, label
                case _:
                    raise UnsuitableError(f"Line {number} is not an object with the texts `text` and `label`.")
        except orjson.JSONDecodeError:
            raise UnsuitableError(f"Line {number} is not JSON.") from None
