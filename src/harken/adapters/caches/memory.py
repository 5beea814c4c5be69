"""What this process worked out lately: the quickest layer, bounded in bytes and in time."""

from collections.abc import Mapping, Sequence
from threading import Lock

from cachetools import TLRUCache

from harken.kit.clock import Clock
from harken.knowledge.cache import NEAR_TTL_S

MOST_BYTES = 64 * 1024 * 1024
ENTRY_BYTES = 300
"""What an entry costs besides its own bytes."""


class MemoryCache:
    """The least recently used goes first. May be called from several threads."""

    layer = "memory"

    def __init__(self, clock: Clock, *, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._lock = Lock()
        self._kept: TLRUCache[bytes, tuple[bytes, float]] = TLRUCache(
            most_bytes,
            ttu=lambda key, entry, now: now + entry[1],
            timer=lambda: clock().timestamp(),
            getsizeof=lambda entry: len(entry[0]) + ENTRY_BYTES,
        )

    def get_many(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        with self._lock:
            return {key: entry[0] for key in keys if (entry := self._kept.get(key))}

    def put(self, values: Mapping[bytes, bytes], *, ttl_s: float) -> None:
        """For five minutes at most. What is larger than the whole room is not kept."""
        with self._lock:
            for key, value in values.items():
                if len(value) + ENTRY_BYTES <= self._most:
                    self._kept[key] = value, min(ttl_s, NEAR_TTL_S)
