"""What any process on this store worked out, in a Redis (or Valkey): quicker than the store's own table.

It is given a tenth of a second: a search that waited longer for it would better have done the work.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from harken.errors import TryAgainError, UnsuitableError

TIMEOUT_S = 0.1


class RedisCache:
    """Keys of one store only: several stores may share a Redis. Raises TryAgainError where it does not answer."""

    layer = "redis"

    def __init__(self, url: str, store_url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        """The store's URL, with its password, tells stores apart; only its hash leaves this process."""
        try:
            import redis  # noqa: PLC0415  an extra
            from redis.backoff import NoBackoff  # noqa: PLC0415  as above
            from redis.retry import Retry  # noqa: PLC0415  as above
        except ImportError:
            raise UnsuitableError('REDIS_URL needs one more package: pip install "harken[redis]".') from None
        self._errors = redis.RedisError
        self._of_this_store = b"harken:" + blake2b(store_url.encode(), digest_size=12).hexdigest().encode() + b":"
        try:
            self._host = urlsplit(url).hostname or "its socket"
            # The protocol's version 2 is spoken by every Redis there is; a second attempt would double the wait.
            self._client: Any = redis.Redis.from_url(
                url,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
            )
        except ValueError:
            raise UnsuitableError(
                "REDIS_URL is redis://[:PASSWORD@]HOST:PORT/NUMBER, rediss://… or unix://PATH."
            ) from None

    def get_many(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        if not keys:
            return {}
        try:
            found = self._client.mget([self._of_this_store + key for key in keys])
        except self._errors as broken:
            raise self._failed(broken) from None
        return {key: value for key, value in zip(keys, found, strict=True) if value is not None}

    def put(self, values: Mapping[bytes, bytes], *, ttl_s: float) -> None:
        try:
            with self._client.pipeline(transaction=False) as together:
                for key, value in values.items():
                    together.set(self._of_this_store + key, value, px=max(1, int(ttl_s * 1000)))
                together.execute()
        except self._errors as broken:
            raise self._failed(broken) from None

    def _failed(self, broken: Exception) -> TryAgainError:
        """Only the kind of error: its words may repeat the URL."""
        return TryAgainError(f"Redis at {self._host} does not answer ({type(broken).__name__})")
