"""Texts -> vectors by all-MiniLM-L6-v2 as an int8 ONNX graph: finds paraphrases much better, a hundred times slower.

The model is made once by `harken models fetch minilm`; nothing is fetched here. Source: sentence-transformers/all-MiniLM-L6-v2
(Apache-2.0), Wang et al. 2020.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from harken.adapters.embedders import texts as words
from harken.errors import UnsuitableError
from harken.knowledge.ports import Vectors

NAME = "minilm"
MODEL = "all-minilm-l6-v2-int8@1110a243"
DIMENSION = 384
MOST_TOKENS = 256
"""What the model was trained for, the two marks at the ends included."""

GRAPH, TOKENIZER = "model.int8.onnx", "tokenizer.json"
MISSING_EXTRA = 'The model minilm needs two more packages: pip install "harken[minilm]".'


def folder(home: Path) -> Path:
    return home / "models" / NAME


class MiniLM:
    """Loads at the first text: half a second. May be called from several threads.

    Texts go through one by one, as many at a time as there are processors, and not in padded batches: here that is as fast, and a
    text has the same vector whatever comes with it, since int8 scales are taken from all that goes through together.
    A text longer than 256 tokens is read in windows of that length; its vector is the mean of theirs, each as its tokens weigh.
    """

    model = MODEL
    dimension = DIMENSION
    quick = False

    def __init__(self, home: Path, *, threads: int | None = None) -> None:
        self._folder = folder(home)
        self._threads = threads or os.cpu_count() or 1
        self._loading = Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, 384), float32. Raises UnsuitableError where the model was not fetched."""
        with self._loading:
            tokenizer, pool = self._tokenizer, self._pool
            _ = self._runner
        found = np.zeros((len(texts), DIMENSION), np.float32)
        read = tokenizer.encode_batch_fast(words.readable(texts), add_special_tokens=False)
        for row, vector in enumerate(pool.map(self._vector, (each.ids for each in read))):
            found[row] = vector
        return words.directions(found)

    def _vector(self, tokens: list[int]) -> Vectors:
        room = MOST_TOKENS - 2
        vector = np.zeros(DIMENSION, np.float32)
        for start in range(0, len(tokens), room):
            window = tokens[start : start + room]
            marked = np.array([[self._first, *window, self._last]], np.int64)
            vector += len(window) * self._runner.run(None, {"input_ids": marked})[0][0]
        return vector

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix=NAME)

    @cached_property
    def _runner(self) -> Any:
        return runner(self._folder / GRAPH)

    @cached_property
    def _tokenizer(self) -> Any:
        if not (self._folder / GRAPH).exists():
            raise UnsuitableError(
                f"The model minilm is not in {self._folder}. Run `harken models fetch minilm`, or leave HARKEN_EMBEDDER unset."
            )
        return tokenizer(self._folder / TOKENIZER)

    @cached_property
    def _first(self) -> int:
        return int(self._tokenizer.token_to_id("[CLS]"))

    @cached_property
    def _last(self) -> int:
        return int(self._tokenizer.token_to_id("[SEP]"))


def tokenizer(path: Path) -> Any:
    """The file's own padding and truncation are those of a batch."""
    from tokenizers import Tokenizer  # noqa: PLC0415  only a search needs it

    made = Tokenizer.from_file(str(path))
    made.no_padding()
    made.no_truncation()
    return made


def runner(graph: Path) -> Any:
    """One thread a run: side by side texts make better use of a processor than one text in pieces."""
    try:
        import onnxruntime  # noqa: PLC0415  an extra
        from onnxruntime.capi.onnxruntime_pybind11_state import (  # noqa: PLC0415  as above
            Fail,
            InvalidArgument,
            InvalidGraph,
            InvalidProtobuf,
            NoSuchFile,
        )
    except ImportError:
        raise UnsuitableError(MISSING_EXTRA) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile) as broken:
        raise UnsuitableError(
            f"{graph} cannot be read as a model ({type(broken).__name__}). Remove its folder and run `harken models fetch minilm`."
        ) from None
