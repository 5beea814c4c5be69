"""What training leaves: weights and a page of facts, kept as two files that hold no word of any message."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from harken.classify.features import counted
from harken.classify.ports import Floats, Whole
from harken.errors import UnsuitableError

FORMAT = 1
WEIGHTS, FACTS = "weights.safetensors", "classifier.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything but the arrays."""

    labels: tuple[str, ...]
    embedder: str  #: model
    rows: int
    sharpness: float  #: what scores are multiplied with before they become probabilities
    scope: tuple[float, ...]  #: weights of `signs`, the last one alone
    format: int = FORMAT


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """Linear scores of each label over hashed n-grams and an embedding."""

    facts: Facts
    columns: Whole  #: buckets that were seen, in order
    rarity: Floats  #: of each column: its inverse document frequency
    weights: Floats  #: (columns + dimension, labels and the outside)
    bias: Floats  #: (labels and the outside,); the outside has zeros where too few messages showed it
    centres: Floats  #: (labels, dimension): where each label's messages lie

    @property
    def version(self) -> str:
        """Twelve digits that differ where anything differs."""
        told = hashlib.sha256(json.dumps(asdict(self.facts), sort_keys=True).encode())
        for array in (self.columns, self.rarity, self.weights, self.bias, self.centres):
            told.update(array.tobytes())
        return told.hexdigest()[:12]

    def scores(self, text: str, vector: Floats) -> tuple[Floats, Floats]:
        """The score of each label, and the signs that tell a known matter from a foreign one."""
        buckets, counts = counted(text)
        places = np.searchsorted(self.columns, buckets)
        known = (places < len(self.columns)) & (self.columns[np.minimum(places, len(self.columns) - 1)] == buckets)
        places = places[known]
        values = weighed(counts[known], self.rarity[places])
        found = values @ self.weights[places] + vector @ self.weights[len(self.columns) :] + self.bias
        share = float(known.mean()) if len(known) else 0.0
        read = signs(found[None, :], (self.centres @ vector)[None, :], np.array([share], np.float32))
        return found[:-1], read[0]


def weighed(counts: Whole, rarity: Floats) -> Floats:
    """Sublinear tf-idf of length 1."""
    values = (1 + np.log(counts)).astype(np.float32) * rarity
    length = float(np.linalg.norm(values))
    return values / np.float32(length) if length else values


def signs(scores: Floats, nearness: Floats, share: Floats) -> Floats:
    """Per row: the best score, its lead, the nearest centre, how much of the text was ever seen, the outside's score, and 1."""
    ordered = np.sort(scores[:, :-1], axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    read = [ordered[:, -1], lead, nearness.max(axis=1), share, scores[:, -1], np.ones(len(scores))]
    return np.stack(read, axis=1).astype(np.float32)


def keep(fitted: Fitted, folder: Path) -> None:
    """Both files or none: another process may be reading the ones before."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.ascontiguousarray(getattr(fitted, name)) for name in ("columns", "rarity", "bias", "centres")}
    arrays["weights"] = np.ascontiguousarray(fitted.weights, np.float16)
    packed = save(arrays, metadata={"facts": json.dumps(asdict(fitted.facts), sort_keys=True)})
    _replace(folder / WEIGHTS, packed)
    shown: Mapping[str, Any] = {**asdict(fitted.facts), "version": fitted.version}
    _replace(folder / FACTS, (json.dumps(shown, indent=1, sort_keys=True) + "\n").encode())


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)


def load_from(folder: Path) -> Fitted:
    """Raises UnsuitableError where the folder holds no classifier of this format."""
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError:
        raise UnsuitableError(f"There is no classifier in {folder}. Train one: harken train classifier.") from None
    try:
        facts = _facts(content)
        arrays = load(content)
        return Fitted(facts=facts, **{**arrays, "weights": arrays["weights"].astype(np.float32)})
    except (SafetensorError, ValueError, TypeError, KeyError):
        raise UnsuitableError(f"The classifier in {folder} cannot be read. Train it again.") from None


def _facts(content: bytes) -> Facts:
    """From the header of the same file, so that the two never disagree."""
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    said = json.loads(header["__metadata__"]["facts"])
    if said.get("format") != FORMAT:
        raise ValueError("another format")
    return Facts(**{**said, "labels": tuple(said["labels"]), "scope": tuple(said["scope"])})
