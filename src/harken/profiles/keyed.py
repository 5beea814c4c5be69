"""Thin events of one identity, one by one and perhaps twice -> what a keyed stream engine keeps and sends of it.

Everything that such an engine must decide is here, free of any engine: which event counts, what the state is after it,
and how a state that was made with other features goes on.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import orjson

from harken.profiles import stored
from harken.profiles.aggregates import Cell
from harken.profiles.columns import Row
from harken.profiles.features import DAY_US, LAYOUT
from harken.profiles.fold import State, fold, newest_us, prune
from harken.profiles.plan import ANY, CUSTOMER, Lane, Measure, Plan

_LATEST_US = 10**17  #: beyond the year 5000 a moment is a mistake of units


class Outcome(StrEnum):
    FOLDED = "folded"
    DUPLICATE = "duplicate"  #: its id has been folded
    TOO_LATE = "too_late"  #: so old that its id would be forgotten: whether it was folded cannot be told
    UNSUITABLE = "unsuitable"  #: a column is missing or has another type


class Ids(Protocol):
    """Id -> when it happened, of the events that are remembered: an engine's keyed map."""

    def contains(self, key: str) -> bool: ...
    def put(self, key: str, value: int) -> None: ...
    def items(self) -> Iterable[tuple[str, int]]: ...
    def remove(self, key: str) -> None: ...


class Kept(NamedTuple):
    """What is known of one identity. `version` counts the events in it, so of two the higher knows more."""

    version: int
    layout: str  #: `Keeper.layout_name` of whoever made `state`
    state: bytes  #: as at rest, without the tiles that no window reaches

    def __str__(self) -> str:
        return f"{self.version} {self.layout} {self.state.decode()}"


def kept_from(text: str) -> Kept:
    version, layout, state = text.split(" ", 2)
    return Kept(int(version), layout, state.encode())


def event_from(line: str, plan: Plan = CUSTOMER) -> Row:
    """One JSON object with the columns of the thin table. Raises ValueError, without the line, where that is not so."""
    row: Any = orjson.loads(line)
    if not isinstance(row, dict):
        raise ValueError("it is no JSON object")
    for name, kind in (("id", str), ("identity", str), ("at", int)):
        if not row.get(name) or type(row[name]) is not kind:
            raise ValueError(f"it has no {name}")
    if row.get("kind") not in plan.by_kind:
        raise ValueError("its kind is not known here")
    if not 0 < row["at"] < _LATEST_US:
        raise ValueError("its time is not in microseconds since 1970")
    event: Row = row
    return event


class Keeper:
    """Takes events into the states of one plan."""

    def __init__(self, remembered_us: int, plan: Plan = CUSTOMER) -> None:
        """Ids are remembered for as long before the identity's own newest event as `remembered_us` says.

        The clock has no part in it, so the same events in the same order come to the same.
        """
        self._remembered_us, self._plan = remembered_us, plan
        self.layout = layout_of(plan)
        self.layout_name = name_of(self.layout)

    def take(self, kept: Kept | None, row: Row, ids: Ids) -> tuple[Outcome, Kept | None]:
        """One event more. `kept` must have this layout (`carried`); where the event does not count it comes back as it was."""
        state: State = stored.from_bytes(kept.state) if kept else {}
        newest = newest_us(state, self._plan) or 0
        if row["at"] < newest - self._remembered_us:
            return Outcome.TOO_LATE, kept
        if ids.contains(row["id"]):
            return Outcome.DUPLICATE, kept
        try:
            state = prune(fold(state, row, self._plan), self._plan)
            after = Kept((kept.version if kept else 0) + 1, self.layout_name, stored.to_bytes(state))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return Outcome.UNSUITABLE, kept
        ids.put(row["id"], row["at"])
        if row["at"] // DAY_US > newest // DAY_US:
            _forget(ids, row["at"] - self._remembered_us)
        return Outcome.FOLDED, after

    def carried(self, kept: Kept, layout: str) -> Kept:
        """A state of another layout, for this plan: what both keep goes on exactly, what is new begins empty.

        Raises ValueError where the form of states itself has changed, so that nothing can go on.
        """
        before: Mapping[str, Sequence[str]] = json.loads(layout)
        if digest_of(self._plan.lanes[0], self._plan.lanes[0].measures[self._plan.newest]) not in before.get(ANY, ()):
            raise ValueError("these states have another form: start afresh, from the beginning of the log")
        state = stored.from_bytes(kept.state)
        moved: State = {}
        for lane in self._plan.lanes:
            if lane.key in state:
                places = [_place(digest_of(lane, measure), before[lane.key]) for measure in lane.measures]
                moved[lane.key] = {tile: _moved(cells, places, lane) for tile, cells in state[lane.key].items()}
        return Kept(kept.version, self.layout_name, stored.to_bytes(prune(moved, self._plan)))


def _forget(ids: Ids, before_us: int) -> None:
    """Once for each day that the identity's time moves on: looking through all ids costs too much for every event."""
    for key in [key for key, at in ids.items() if at < before_us]:
        ids.remove(key)


def layout_of(plan: Plan) -> str:
    """What each cell of a state means, short: lane -> a digest for each measure, as JSON."""
    return json.dumps({lane.key: [digest_of(lane, measure) for measure in lane.measures] for lane in plan.lanes})


def name_of(layout: str) -> str:
    """16 hexadecimal digits, the same in every process."""
    return hashlib.sha256(layout.encode()).hexdigest()[:16]


def digest_of(lane: Lane, measure: Measure) -> str:
    meaning = [LAYOUT, lane.kind, lane.hop_us, measure.aggregate.name, measure.column, measure.where]
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()[:10]


def _place(digest: str, before: Sequence[str]) -> int | None:
    return before.index(digest) if digest in before else None


def _moved(cells: Sequence[Cell], places: Sequence[int | None], lane: Lane) -> list[Cell]:
    zeros = [measure.aggregate.zero for measure in lane.measures]
    return [zero if place is None else cells[place] for place, zero in zip(places, zeros, strict=True)]
