"""Feature declarations -> one dataframe plan for the backfill: the parts of every tile, by group-by alone.

The plan runs on whatever engine the frame comes from (DuckDB, polars, pandas, Spark) and shares with the live fold
the declarations, not the code, so comparing the two means something. `pack` turns its frames into stored states.

What narwhals and its engines ask for: expressions are computed before the group-by (inside it pandas would call
Python for every group), sums are taken of integers, never of booleans, and no column name is needed twice.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals as nw

from harken.domain.event import Urgency
from harken.profiles.columns import ATTRIBUTES, NEGATIVE_BELOW, SIGNALS, UNSURE
from harken.profiles.features import HOUR_US
from harken.profiles.plan import ANY, CUSTOMER, Lane, Measure, Plan

Frame: TypeAlias = nw.LazyFrame[Any]
Materialise: TypeAlias = Callable[[str, Frame], Frame]
"""Name and plan -> the same rows computed once (a Parquet file, a collected frame), to be used several times."""

ABSENT = -(2**62)  #: stands for no value in integer parts, so that they leave the engine as plain integers
MOMENT_OFFSET = 10**17  #: added to microseconds so that they always have 18 digits and sort as text
LAST_STEP = 4_096  #: a small integer's place in a packed (moment, value)
LAST_HALF = LAST_STEP // 2
LAST_EPOCH_US = 946_684_800_000_000  #: 2000; packed moments reach 71 years either way
TEXT_COLUMNS = frozenset(
    {"channel", "language", "addressed_to", *(name for name, (_, kind) in ATTRIBUTES.items() if kind is str)}
)
HISTOGRAMS = frozenset({"mode", "p90", "distinct"})

KEYS = ("identity", "tile")


@dataclass(frozen=True, slots=True)
class TileFrames:
    """Lazy results, one row a tile. All are keyed by `identity` and `tile`."""

    lanes: Mapping[
        str, Frame
    ]  #: lane key -> one column for each part of each measure, `m<measure>_<part>`; none where nothing of the kind happened
    mixed: Mapping[
        str, Frame
    ]  #: lane key -> the events of tiles whose histograms need counting, a column `m<measure>` each


def with_columns(thin: Frame) -> Frame:
    """The thin event table with the columns of `columns.columns_of`. Absent attribute columns count as empty."""
    c = nw.col
    given = set(thin.collect_schema().names())
    derived = {
        "at": c("at").cast(nw.Int64),
        "language": nw.when(c("language") != UNSURE).then(c("language")),
        "sentiment": c("sentiment").cast(nw.Int64),
        "hour": _remainder(c("at").cast(nw.Int64) // HOUR_US, 24),
        "urgent": _flag(c("urgency") >= Urgency.URGENT),
        "negative": _flag(c("sentiment") < NEGATIVE_BELOW),
    }
    signals = c("signals").cast(nw.Int64)
    flags = {name: _flag(_remainder(signals // bit, 2) == 1) for name, bit in SIGNALS.items()}
    attributes = {
        name: c(name).cast(nw.String if kind is str else nw.Int64) if name in given else _nothing(kind)
        for name, (_, kind) in ATTRIBUTES.items()
    }
    plain = (c("identity"), c("kind"), c("channel"), c("addressed_to"))
    return thin.select(*plain, **derived, **flags, **attributes)


def tiles(thin: Frame, materialise: Materialise, plan: Plan = CUSTOMER) -> TileFrames:
    """Group the thin event table (and attribute columns, `columns.ATTRIBUTES`, where there are any) into tiles.

    Moments must not be before 1970: engines disagree about dividing negative integers.
    """
    known = with_columns(thin.filter(~nw.col("identity").is_null()))
    events = materialise("events", known)
    kinds = {ANY, *events.select("kind").unique().collect("pyarrow")["kind"].to_list()}
    lanes: dict[str, Frame] = {}
    mixed: dict[str, Frame] = {}
    for lane in (lane for lane in plan.lanes if lane.kind in kinds):
        rows = _rows_of(lane, events)
        lanes[lane.key] = grouped = materialise(lane_name(lane.key), _grouped(lane, rows))
        uncounted = _mixed(lane, rows, grouped)
        if uncounted is not None:
            mixed[lane.key] = uncounted
    return TileFrames(lanes, mixed)


def lane_name(key: str) -> str:
    """What a lane's grouped frame is materialised under."""
    return f"lane_{key.replace(ANY, 'any')}"


def histograms(lane: Lane) -> list[tuple[int, Measure]]:
    return [(index, measure) for index, measure in enumerate(lane.measures) if measure.aggregate.name in HISTOGRAMS]


def _nothing(kind: type) -> Any:
    """A column without values. An untyped null cannot be cast on pandas; no column differs from itself anywhere."""
    like = nw.col("channel" if kind is str else "at")
    return nw.when(like != like).then(like)  # noqa: PLR0124  that is the point


def _remainder(whole: Any, by: int) -> Any:
    """Pandas over Arrow has no `%`."""
    return whole - whole // by * by


def _flag(condition: Any) -> Any:
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def _rows_of(lane: Lane, events: Frame) -> Frame:
    rows = events if lane.kind == ANY else events.filter(nw.col("kind") == lane.kind)
    tile = nw.col("at") // lane.hop_us if lane.hop_us else nw.col("at") * 0
    return rows.with_columns(tile=tile.cast(nw.Int64))


def _grouped(lane: Lane, rows: Frame) -> Frame:
    parts = {
        f"m{index}_{part}": expression
        for index, measure in enumerate(lane.measures)
        for part, expression in _parts(measure).items()
    }
    grouped = rows.select(*KEYS, **parts).group_by(*KEYS).agg(**{name: _aggregated(name) for name in parts})
    whole = {name: _whole(name) for name in parts if _is_integer(lane, name)}
    return grouped.with_columns(**whole) if whole else grouped  # narwhals refuses to be asked for nothing


def _parts(measure: Measure) -> dict[str, Any]:
    """What the engine aggregates for a measure; the ending says how: sums, least or greatest."""
    column = measure.column
    counts = ~nw.col(column).is_null()
    for name, wanted in measure.where:
        counts = counts & (nw.col(name) == wanted)
    value = nw.when(counts).then(nw.col(column))
    number = nw.when(counts).then(nw.col(column)).otherwise(nw.lit(0)).cast(nw.Int64)
    parts = {
        "count": {"n_sum": _flag(counts)},
        "total": {"s_sum": number},
        "mean": {"s_sum": number, "n_sum": _flag(counts)},
        "lowest": {"v_min": value},
        "highest": {"v_max": value},
        "last": {"v_max": nw.when(counts).then(_packed(column))},
    }
    return parts.get(measure.aggregate.name, {"v_min": value, "v_max": value, "n_sum": _flag(counts)})


def _packed(column: str) -> Any:
    """Moment and value in one that sorts like the pair: an integer for small integers, else text."""
    at = nw.col("at")
    if column in TEXT_COLUMNS:
        return nw.concat_str((at + MOMENT_OFFSET).cast(nw.String), nw.col(column))
    return (at - LAST_EPOCH_US) * LAST_STEP + nw.col(column) + LAST_HALF


def _aggregated(name: str) -> Any:
    part = nw.col(name)
    return {"sum": part.sum, "min": part.min, "max": part.max}[name[-3:]]()


def _is_integer(lane: Lane, name: str) -> bool:
    """Every part but the texts among the values."""
    index, kind, _ = name[1:].split("_")
    return kind != "v" or lane.measures[int(index)].column not in TEXT_COLUMNS


def _whole(name: str) -> Any:
    return nw.col(name).cast(nw.Int64).fill_null(ABSENT)


def _value(measure: Measure) -> Any:
    value = _parts(measure)["v_min"]
    return value if measure.column in TEXT_COLUMNS else value.cast(nw.Int64).fill_null(ABSENT)


def _mixed(lane: Lane, rows: Frame, grouped: Frame) -> Frame | None:
    """The events of tiles with several values in some histogram. A tile with one value, nearly every tile, is its own."""
    values = {f"m{index}": _value(measure) for index, measure in histograms(lane)}
    if not values:
        return None
    several = nw.any_horizontal(*[nw.col(f"{m}_v_min") != nw.col(f"{m}_v_max") for m in values], ignore_nulls=True)
    return rows.select(*KEYS, **values).join(grouped.filter(several).select(*KEYS), on=list(KEYS), how="semi")
