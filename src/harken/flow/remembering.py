"""A question of a reader -> what was found for it before, in the same library: numbers and scores, never a text.

What is remembered is read again as the reader, so nothing that he may not see could come out of a cache, whatever was in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from harken.flow.library_desk import LibraryDesk
from harken.knowledge.access import Reader
from harken.knowledge.found import Hit
from harken.knowledge.ports import Embedder
from harken.knowledge.store import Standing

SHARED_S = 3600.0
"""In memory it is kept for five minutes at most (`knowledge.cache`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A hit without its passage."""

    number: int
    score: float
    parts: dict[str, float]
    why: str


def key_of(question: str, reader: Reader, at: Standing, limits: object, now: datetime, desk: LibraryDesk) -> bytes:
    """Everything an answer depends on. Documents come into force while nothing changes, so the hour is part of it."""
    judge = desk.judge.model if desk.judge else ""
    asked = [question, astuple(reader), at.version, at.model, repr(limits), judge, f"{now:%Y-%m-%dT%H}"]
    return desk.master.fingerprint("search", orjson.dumps(asked))


def recall(key: bytes, desk: LibraryDesk) -> list[Place] | None:
    there = desk.cache.get_many([key]).get(key)
    return None if there is None else [Place(**each) for each in orjson.loads(there)]


def remember(key: bytes, hits: Sequence[Hit], desk: LibraryDesk) -> None:
    places: list[dict[str, Any]] = [
        {"number": hit.passage.number, "score": hit.score, "parts": dict(hit.parts), "why": hit.why} for hit in hits
    ]
    desk.cache.put({key: orjson.dumps(places)}, ttl_s=SHARED_S)


def vector_of(
    question: str, embedder: Embedder, made: Callable[[Embedder], np.ndarray], desk: LibraryDesk
) -> np.ndarray:
    """The vector of a question; asked for once in a while only where a model takes its time or its price."""
    if embedder.quick:
        return made(embedder)
    key = desk.master.fingerprint("question", orjson.dumps([embedder.model, question]))
    there = desk.cache.get_many([key]).get(key)
    if there is not None:
        return np.frombuffer(there, np.float32)
    vector = made(embedder)
    desk.cache.put({key: vector.astype(np.float32).tobytes()}, ttl_s=SHARED_S)
    return vector
