"""Passages and their terms -> posting lists as the store keeps them, and back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

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
    rows: Iterable[tuple[str, bytes]], alive: npt.NDArray[np.bool_]
) -> Iterator[tuple[str, npt.NDArray[np.void]]]:
    """Rows in order of term -> each term once, with those passages whose number is true in `alive`."""
    for term, several in groupby(rows, key=itemgetter(0)):
        parts = [unpacked(blob) for _, blob in several]
        every = parts[0] if len(parts) == 1 else np.concatenate(parts)
        kept = every[alive[every["passage"]]]
        if len(kept):
            yield term, kept[np.argsort(kept["passage"], kind="stable")]
