"""A cache that is down costs a search nothing but a moment, and is said so once."""

import io
import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence

import pytest
import redis_server
from cache_cases import STORE, Hand, counted, hand_of_a_clock, patient, redis_of_its_own, since  # noqa: F401  fixtures among them
from redis_server import Redis

from harken.adapters.caches import MemoryCache, PostgresCache, RedisCache, Resting
from harken.errors import TryAgainError, UnsuitableError
from harken.kit.db import Database
from harken.knowledge.cache import Layered


class Down:
    """A cache that never answers, and counts how often it was asked."""

    layer = "redis"
    asked = 0

    def get_many(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        self.asked += 1
        raise TryAgainError("Redis at h does not answer")

    def put(self, values: Mapping[bytes, bytes], *, ttl_s: float) -> None:
        self.get_many([])


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    held = io.StringIO()
    handler = logging.StreamHandler(held)
    logging.getLogger().addHandler(handler)
    yield held
    logging.getLogger().removeHandler(handler)


def test_a_cache_that_is_down_is_left_alone_for_half_a_minute_and_said_so_once(hand: Hand, lines: io.StringIO) -> None:
    down, near = Down(), MemoryCache(hand)
    layered, before = Layered(near, Resting(down, hand)), counted()

    for _ in range(5):
        assert layered.get_many([b"a"]) == {}
        layered.put({b"b": b"2"}, ttl_s=60)
        hand.on(5)
    assert down.asked == 1
    assert lines.getvalue().count("cache_rests") == 1
    assert layered.get_many([b"b"]) == {b"b": b"2"}
    assert since(before) == {"memory miss": 5, "redis failed": 5, "memory hit": 1}

    hand.on(6)
    layered.get_many([b"a"])
    assert down.asked == 2
    assert lines.getvalue().count("cache_rests") == 2


def test_a_redis_that_is_back_is_asked_again(hand: Hand) -> None:
    with redis_server.serving() as server:
        port, url = server.server_address[1], server.url
        layered = Layered(Resting(RedisCache(url, STORE), hand))
        layered.put({b"a": b"1"}, ttl_s=60)
        assert layered.get_many([b"a"]) == {b"a": b"1"}
        server.loading = True
        assert layered.get_many([b"a"]) == {}
        server.loading = False
        assert layered.get_many([b"a"]) == {}, "it rests"
    hand.on(31)
    with redis_server.serving(port):
        layered.put({b"a": b"2"}, ttl_s=60)
        hand.on(31)
        layered.put({b"a": b"3"}, ttl_s=60)
        assert layered.get_many([b"a"]) == {b"a": b"3"}


def test_a_silent_redis_is_not_waited_for(hand: Hand, redis: Redis) -> None:
    redis.silent = True
    layered = Layered(Resting(RedisCache(redis.url, STORE, timeout_s=0.1), hand))

    for _ in range(20):
        assert layered.get_many([b"a"]) == {}

    assert (redis.connections, len(redis.asked)) == (1, 1), "one connection, one word, and no second attempt"


@pytest.mark.parametrize(
    ("url", "kind"), [("redis://:HUSH@127.0.0.1:9/0", "ConnectionError"), ("redis://:HUSH@{}/0", "AuthenticationError")]
)
def test_a_redis_that_fails_is_one_line_without_its_password(url: str, kind: str, redis: Redis) -> None:
    made = RedisCache(url.format(f"127.0.0.1:{redis.server_address[1]}"), STORE)

    for ask in (lambda: made.get_many([b"a"]), lambda: made.put({b"a": b"1"}, ttl_s=1)):
        with pytest.raises(TryAgainError, match=kind) as failed:
            ask()
        assert "HUSH" not in str(failed.value)
        assert failed.value.__cause__ is None


@pytest.mark.parametrize("url", ["http://:HUSH@h", "redis://:HUSH@h:port", "h:6379"])
def test_an_address_that_is_no_redis(url: str) -> None:
    with pytest.raises(UnsuitableError, match="REDIS_URL is redis://") as refused:
        RedisCache(url, STORE)

    assert "HUSH" not in str(refused.value)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)

    with pytest.raises(UnsuitableError, match=re.escape('pip install "harken[redis]"')):
        RedisCache("redis://h", STORE)


def test_a_store_that_is_gone_fails_no_search(store_url: str, hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harken.kit.db.CONNECT_TIMEOUT_S", 0.2)
    gone = Database(re.sub(r":\d+/", ":9/", store_url))
    layered = Layered(MemoryCache(hand), Resting(PostgresCache(gone, hand), hand))

    layered.put({b"a": b"1"}, ttl_s=60)
    assert layered.get_many([b"a", b"b"]) == {b"a": b"1"}
    gone.close()
