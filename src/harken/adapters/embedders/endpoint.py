"""Texts -> vectors by any server that speaks OpenAI's `/embeddings`: OpenAI itself, vLLM, Ollama, text-embeddings-inference, …

The texts leave this machine. Source: https://platform.openai.com/docs/api-reference/embeddings
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from httpx2 import HTTPError, InvalidURL
from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAI, OpenAIError
from pydantic import SecretStr

from harken.adapters.embedders import texts as words
from harken.errors import TryAgainError
from harken.knowledge.ports import Vectors

AT_ONCE = 128
"""Texts in a request: what every server we know of takes."""

# What the client may raise on an answer that is not of the API.
_UNREADABLE = (OpenAIError, HTTPError, InvalidURL, ValueError, TypeError, AttributeError)


class EndpointEmbedder:
    """Asks once for each 128 texts, and not again by itself; a text without a word is not sent."""

    quick = False

    def __init__(
        self, key: SecretStr, *, url: str, model: str, dimension: int | None = None, timeout_s: float = 20.0
    ) -> None:
        self.model = f"{model}:{dimension}" if dimension else model
        self._name, self._host = model, urlsplit(url).hostname
        self._wanted: dict[str, Any] = {"dimensions": dimension} if dimension else {}
        self._dimension = dimension
        self._client = OpenAI(api_key=key.get_secret_value() or "none", base_url=url, max_retries=0, timeout=timeout_s)

    @property
    def dimension(self) -> int:
        """Where it is not set and nothing was embedded yet, the server is asked."""
        return self._dimension or self._ask(["dimension"]).shape[1]

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (texts, dimension), float32. Raises TryAgainError where the server does not answer with vectors."""
        said = words.readable(texts)
        rows = [row for row, text in enumerate(said) if text]
        answers = [
            self._ask([said[row] for row in rows[start : start + AT_ONCE]]) for start in range(0, len(rows), AT_ONCE)
        ]
        found = np.zeros((len(said), self.dimension), np.float32)
        if answers:
            found[rows] = np.concatenate(answers)
        return words.directions(found)

    def _ask(self, texts: list[str]) -> Vectors:
        """The cause is dropped on purpose: it holds the request, and with it the key and what was written."""
        try:
            answer = self._client.embeddings.create(
                input=texts, model=self._name, encoding_format="float", **self._wanted
            )
            ordered = sorted(answer.data, key=lambda each: each.index)
            vectors = np.array([each.embedding for each in ordered], np.float32)
        except _UNREADABLE as failure:
            raise TryAgainError(f"The embeddings of {self._host}: {_reason(failure)}.") from None
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise TryAgainError(f"The embeddings of {self._host}: the answer is not one vector a text.")
        if vectors.shape[1] != (self._dimension or vectors.shape[1]):
            raise TryAgainError(
                f"The embeddings of {self._host}: {vectors.shape[1]} numbers a text instead of {self._dimension}."
            )
        self._dimension = vectors.shape[1]
        return vectors


def _reason(failure: Exception) -> str:
    """Never the server's own text: it may repeat the key or the texts."""
    if isinstance(failure, APIStatusError):
        return f"HTTP {failure.status_code}"
    if isinstance(failure, APITimeoutError):
        return "no answer in time"
    return "no connection" if isinstance(failure, APIConnectionError) else "the answer is not of the API"
