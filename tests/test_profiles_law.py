"""Define once, run anywhere: the live fold, the batch plan on three engines and a naive reading of the log agree."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest
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

from harken.profiles import compile as plan_compiler
from harken.profiles import fold, pack, plan, stored
from harken.profiles.aggregates import HIGHEST, LAST, LOWEST, MEAN, Aggregate
from harken.profiles.columns import columns_of
from harken.profiles.features import DAY_US, EVENT_FEATURES, HOUR_US, Feature

logs = st.integers(0, 2**32).flatmap(
    lambda seed: st.integers(1, 14).map(lambda size: [random_event(Random(seed + n)) for n in range(size)])
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def naive_values(log: list[Row], as_of_us: int) -> dict[tuple[str, str], Any]:
    """Every feature by its definition: no tiles, no states, no merging."""
    return {
        (identity, feature.name): _naive(feature, [row for row in log if row["identity"] == identity], as_of_us)
        for identity in {row["identity"] for row in log} - {None}
        for feature in EVENT_FEATURES
    }


def _naive(feature: Feature, rows: list[Row], as_of_us: int) -> Any:
    tail_us = 0
    if feature.window:
        hop_us = HOUR_US if feature.window in ("24h", "7d") else DAY_US
        length_us = int(feature.window[:-1]) * (HOUR_US if feature.window.endswith("h") else DAY_US)
        tail_us = (as_of_us - length_us) // hop_us * hop_us
    columns = [columns_of(row) for row in rows if tail_us <= row["at"] < as_of_us]
    pairs = sorted(
        (row["at"], row[feature.column])
        for row in columns
        if row[feature.column] is not None and all(row[name] == wanted for name, wanted in feature.where.items())
    )
    return _said(feature, [value for _, value in pairs])


def _said(feature: Feature, values: list[Any]) -> Any:
    name = feature.aggregate.name
    if name in ("count", "total", "distinct"):
        return {"count": len(values), "distinct": len(set(values))}.get(name) if name != "total" else sum(values)
    if not values:
        return None
    if name == "mean":
        return sum(values) / len(values)
    if name == "p90":
        return feature.aggregate.final(Counter(feature.aggregate.lift(v, 0).popitem()[0] for v in values))
    seen = Counter(map(str, values))
    most = min(seen, key=lambda value: (-seen[value], value))
    told = {"lowest": min(values), "highest": max(values), "last": values[-1], "mode": most}[name]
    shown: dict[str, Any] = {"at": lambda at_us: at_us // 1_000_000, "hour": int, "granted": bool}
    show = shown.get(feature.column, _as_is)
    return show(told)


def _as_is(value: Any) -> Any:
    return value


def _with(aggregate: Aggregate, **broken: Any) -> plan.Plan:
    """The plan with one aggregate broken everywhere but where the state keeps its age."""
    return plan.plan_of(
        [
            replace(feature, aggregate=replace(aggregate, **broken))
            if feature.aggregate is aggregate and feature.name != "last_seen_at"
            else feature
            for feature in EVENT_FEATURES
        ]
    )


def _wrong_hop() -> plan.Plan:
    lanes = tuple(
        replace(lane, hop_us=lane.hop_us * 2) if lane.hop_us == HOUR_US else lane for lane in plan.CUSTOMER.lanes
    )
    by_kind = {
        kind: tuple(lane for lane in lanes if lane.key in {old.key for old in of_kind})
        for kind, of_kind in plan.CUSTOMER.by_kind.items()
    }
    return replace(plan.CUSTOMER, lanes=lanes, by_kind=by_kind)


def _without_filter() -> plan.Plan:
    return plan.plan_of(
        [replace(f, where={"kind": f.where["kind"]}) if f.name == "urgent_7d" else f for f in EVENT_FEATURES]
    )


def _sum(a: int | None, b: int | None) -> int:
    return (a or 0) + (b or 0)


def _mean_of_means(a: list[int], b: list[int]) -> list[int]:
    if not a[1] or not b[1]:
        return a if a[1] else b
    return [(a[0] // a[1] + b[0] // b[1]), 2]


MUTANTS = {
    "max-as-sum": lambda: _with(HIGHEST, merge=_sum),
    "min-as-sum": lambda: _with(LOWEST, merge=_sum),
    "last-by-arrival": lambda: _with(LAST, merge=lambda a, b: b or a),
    "mean-of-means": lambda: _with(MEAN, merge=_mean_of_means),
    "wrong hop": _wrong_hop,
    "filter missing": _without_filter,
}


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
