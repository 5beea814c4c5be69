"""A question and passages -> scores, by a cross-encoder behind `/rerank`: Cohere, Jina, vLLM.

    POST URL/rerank {"model", "query", "documents"}  ->  {"results": [{"index", "relevance_score"}, …]}

The question and the passages leave this machine. Source: https://docs.cohere.com/reference/rerank, https://docs.vllm.ai (Re-rank API).
"""

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from httpx2 import Client, HTTPError, HTTPStatusError, InvalidURL, TimeoutException
from pydantic import SecretStr

from harken.errors import TryAgainError

TIMEOUT_S = 5.0
"""Somebody waits for the search."""

# What the client raises, and what reading an answer of another shape does.
_UNREADABLE = (HTTPError, InvalidURL, ValueError, TypeError, LookupError, AttributeError)


class EndpointJudge:
    """Asks once and not again by itself."""

    def __init__(self, key: SecretStr, *, url: str, model: str, timeout_s: float = TIMEOUT_S) -> None:
        self.model = model
        self._host = urlsplit(url).hostname
        secret = key.get_secret_value()
        self._client = Client(headers={"Authorization": f"Bearer {secret}"} if secret else {}, timeout=timeout_s)
        self._url = f"{url.rstrip('/')}/rerank"

    def judge(self, question: str, passages: Sequence[str]) -> Sequence[float]:
        """One score a passage, from 0 to 1, in their order. Raises TryAgainError where the server does not give them."""
        if not passages:
            return ()
        body = {"model": self.model, "query": question, "documents": list(passages)}
        try:
            answer = self._client.post(self._url, json=body)
            answer.raise_for_status()
            scores = _scores(answer.json(), len(passages))
        except _UNREADABLE as failure:
            # The cause is dropped on purpose: it holds the request, and with it the key and what was written.
            raise TryAgainError(f"The judge at {self._host}: {_reason(failure)}.") from None
        return _within_one(scores)


def _scores(answer: Any, number: int) -> list[float]:
    """Raises ValueError and the like where it is not one number for each passage."""
    found = {int(each["index"]): float(each["relevance_score"]) for each in answer["results"]}
    if found.keys() != set(range(number)) or not all(map(math.isfinite, found.values())):
        raise ValueError("not one number for each passage")
    return [found[index] for index in range(number)]


def _within_one(scores: Sequence[float]) -> Sequence[float]:
    """A model that gives raw scores (logits) is known by one outside of 0 to 1; then all of them become probabilities."""
    if all(0 <= score <= 1 for score in scores):
        return scores
    return [(1 + math.tanh(score / 2)) / 2 for score in scores]


def _reason(failure: Exception) -> str:
    """Never the server's own text: it may repeat the key or the passages."""
    if isinstance(failure, HTTPStatusError):
        return f"HTTP {failure.response.status_code}"
    if isinstance(failure, TimeoutException):
        return "no answer in time"
    return "no connection" if isinstance(failure, HTTPError) else "the answer is not of the API"
