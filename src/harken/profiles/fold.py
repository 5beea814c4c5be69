"""Events of one identity -> its state: `{lane: {tile: [cells]}}`, the same whatever the order of arrival.

Standard library only, so a stream engine's worker can carry it. A state knows whole tiles: it answers for moments
after its newest event (`covers`); earlier ones are answered from the log (`read.read_from_events`).
"""

from typing import TypeAlias, TypeVar

from harken.profiles.aggregates import Cell
from harken.profiles.columns import Row, columns_of
from harken.profiles.plan import ANY, CUSTOMER, Lane, Plan

Tiles: TypeAlias = dict[str, list[Cell]]
State: TypeAlias = dict[str, Tiles]
T = TypeVar("T")


def fold(state: State, row: Row, plan: Plan = CUSTOMER) -> State:
    """Add one event to `state`, in place, and return it. Adding an event twice counts it twice: the log's key forbids it."""
    columns = columns_of(row)
    at = columns["at"]
    for lane in plan.by_kind[columns["kind"]]:
        tiles = state.setdefault(lane.key, {})
        tile = lane.tile(at)
        cells = tiles.get(tile)
        if cells is None:
            cells = tiles[tile] = [measure.aggregate.zero for measure in lane.measures]
        for index, measure in enumerate(lane.measures):
            value = measure.value_in(columns)
            if value is not None:
                aggregate = measure.aggregate
                cells[index] = aggregate.merge(cells[index], aggregate.lift(value, at))
    return state


def merge_states(a: State, b: State, plan: Plan = CUSTOMER) -> State:
    """What one fold over both parts' events would have given. Leaves `a` and `b` as they are."""
    merged: State = {}
    for lane in plan.lanes:
        left, right = a.get(lane.key, {}), b.get(lane.key, {})
        if left or right:
            tiles = merged[lane.key] = {tile: list(cells) for tile, cells in (left | right).items()}
            for tile in left.keys() & right.keys():
                pairs = zip(lane.measures, left[tile], right[tile], strict=True)
                tiles[tile] = [measure.aggregate.merge(x, y) for measure, x, y in pairs]
    return merged


def newest_us(state: State, plan: Plan = CUSTOMER) -> int | None:
    """When the newest event of the state happened; None when it holds none."""
    tiles = state.get(ANY)
    return int(tiles["0"][plan.newest]) if tiles else None


def covers(state: State, as_of_us: int, plan: Plan = CUSTOMER) -> bool:
    """Whether `read` can answer for this moment: no event of the state is at or after it."""
    newest = newest_us(state, plan)
    return newest is None or newest < as_of_us


def prune(state: State, plan: Plan = CUSTOMER) -> State:
    """The state without the tiles that no window can reach any more.

    The yardstick is the state's own newest event, not the clock: a state answers only for moments after it, so
    nothing that it covers changes, and history loaded today keeps its windows.
    """
    newest = newest_us(state, plan)
    if newest is None:
        return state
    kept: State = {}
    for lane in plan.lanes:
        if tiles := state.get(lane.key):
            kept[lane.key] = reachable(lane, tiles, newest) if lane.hop_us else tiles
    return {key: tiles for key, tiles in kept.items() if tiles}


def reachable(lane: Lane, tiles: dict[str, T], newest_us: int) -> dict[str, T]:
    """The tiles that a window can still reach at some moment after the newest event."""
    first = lane.first_kept(newest_us)
    old = [tile for tile in tiles if int(tile) < first]
    return {tile: cells for tile, cells in tiles.items() if tile not in old} if old else tiles
