"""What was worked out before is found again, near or shared; and a cache that is down costs a search nothing."""

import io
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis_server
from pydantic import SecretStr
from redis_server import Redis

from harken.adapters.caches import MemoryCache, PostgresCache, RedisCache, Resting
from harken.bootstrap import library
from harken.errors import TryAgainError, UnsuitableError
from harken.kit import observe
from harken.kit.clock import wall_clock
from harken.kit.db import Database
from harken.knowledge.cache import NEAR_TTL_S, Layered, SharedCache
from harken.settings import Settings

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
STORE = "postgresql://one:secret@h/d"
ODD = {b"\x00key\xff": b"\x00value\r\n\xff" * 1000, b"empty": b"", b"a": b"1"}


class Hand:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    made = Database(store_url)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no Redis that is down."""
    monkeypatch.setattr(RedisCache.__init__, "__kwdefaults__", {"timeout_s": 10.0})


@pytest.fixture
def redis() -> Iterator[Redis]:
    with redis_server.serving() as server:
        yield server


@pytest.fixture(params=["memory", "postgres", "redis"])
def cache(request: pytest.FixtureRequest, hand: Hand) -> SharedCache:
    made: dict[str, Callable[[], SharedCache]] = {
        "memory": lambda: MemoryCache(hand),
        "postgres": lambda: PostgresCache(request.getfixturevalue("database"), hand),
        "redis": lambda: RedisCache(request.getfixturevalue("redis").url, STORE),
    }
    return made[request.param]()


def test_what_was_put_is_found(cache: SharedCache) -> None:
    cache.put(ODD, ttl_s=60)

    assert cache.get_many([*ODD, b"missing"]) == ODD
    assert cache.get_many([]) == {}
    cache.put({}, ttl_s=60)
    cache.put({b"a": b"2"}, ttl_s=60)
    assert cache.get_many([b"a"]) == {b"a": b"2"}


@pytest.mark.parametrize("kind", ["memory", "postgres"])
def test_what_expired_is_not_there(kind: str, hand: Hand, request: pytest.FixtureRequest) -> None:
    made = MemoryCache(hand) if kind == "memory" else PostgresCache(request.getfixturevalue("database"), hand)
    made.put({b"soon": b"1"}, ttl_s=10)
    made.put({b"later": b"2"}, ttl_s=100)
    hand.on(10.1)

    assert made.get_many([b"soon", b"later"]) == {b"later": b"2"}
    if isinstance(made, PostgresCache):
        assert [made.sweep(), made.sweep()] == [1, 0]
        assert made.get_many([b"later"]) == {b"later": b"2"}


def test_a_redis_is_told_how_long(redis: Redis) -> None:
    RedisCache(redis.url, STORE).put({b"a": b"1"}, ttl_s=100)

    [(_, until)] = redis.held.values()
    assert 99 < until - time.monotonic() <= 100


def test_the_memory_keeps_nothing_for_longer_than_five_minutes(hand: Hand) -> None:
    made = MemoryCache(hand)
    made.put({b"a": b"1"}, ttl_s=1e9)
    hand.on(NEAR_TTL_S + 1)

    assert made.get_many([b"a"]) == {}


def test_the_memory_is_bounded_in_bytes_and_the_least_used_goes_first(hand: Hand) -> None:
    made = MemoryCache(hand, most_bytes=10_000)
    made.put({b"%d" % number: bytes(1000) for number in range(7)}, ttl_s=60)
    made.get_many([b"0"])
    made.put({b"new": bytes(1000), b"huge": bytes(20_000)}, ttl_s=60)

    kept = made.get_many([b"0", b"1", b"6", b"new", b"huge"])
    assert sorted(kept) == [b"0", b"6", b"new"]


def test_threads_share_a_cache(cache: SharedCache) -> None:
    def use(number: int) -> bool:
        value = {b"%d" % (number % 10 + each): b"v" for each in range(10)}
        cache.put(value, ttl_s=60)
        return cache.get_many(list(value)) == value

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(200)))


def test_two_stores_on_one_redis_see_nothing_of_each_other(redis: Redis) -> None:
    RedisCache(redis.url, STORE).put({b"a": b"1"}, ttl_s=60)

    assert RedisCache(redis.url, STORE.replace("/d", "/e")).get_many([b"a"]) == {}
    assert RedisCache(redis.url, STORE).get_many([b"a"]) == {b"a": b"1"}
    assert not any(b"secret" in key for key in redis.held)


def counted() -> dict[tuple[str, str], float]:
    page = observe.page({}).decode()
    found = re.findall(r'^support_cache_requests_total\{layer="(\w+)",result="(\w+)"\} (\S+)', page, re.MULTILINE)
    return {(layer, result): float(number) for layer, result, number in found}


def since(before: Mapping[tuple[str, str], float]) -> dict[str, float]:
    after = counted()
    return {
        f"{layer} {result}": number - before.get((layer, result), 0)
        for (layer, result), number in after.items()
        if number != before.get((layer, result), 0)
    }


def test_the_nearest_that_has_it_answers_and_every_request_is_counted(hand: Hand, database: Database) -> None:
    near, far = MemoryCache(hand), PostgresCache(database, hand)
    layered, before = Layered(near, far), counted()
    far.put({b"a": b"1", b"b": b"2"}, ttl_s=60)

    assert layered.get_many([b"a", b"c", b"a"]) == {b"a": b"1"}
    assert since(before) == {"memory miss": 2, "store hit": 1, "store miss": 1}
    assert near.get_many([b"a", b"b"]) == {b"a": b"1"}
    before = counted()
    assert layered.get_many([b"a"]) == {b"a": b"1"}
    assert since(before) == {"memory hit": 1}


def test_what_is_put_is_in_every_layer(hand: Hand, database: Database) -> None:
    near, far = MemoryCache(hand), PostgresCache(database, hand)

    Layered(near, far).put({b"a": b"1"}, ttl_s=60)

    assert near.get_many([b"a"]) == far.get_many([b"a"]) == {b"a": b"1"}


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


def test_the_settings_choose(tmp_path: Path, database: Database, redis: Redis) -> None:
    plain = Settings(_env_file=None, home=tmp_path)
    shared = plain.model_copy(update={"redis_url": SecretStr(redis.url)})

    library.shared_cache_of(plain, database).put({b"a": b"1"}, ttl_s=60)
    library.shared_cache_of(shared, database).put({b"b": b"2"}, ttl_s=60)

    assert library.shared_cache_of(plain, database).get_many([b"a", b"b"]) == {b"a": b"1"}
    assert library.shared_cache_of(shared, database).get_many([b"a", b"b"]) == {b"b": b"2"}


def test_whoever_serves_may_use_the_table_and_not_drop_it(database: Database) -> None:
    cache: Any = PostgresCache(database, wall_clock)
    cache.put({b"a": b"1"}, ttl_s=60)
    with database.statement() as tx:
        role = tx.execute("SELECT current_user AS role").fetchone()
        persistence = tx.execute("SELECT relpersistence FROM pg_class WHERE relname = 'knowledge_cache'").fetchone()

    assert role == {"role": "harken_app"}
    assert persistence == {"relpersistence": "u"}
