"""Passages and their terms -> posting lists as the store keeps them, and back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

ENTRY = np.dtype([("passage", "<u4"), ("times", "<u2"), ("length", "<u2")])
"""Where a term stands, how often, and how many terms the passage has."""

_MOST = 65_535

Postings = Mapping[str, npt.NDArray[np.void]]


def invert(passages: Iterable[tuple[int, Sequence[str]]]) -> dict[str, npt.NDArray[np.void]]:
    """(passage number, its terms) in order of number -> each term's entries."""
    lists: dict[str, list[tuple[int, int, int]]] = {}
    for number, terms in passages:
        length = min(len(terms), _MOST)
        for term, times in Counter(terms).items():
            lists.setdefault(term, []).append((number, min(times, _MOST), length))
    return {term: np.array(entries, ENTRY) for term, entries in lists.items()}


def unpacked(blob: bytes) -> npt.NDArray[np.void]:
    return np.frombuffer(blob, ENTRY)


def joined(
    rows: Iterable[tuple[str, bytes]], alive: npt.NDArray[np.uint32]
) -> Iterator[tuple[str, npt.NDArray[np.void]]]:
    """Rows in order of term -> each term once, without passages that are not in `alive` (sorted)."""
    held, parts = "", list[npt.NDArray[np.void]]()
    for term, blob in rows:
        if term != held and parts:
            yield from _one(held, parts, alive)
            parts = []
        held = term
        parts.append(unpacked(blob))
    if parts:
        yield from _one(held, parts, alive)


def _one(
    term: str, parts: list[npt.NDArray[np.void]], alive: npt.NDArray[np.uint32]
) -> Iterator[tuple[str, npt.NDArray[np.void]]]:
    every = np.concatenate(parts)
    every = every[np.isin(every["passage"], alive, assume_unique=True)]
    if len(every):
        yield term, every[np.argsort(every["passage"], kind="stable")]
