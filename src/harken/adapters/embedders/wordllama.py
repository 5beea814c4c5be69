"""Texts -> the means of their tokens' vectors (WordLlama): no key, no network, nothing to fetch. The default.

The weights and the tokenizer are files of the package `wordllama`; its code is not imported, because it looks for the tokenizer
at a hub. What both say is the same to 1e-6. Source: https://github.com/dleemiller/WordLlama (MIT).
"""

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from harken.adapters.embedders import texts as words
from harken.errors import UnsuitableError
from harken.knowledge.ports import Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MODEL = "wordllama-l2-supercat-256@0.4.0"
DIMENSION = 256
WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"
AT_ONCE = 1024
"""Texts tokenised at a time: what a batch of any size needs in memory."""

_loading = Lock()


class WordLlama:
    """Loads at the first text: a fifth of a second and 50 MB. May be called from several threads."""

    model = MODEL
    dimension = DIMENSION
    quick = True

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, 256), float32. A text may have any length."""
        with _loading:
            tokenizer, vectors = _loaded()
        found = np.zeros((len(texts), DIMENSION), np.float32)
        for start in range(0, len(texts), AT_ONCE):
            some = words.readable(texts[start : start + AT_ONCE])
            for row, read in enumerate(tokenizer.encode_batch_fast(some, add_special_tokens=False), start):
                found[row] = _mean(read.ids, vectors)
        return words.directions(found)


def _mean(tokens: list[int], vectors: Vectors) -> Vectors:
    if not tokens:
        return np.zeros(DIMENSION, np.float32)
    if len(tokens) <= len(vectors):
        return np.asarray(vectors[tokens].mean(axis=0), np.float32)
    # A book: how often each token occurs, instead of a row for each occurrence.
    often = np.bincount(tokens, minlength=len(vectors)).astype(np.float32)
    return often @ vectors / np.float32(len(tokens))


@cache
def _loaded() -> "tuple[Tokenizer, Vectors]":
    # Held as float32, 33 MB. The file's own 16 MB of float16, mapped, would be shared by processes, and each text would
    # pay for the conversion: about a fifth of the speed.
    from safetensors.numpy import load_file  # noqa: PLC0415  only a search needs it
    from tokenizers import Tokenizer  # noqa: PLC0415  as above

    folder = _folder()
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer, load_file(folder / WEIGHTS)["embedding.weight"].astype(np.float32)


def _folder() -> Path:
    found = find_spec("wordllama")
    if found is None or found.origin is None:
        raise UnsuitableError("The package wordllama is not installed. Install Harken's own dependencies again.")
    return Path(found.origin).parent
