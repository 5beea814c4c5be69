"""A caller -> whether they may ask just now: so many requests a minute, counted in one table for all processes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cachetools import LRUCache

from harken.errors import TryAgainError
from harken.kit.clock import Clock, stopwatch
from harken.kit.db import Database
from harken.web.auth import store
from harken.web.auth.store import Bucket, Taken

MINUTE_S = 60
REST_S = 5.0
"""How long a table that did not answer is not asked: every request would wait for it anew."""

MOST_LOCAL = 10_000


class NotCountedError(TryAgainError):
    """Nobody can be counted just now, and what cannot be counted is not written. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """`left` None: not now, but in `wait_s`."""

    left: float | None
    wait_s: float = 0.0
    revoked: bool = False


class Limits:
    """Asks the table; while it does not answer, reads are counted here and writes are refused."""

    def __init__(self, database: Database | None, clock: Clock, *, per_minute: int) -> None:
        self._database, self._clock = database, clock
        self.per_minute = per_minute
        self._here = _Here()
        self._resting: Callable[[], float] | None = None

    def take(self, caller: bytes, token: bytes, *, writes: bool) -> Allowed:
        """Raises NotCountedError for a write that nobody can count."""
        bucket = Bucket(key=caller, most=self.per_minute, per_second=self.per_minute / MINUTE_S)
        taken = self._from_table(bucket, token)
        if taken is None and writes and self._database is not None:
            raise NotCountedError(after_s=REST_S)
        taken = taken or self._here.take(bucket)
        return Allowed(taken.left, taken.wait_s, taken.revoked)

    def _from_table(self, bucket: Bucket, token: bytes) -> Taken | None:
        if self._database is None or (self._resting is not None and self._resting() < REST_S):
            return None
        try:
            with self._database.statement() as tx:
                taken = store.take(tx, bucket, token, self._clock())
        except TryAgainError:
            self._resting = stopwatch()
            return None
        self._resting = None
        return taken

    def headers(self, allowed: Allowed) -> Mapping[str, str]:
        """As the IETF's draft says: a policy (quota and window) and what is left of it."""
        left = max(0, int(allowed.left or 0))
        full_in_s = -(-(self.per_minute - left) * MINUTE_S // self.per_minute)
        return {
            "RateLimit-Policy": f'"caller";q={self.per_minute};w={MINUTE_S}',
            "RateLimit": f'"caller";r={left};t={full_in_s}',
        }


class _Here:
    """This process's own buckets: where no table is, or none answers. The oldest are forgotten, and begin full again."""

    def __init__(self) -> None:
        self._seconds = stopwatch()
        self._buckets: LRUCache[bytes, tuple[float, float]] = LRUCache(MOST_LOCAL)

    def take(self, bucket: Bucket) -> Taken:
        now = self._seconds()
        left, at = self._buckets.get(bucket.key, (float(bucket.most), now))
        left = min(float(bucket.most), left + (now - at) * bucket.per_second)
        enough = left >= 1
        self._buckets[bucket.key] = (left - 1 if enough else left, now)
        return Taken(left - 1, 0.0, False) if enough else Taken(None, (1 - left) / bucket.per_second, False)
