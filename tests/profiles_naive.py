"""Every feature by its definition: no tiles, no states, no merging. And the mistakes that a comparison has to find."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from profiles_events import Row

from harken.profiles import plan
from harken.profiles.aggregates import HIGHEST, LAST, LOWEST, MEAN, Aggregate
from harken.profiles.columns import columns_of
from harken.profiles.features import DAY_US, EVENT_FEATURES, HOUR_US, Feature


def naive_values(
    log: list[Row], as_of_us: int, customers: Mapping[str, str] | None = None
) -> dict[tuple[str, str], Any]:
    """(customer, feature) -> value; `customers`: whose identities are that do not stand alone."""
    rows: dict[str, list[Row]] = {}
    for row in log:
        if row["identity"] is not None:
            rows.setdefault((customers or {}).get(row["identity"], row["identity"]), []).append(row)
    columns = {who: [columns_of(row) for row in of] for who, of in rows.items()}
    return {(who, feature.name): _naive(feature, columns[who], as_of_us) for who in rows for feature in EVENT_FEATURES}


def _naive(feature: Feature, rows: list[dict[str, Any]], as_of_us: int) -> Any:
    tail_us = 0
    if feature.window:
        hop_us = HOUR_US if feature.window in ("24h", "7d") else DAY_US
        length_us = int(feature.window[:-1]) * (HOUR_US if feature.window.endswith("h") else DAY_US)
        tail_us = (as_of_us - length_us) // hop_us * hop_us
    columns = [row for row in rows if tail_us <= row["at"] < as_of_us]
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
    return _changed(lambda lane: replace(lane, hop_us=lane.hop_us * 2) if lane.hop_us == HOUR_US else lane)


def _without_filter() -> plan.Plan:
    """Urgent messages are all messages; every cell stays in its place."""
    urgent = (("urgent", 1),)
    return _changed(
        lambda lane: replace(
            lane,
            measures=tuple(replace(each, where=() if each.where == urgent else each.where) for each in lane.measures),
        )
    )


def _changed(change: Callable[[plan.Lane], plan.Lane]) -> plan.Plan:
    lanes = {lane.key: change(lane) for lane in plan.CUSTOMER.lanes}
    by_kind = {kind: tuple(lanes[lane.key] for lane in of) for kind, of in plan.CUSTOMER.by_kind.items()}
    return replace(plan.CUSTOMER, lanes=tuple(lanes.values()), by_kind=by_kind)


def _sum(a: int | None, b: int | None) -> int:
    return (a or 0) + (b or 0)


def _mean_of_means(a: list[int], b: list[int]) -> list[int]:
    if not a[1] or not b[1]:
        return a if a[1] else b
    return [(a[0] // a[1] + b[0] // b[1]), 2]


MUTANTS: dict[str, Callable[[], plan.Plan]] = {
    "max-as-sum": lambda: _with(HIGHEST, merge=_sum),
    "min-as-sum": lambda: _with(LOWEST, merge=_sum),
    "last-by-arrival": lambda: _with(LAST, merge=lambda a, b: b or a),
    "mean-of-means": lambda: _with(MEAN, merge=_mean_of_means),
    "wrong hop": _wrong_hop,
    "filter missing": _without_filter,
}
