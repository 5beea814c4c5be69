"""What the tests of caches share: a clock that somebody sets, a store, a Redis, and what the metrics counted."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import pytest
import redis_server
from redis_server import Redis

from harken.adapters.caches import RedisCache
from harken.kit import observe
from harken.kit.db import Database

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)
STORE = "postgresql://one:secret@h/d"


class Hand:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture(name="hand")
def hand_of_a_clock() -> Hand:
    return Hand()


@pytest.fixture(name="database")
def database_of_a_cache(store_url: str) -> Iterator[Database]:
    made = Database(store_url)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no Redis that is down."""
    monkeypatch.setattr(RedisCache.__init__, "__kwdefaults__", {"timeout_s": 10.0})


@pytest.fixture(name="redis")
def redis_of_its_own() -> Iterator[Redis]:
    with redis_server.serving() as server:
        yield server


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
