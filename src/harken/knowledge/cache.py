"""Answers that were worked out before, near and shared: a search may ask for them, and never fails or waits for want of them.

A key is made by whoever asks, of everything an answer depends on: the reader's scope, the version of the index, the question. A change
of any of them is another key, so nothing ever has to be taken out.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from harken.errors import TryAgainError
from harken.kit import observe

NEAR_TTL_S = 300.0
"""How long at most a process keeps what another may have replaced."""


class SharedCache(Protocol):
    """Bytes by bytes, for a while."""

    @property
    def layer(self) -> str:
        """What its metrics are called by."""
        ...

    def get_many(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Those of them that are there. Raises TryAgainError where it does not answer."""
        ...

    def put(self, values: Mapping[bytes, bytes], *, ttl_s: float) -> None:
        """Raises TryAgainError where it does not answer."""
        ...


class Layered:
    """The nearest first; what a farther one has is kept nearer. One that does not answer has nothing."""

    layer = "all"

    def __init__(self, *layers: SharedCache) -> None:
        self._layers = layers

    def get_many(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """Raises nothing that a layer says of itself."""
        found: dict[bytes, bytes] = {}
        for at, layer in enumerate(self._layers):
            wanted = [key for key in dict.fromkeys(keys) if key not in found]
            if not wanted:
                break
            there = _asked(layer, wanted)
            if there:
                found.update(there)
                _put(self._layers[:at], there, NEAR_TTL_S)
        return found

    def put(self, values: Mapping[bytes, bytes], *, ttl_s: float) -> None:
        """In every layer that answers."""
        if values:
            _put(self._layers, values, ttl_s)


def _asked(layer: SharedCache, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
    try:
        there = layer.get_many(keys)
    except TryAgainError:
        observe.add(observe.CACHE_REQUESTS, len(keys), layer=layer.layer, result="failed")
        return {}
    observe.add(observe.CACHE_REQUESTS, len(there), layer=layer.layer, result="hit")
    observe.add(observe.CACHE_REQUESTS, len(keys) - len(there), layer=layer.layer, result="miss")
    return there


def _put(layers: Sequence[SharedCache], values: Mapping[bytes, bytes], ttl_s: float) -> None:
    for layer in layers:
        try:
            layer.put(values, ttl_s=ttl_s)
        except TryAgainError:
            continue  # whoever asks for it next works it out again
