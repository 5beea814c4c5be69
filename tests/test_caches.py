"""What was worked out before is found again, near or shared, for as long as it may be kept."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cache_cases import STORE, Hand, counted, database_of_a_cache, hand_of_a_clock, patient, redis_of_its_own, since  # noqa: F401  fixtures among them
from pydantic import SecretStr
from redis_server import Redis

from harken.adapters.caches import MemoryCache, PostgresCache, RedisCache
from harken.bootstrap import library
from harken.kit.clock import wall_clock
from harken.kit.db import Database
from harken.knowledge.cache import NEAR_TTL_S, Layered, SharedCache
from harken.settings import Settings

ODD = {b"\x00key\xff": b"\x00value\r\n\xff" * 1000, b"empty": b"", b"a": b"1"}


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
