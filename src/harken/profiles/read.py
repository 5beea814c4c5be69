"""States of a customer's identities -> feature values as of a moment."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

from harken.domain.profile import Value
from harken.profiles.aggregates import Cell
from harken.profiles.columns import Row
from harken.profiles.fold import State, fold
from harken.profiles.plan import CUSTOMER, Lane, Plan

_HOURS_FEATURE = "active_hour_90d"


def read(states: Sequence[State], as_of_us: int, plan: Plan = CUSTOMER) -> dict[str, Value]:
    """Every feature's value over the identities together. Each state must cover the moment (`fold.covers`)."""
    values = dict(plan.empty)
    for lane in plan.lanes:
        tiles = _tiles_of(lane, states)
        if not tiles:
            continue
        for window_us, readings in lane.readings:
            cells = _within(lane, tiles, window_us, as_of_us)
            if cells:
                first, *others = cells
                for name, cell, merge, final in readings:
                    merged = first[cell]
                    for other in others:
                        merged = merge(merged, other[cell])
                    values[name] = final(merged)
    return values


def read_from_events(rows: Iterable[Row], as_of_us: int, plan: Plan = CUSTOMER) -> dict[str, Value]:
    """The same from the log itself: for moments that a stored state does not cover."""
    return read([state_of(rows, as_of_us, plan)], as_of_us, plan)


def state_of(rows: Iterable[Row], as_of_us: int, plan: Plan = CUSTOMER) -> State:
    """What had happened before a moment, folded."""
    state: State = {}
    for row in rows:
        if row["at"] < as_of_us:
            fold(state, row, plan)
    return state


def hours(states: Sequence[State], as_of_us: int) -> tuple[int, ...]:
    """Messages for each UTC hour of day in the last 90 days: 24 counts."""
    tiles = _tiles_of(_HOURS_LANE, states)
    cells = _within(_HOURS_LANE, tiles, _HOURS_WINDOW_US, as_of_us)
    histogram: dict[str, int] = reduce(_HOURS.merge, [held[_HOURS.cell] for held in cells], {})
    return tuple([histogram.get(hour, 0) for hour in _HOUR_NAMES])


def consents(values: Mapping[str, Value]) -> dict[str, bool] | None:
    """Channel -> granted, from the features; None when no source told us anything."""
    told = {name.removeprefix("consent_"): bool(values[name]) for name in _CONSENTS if values[name] is not None}
    return told or None


def _tiles_of(lane: Lane, states: Sequence[State]) -> list[tuple[int, list[Cell]]]:
    key = lane.key
    return [(int(tile), cells) for state in states if key in state for tile, cells in state[key].items()]


def _within(lane: Lane, tiles: list[tuple[int, list[Cell]]], window_us: int, as_of_us: int) -> list[list[Cell]]:
    first = lane.first_tile(window_us, as_of_us)
    return [cells for tile, cells in tiles if tile >= first]


_HOUR_NAMES = tuple(str(hour) for hour in range(24))
_CONSENTS = tuple(name for name in CUSTOMER.empty if name.startswith("consent_"))
_HOURS_LANE, _HOURS_WINDOW_US, _HOURS = next(
    (lane, window_us, reading)
    for lane in CUSTOMER.lanes
    for window_us, readings in lane.readings
    for reading in readings
    if reading.name == _HOURS_FEATURE
)
