"""Texts -> texts that every tokenizer takes; sums of vectors -> directions."""

import re
from collections.abc import Sequence

import numpy as np

from harken.kit.characters import whole
from harken.knowledge.ports import Vectors

_WORD = re.compile(r"\w")


def readable(texts: Sequence[str]) -> list[str]:
    """Half a character (a lone surrogate), which no tokenizer takes, becomes U+FFFD; a text without a word, the empty one."""
    return [whole(text) if _WORD.search(text) else "" for text in texts]


def directions(vectors: Vectors) -> Vectors:
    """Each row at length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    found = np.zeros_like(vectors)
    np.divide(vectors, lengths, out=found, where=lengths > 0)
    return found
