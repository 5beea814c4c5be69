"""A cache that may be down -> one that is then left alone for a while, and said so once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeVar

from harken.errors import TryAgainError
from harken.kit import log
from harken.kit.clock import Clock
from harken.knowledge.cache import SharedCache

REST_S = 30.0

_log = log.logger(__name__)
Answer = TypeVar("Answer")


class Resting:
    """After a failure, half a minute in which it fails at once."""

    def __init__(self, cache: SharedCache, clock: Clock) -> None:
        self._cache, self._clock = cache, clock
        self._rests_until: datetime | None = None
        self._lock = Lock()

    @property
    def layer(self) -> str:
        return self._cache.layer

    def get_many(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        return self._tried(lambda: self._cache.get_many(keys))

    def put(self, values: Mapping[bytes, bytes], *, ttl_s: float) -> None:
        self._tried(lambda: self._cache.put(values, ttl_s=ttl_s))

    def _tried(self, ask: Callable[[], Answer]) -> Answer:
        now = self._clock()
        if self._rests_until and now < self._rests_until:
            raise TryAgainError(f"The cache {self.layer} rests", after_s=(self._rests_until - now).total_seconds())
        try:
            answer = ask()
        except TryAgainError as failed:
            self._rest(now, failed)
            raise
        self._rests_until = None
        return answer

    def _rest(self, now: datetime, failed: TryAgainError) -> None:
        """Of several that fail side by side, the first says so."""
        with self._lock:
            if self._rests_until is None or self._rests_until <= now:
                self._rests_until = now + timedelta(seconds=REST_S)
                _log.warning("cache_rests", layer=self.layer, why=str(failed), rests_s=REST_S)
