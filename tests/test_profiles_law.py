"""Define once, run anywhere: the live fold, the batch plan on three engines and a naive reading of the log agree."""

from random import Random
from typing import Any

import pytest
from examples import tries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiles_events import (
    ENGINES,
    START_US,
    Row,
    after,
    backfilled,
    event,
    folded,
    on_polars,
    pruned_bytes,
    random_event,
    random_log,
    table_of,
    values_of,
)
from profiles_naive import MUTANTS, naive_values

from harken.profiles import compile as plan_compiler
from harken.profiles import fold, pack, stored
from harken.profiles.features import HOUR_US

logs = st.integers(0, 2**32).flatmap(
    lambda seed: st.integers(1, 14).map(lambda size: [random_event(Random(seed + n)) for n in range(size)])
)


@settings(max_examples=tries(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(log=logs, data=st.data())
def test_live_equals_batch_in_any_order_and_any_partition(log: list[Row], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(log)))
    shuffled = data.draw(st.permutations(log))
    left, right = folded(shuffled[:cut]), folded(shuffled[cut:])

    merged = {who: fold.merge_states(left.get(who, {}), right.get(who, {})) for who in {*left, *right}}

    assert merged == folded(log)
    assert pruned_bytes(merged) == backfilled(log)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_value_is_the_same_on_every_engine_and_in_a_naive_reading(engine: str) -> None:
    log = random_log(1_500, identities=20)
    as_of_us = after(log)

    batch = backfilled(log, engine)

    assert batch == pruned_bytes(folded(log))
    assert values_of(batch, as_of_us) == naive_values(log, as_of_us)
    assert len(batch) == 20


def test_results_may_pass_through_files(tmp_path: Any) -> None:
    log = random_log(200)
    frames = plan_compiler.tiles(on_polars(table_of(log)), lambda _, frame: frame)

    assert dict(pack.pack(frames, pack.on_disk(tmp_path))) == pruned_bytes(folded(log))


def test_batches_may_end_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    log = random_log(200)
    monkeypatch.setattr(pack, "BATCH_ROWS", 3)

    assert backfilled(log) == pruned_bytes(folded(log))


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_log_gives_no_states(engine: str) -> None:
    assert backfilled([], engine) == {}
    assert backfilled([event(identity=None)], engine) == {}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_comparison_finds_a_planted_mistake(mutant: str) -> None:
    log = random_log(2_000)  # enough that an event lies where a wrong hop cuts
    as_of_us = after(log)
    right = values_of(backfilled(log), as_of_us)
    broken = MUTANTS[mutant]()

    wrong = values_of({who: stored.to_bytes(state) for who, state in folded(log, broken).items()}, as_of_us, broken)

    assert wrong.keys() == right.keys()
    assert any(wrong[key] != right[key] for key in right)


def test_a_hot_customer_is_no_special_case() -> None:
    log = [event(START_US + n * HOUR_US // 3, addressed_to=f"brand{n % 7}", sentiment=n % 9) for n in range(2_000)]

    assert backfilled(log) == pruned_bytes(folded(log))
