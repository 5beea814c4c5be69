"""Live equals backfill, in any order, any batches and with any redelivery: by whole tables, by a rebuild, by naive reading."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest
from conftest import fresh_store
from examples import tries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from identity_cases import naive
from journey import NOW, Steady, quick, rows_of, take_in_events
from live_cases import Event, arrival, live_desk, receive_all, shuffled, towns
from profiles_naive import MUTANTS, naive_values
from test_who_is_who import members_and_conflicts, whole, words_of

from harken.flow import following, rebuild
from harken.flow.arriving import Outcome
from harken.flow.live import receive
from harken.profiles import fold, read, stored

LOG = (
    "SELECT identity, kind, (extract(epoch FROM at) * 1000000)::bigint AS at, channel, addressed_to, language, sentiment, "
    "urgency, signals, attributes FROM event"
)


def in_batches(url: str, delivered: list[Event], chance: Random, most: int = 200) -> int:
    """Received in batches of any size; how many were new."""
    arrivals, new = [arrival(event) for event in delivered], 0
    with live_desk(url) as desk:
        while arrivals:
            size = chance.randint(1, most)
            receipts = receive(arrivals[:size], desk)
            new += sum(receipt.outcome is Outcome.ACCEPTED for receipt in receipts)
            del arrivals[:size]
    return new


def compared_with_naive(url: str, events: list[Event]) -> int:
    """How many values were compared: every feature of every customer, of one identity or of several."""
    members, conflicts = naive(words_of(events))
    assert members_and_conflicts(url) == (members, conflicts)
    log = rows_of(url, LOG)
    as_of_us = max(row["at"] for row in log) + 1
    states: dict[str, list[fold.State]] = {}
    for row in rows_of(url, "SELECT identity, state FROM profile"):
        states.setdefault(members.get(row["identity"], row["identity"]), []).append(stored.from_bytes(row["state"]))
    live = {(who, name): value for who, of in states.items() for name, value in read.read(of, as_of_us).items()}
    wanted = naive_values(log, as_of_us, members)
    assert live.keys() == wanted.keys()
    assert [key for key in wanted if live[key] != wanted[key]] == []
    return len(wanted)


Fresh: TypeAlias = Callable[[], AbstractContextManager[str]]


@pytest.fixture
def fresh(postgres_url: str, _template: str) -> Fresh:
    """A store of its own for each example of one test."""
    return lambda: fresh_store(postgres_url, _template)


@settings(max_examples=tries(6), deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), size=st.integers(1, 25), data=st.data())
def test_any_order_and_any_batches(
    fresh: Fresh, tmp_path_factory: pytest.TempPathFactory, seed: int, size: int, data: st.DataObject
) -> None:
    events = Random(seed).sample(towns(100, seed), size)
    again = data.draw(st.lists(st.sampled_from(events), max_size=5))
    delivered = data.draw(st.permutations([*events, *again]))
    home = tmp_path_factory.mktemp("any")
    with fresh() as url, fresh() as other:
        assert in_batches(url, delivered, Random(seed), most=9) == size
        with quick(other, home) as desk:
            take_in_events(desk, events)
        assert whole(url) == whole(other)


@pytest.mark.parametrize(("size", "least"), [(5_000, 20_000), pytest.param(50_000, 200_000, marks=pytest.mark.matrix)])
def test_live_is_backfill(store_url: str, another_store_url: str, tmp_path: Path, size: int, least: int) -> None:
    events, chance = towns(size, seed=size, customers=10), Random(size)
    delivered = shuffled(events, seed=size)
    assert in_batches(store_url, delivered, chance, most=400) == size

    with quick(another_store_url, tmp_path / "file", block_rows=10_000) as desk:
        take_in_events(desk, events)
    with quick(store_url, tmp_path / "live") as desk:
        assert rebuild.check(desk, Steady()).mismatches == 0
    assert whole(store_url) == whole(another_store_url)
    assert compared_with_naive(store_url, events) >= least


def busy_day() -> list[Event]:
    """So close together that tiles hold several events of one customer."""
    return [
        event | {"happened_at": (NOW - timedelta(minutes=number + 1)).isoformat()}
        for number, event in enumerate(towns(300, seed=2))
    ]


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_live_comparison_finds_a_planted_mistake(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: str
) -> None:
    """A fold that is wrong in one way only, at work where events are received."""
    broken: dict[str, Any] = {
        name: partial(getattr(fold, name), plan=MUTANTS[mutant]()) for name in ("fold", "prune", "newest_us")
    }
    monkeypatch.setattr(following, "folding", SimpleNamespace(**broken))
    with live_desk(store_url) as live, quick(store_url, tmp_path) as desk:
        receive_all(live, [arrival(event) for event in shuffled(busy_day(), seed=2)])
        checked = rebuild.check(desk, Steady())

    assert 0 < checked.mismatches < checked.values


def test_without_a_mistake_the_same_comparison_finds_none(store_url: str, tmp_path: Path) -> None:
    with live_desk(store_url) as live, quick(store_url, tmp_path) as desk:
        receive_all(live, [arrival(event) for event in shuffled(busy_day(), seed=2)])
        assert rebuild.check(desk, Steady()).mismatches == 0
