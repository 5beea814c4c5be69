"""Feature declarations -> lanes: what is kept together, in tiles of one width, for one kind of event.

A lane's tile is a list of cells, one for each measure. Features that differ only in their window share a measure,
so `messages_24h` and `messages_7d` read the same cells. Both the live fold and the batch plan follow the lanes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harken.domain.event import Kind
from harken.domain.profile import Value
from harken.profiles.aggregates import HIGHEST, Aggregate, Cell
from harken.profiles.columns import SHOWN
from harken.profiles.features import DAY_US, EVENT_FEATURES, Feature

ANY = "*"  #: the lane of every kind; its one tile tells how new the state is
EVER = 0  #: the width of a tile that holds all time
_WIDTH_LETTERS = {EVER: "", DAY_US: ".d"}
_SHORT = {Kind.MESSAGE_RECEIVED.value: "mr"}
"""The kind that nearly every stored state carries, several times over."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a cell holds."""

    aggregate: Aggregate
    column: str
    where: tuple[tuple[str, str | int], ...]

    def value_in(self, columns: Mapping[str, Any]) -> Any:
        """The column's value, or None where a condition does not hold."""
        for column, wanted in self.where:
            if columns[column] != wanted:
                return None
        return columns[self.column]


class Reading(NamedTuple):
    """How a feature is read from its lane. A tuple, because reading is the inner loop of every decision."""

    name: str
    cell: int
    merge: Callable[[Cell, Cell], Cell]
    final: Callable[[Cell], Value]


@dataclass(frozen=True, slots=True)
class Lane:
    key: str
    kind: str  #: a Kind's value, or ANY
    hop_us: int  #: the width of a tile; EVER: one tile
    measures: tuple[Measure, ...]
    readings: tuple[tuple[int, tuple[Reading, ...]], ...]  #: (window_us, its readings); window 0: ever
    longest_us: int  #: the longest window of them

    def tile(self, at_us: int) -> str:
        return str(at_us // self.hop_us) if self.hop_us else "0"

    def first_tile(self, window_us: int, as_of_us: int) -> int:
        return (as_of_us - window_us) // self.hop_us if self.hop_us else 0

    def first_kept(self, newest_us: int) -> int:
        """The oldest tile that a moment after `newest_us` can still see."""
        return self.first_tile(self.longest_us, newest_us)


@dataclass(frozen=True, slots=True)
class Plan:
    lanes: tuple[Lane, ...]
    by_kind: Mapping[str, tuple[Lane, ...]]
    empty: Mapping[str, Value]  #: every feature's value for a customer without events
    newest: int  #: the cell of the ANY lane that holds the newest event's time


def plan_of(features: Sequence[Feature]) -> Plan:
    """Raises ValueError when no feature keeps the newest event's time: nothing could say what a state covers."""
    grouped: dict[tuple[str, int], list[Feature]] = {}
    for feature in features:
        key = (str(feature.where.get("kind", ANY)), feature.hop_us or EVER)
        grouped.setdefault(key, []).append(feature)
    lanes = tuple(_lane(kind, hop_us, grouped[kind, hop_us]) for kind, hop_us in sorted(grouped))
    newest = Measure(HIGHEST, "at", ())
    if lanes[0].key != ANY or newest not in lanes[0].measures:
        raise ValueError("the features must keep the time of the newest event of any kind")
    return Plan(
        lanes=lanes,
        by_kind={kind.value: tuple(lane for lane in lanes if lane.kind in (ANY, kind)) for kind in Kind},
        empty={f.name: f.aggregate.final(f.aggregate.zero) for f in features},
        newest=lanes[0].measures.index(newest),
    )


def measure_of(feature: Feature) -> Measure:
    where = tuple(sorted((name, value) for name, value in feature.where.items() if name != "kind"))
    return Measure(feature.aggregate, feature.column, where)


def reading_of(feature: Feature, cell: int) -> Reading:
    return Reading(feature.name, cell, feature.aggregate.merge, _final(feature))


def _final(feature: Feature) -> Callable[[Cell], Value]:
    """The aggregate's own, and where it is a value of the column the way such values are shown."""
    final = feature.aggregate.final
    show = SHOWN.get(feature.column)
    if show is None or not feature.aggregate.shows_value:
        return final
    return lambda cell: None if (value := final(cell)) is None else show(value)


def _lane(kind: str, hop_us: int, features: Sequence[Feature]) -> Lane:
    measures: list[Measure] = []
    readings: dict[int, list[Reading]] = {}
    for feature in features:
        measure = measure_of(feature)
        if measure not in measures:
            measures.append(measure)
        readings.setdefault(feature.window_us or EVER, []).append(reading_of(feature, measures.index(measure)))
    return Lane(
        key=_SHORT.get(kind, kind) + _WIDTH_LETTERS.get(hop_us, ".h"),
        kind=kind,
        hop_us=hop_us,
        measures=tuple(measures),
        readings=tuple((window, tuple(readings[window])) for window in sorted(readings)),
        longest_us=max(readings),
    )


CUSTOMER = plan_of(EVENT_FEATURES)
