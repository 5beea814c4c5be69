"""A text -> which hashed words, pairs of words and pieces of words stand in it, and how often.

Hashed, so that what is kept of an organisation's messages holds none of their words.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from zlib import crc32

import numpy as np

from harken.classify.ports import Whole
from harken.kit.words import split

BUCKETS = 1 << 22
SHORTEST, LONGEST = 3, 5
"""Letters of a piece of a word, its two ends included."""

MOST_CHARACTERS = 4_000
"""What is read of a text: its matter is said by then, and nobody can make it slow."""

_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that set no space between words: there one to three characters are a piece."""


def counted(text: str) -> tuple[Whole, Whole]:
    """The buckets of a text in order, and how often each was hit."""
    hits = Counter(crc32(gram.encode("utf-8", "replace")) % BUCKETS for gram in _grams(split(text[:MOST_CHARACTERS])))
    buckets = np.fromiter(sorted(hits), np.int32, len(hits))
    return buckets, np.fromiter((hits[bucket] for bucket in buckets.tolist()), np.int32, len(hits))


def _grams(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        yield f"w {word}"
        yield from _pieces(word)
    for first, second in pairwise(words):
        yield f"b {first} {second}"


def _pieces(word: str) -> Iterator[str]:
    if _DENSE.search(word):
        marked, shortest, longest = word, 1, 3
    else:
        marked, shortest, longest = f"^{word}$", SHORTEST, LONGEST
    for length in range(shortest, longest + 1):
        if len(marked) <= length:
            yield f"c {marked}"
            return
        for at in range(len(marked) - length + 1):
            yield f"c {marked[at : at + length]}"
