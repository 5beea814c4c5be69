"""Frames of tiles -> stored states, byte for byte what the live fold would have stored.

The frames are walked side by side in the order of identities. Most customers have a handful of events, so what
counts is the cost of a tile: columns are turned into cells a batch at a time, and nothing is done twice.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, groupby
from operator import itemgetter, ne
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
from pyarrow import parquet

from harken.profiles import stored
from harken.profiles.aggregates import DISTINCT, MAX_DISTINCT, MODE, P90, Aggregate, Cell, bucket
from harken.profiles.compile import (
    ABSENT,
    KEYS,
    LAST_EPOCH_US,
    LAST_HALF,
    LAST_STEP,
    MOMENT_OFFSET,
    TEXT_COLUMNS,
    Frame,
    TileFrames,
    histograms,
)
from harken.profiles.fold import reachable
from harken.profiles.plan import ANY, CUSTOMER, Lane, Measure, Plan

BATCH_ROWS = 16_384
MAX_SHARED = 10_000  #: histograms of one value that are kept to be shared

Batches: TypeAlias = Callable[[Frame], Iterator[pa.RecordBatch]]
"""A sorted plan -> its rows, in order."""
Tiles: TypeAlias = dict[str, tuple[Cell, ...]]
Columns: TypeAlias = dict[str, list[Any]]


_DONE: tuple[None, Tiles] = (None, {})


@dataclass(slots=True)
class _Walk:
    """How far a lane has been read: `head` is the identity whose turn comes next."""

    lane: Lane
    stream: Iterator[tuple[str, Tiles]]
    head: tuple[str | None, Tiles]


def in_memory(frame: Frame) -> Iterator[pa.RecordBatch]:
    """The whole result at once: the quickest where it fits."""
    table: pa.Table = frame.collect("pyarrow").to_native()
    return iter(table.to_batches(max_chunksize=BATCH_ROWS))


def on_disk(folder: Path) -> Batches:
    """Bounded memory: every sorted result goes through a Parquet file in `folder`, read a batch at a time."""
    numbers = count()

    def batches(frame: Frame) -> Iterator[pa.RecordBatch]:
        path = folder / f"sorted_{next(numbers)}.parquet"
        frame.sink_parquet(path)
        with parquet.ParquetFile(path) as file:
            yield from file.iter_batches(BATCH_ROWS)

    return batches


def pack(frames: TileFrames, batches: Batches = in_memory, plan: Plan = CUSTOMER) -> Iterator[tuple[str, bytes]]:
    """Identity and its pruned state, in the engine's order of identities."""
    ages = _by_identity(plan.lanes[0], frames, batches)
    others = [(lane, _by_identity(lane, frames, batches)) for lane in plan.lanes[1:] if lane.key in frames.lanes]
    walks = [_Walk(lane, stream, head) for lane, stream in others if (head := next(stream, None))]
    for identity, ever in ages:
        state: dict[str, Any] = {ANY: ever}
        newest_us = ever["0"][plan.newest]
        for walk in walks:
            if walk.head[0] == identity:
                if tiles := _reachable(walk.lane, walk.head[1], newest_us):
                    state[walk.lane.key] = tiles
                walk.head = next(walk.stream, _DONE)
        yield identity, stored.to_bytes(state)


def _reachable(lane: Lane, tiles: Tiles, newest_us: int) -> Tiles:
    """The oldest tile comes first, so one look is enough for most."""
    if not lane.hop_us or int(next(iter(tiles))) >= lane.first_kept(newest_us):
        return tiles
    return reachable(lane, tiles, newest_us)


def _by_identity(lane: Lane, frames: TileFrames, batches: Batches) -> Iterator[tuple[str, Tiles]]:
    """The tiles of one identity after the other, each identity's oldest tile first."""
    current: str | None = None
    tiles: Tiles = {}
    for identity, tile, cells in _tiles(lane, frames, batches):
        if identity != current:
            if current is not None:
                yield current, tiles
            current, tiles = identity, {}
        tiles[tile] = cells
    if current is not None:
        yield current, tiles


def _tiles(lane: Lane, frames: TileFrames, batches: Batches) -> Iterator[tuple[str, str, tuple[Cell, ...]]]:
    uncounted = _uncounted(lane, frames, batches)
    for batch in batches(frames.lanes[lane.key].sort(*KEYS)):
        columns = _columns(batch)
        counted = _counted(lane, columns, uncounted)
        cells = [
            counted[index] if index in counted else _cells(measure, _own(columns, index))
            for index, measure in enumerate(lane.measures)
        ]
        yield from zip(columns["identity"], map(str, columns["tile"]), zip(*cells, strict=True), strict=True)


def _columns(batch: pa.RecordBatch) -> Columns:
    """By way of numpy, which is several times quicker than asking Arrow for each value."""
    return {
        name: column.to_numpy(zero_copy_only=False).tolist()
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    }


def _own(columns: Columns, index: int) -> Columns:
    start = f"m{index}_"
    return {name.removeprefix(start): values for name, values in columns.items() if name.startswith(start)}


def _cells(measure: Measure, parts: Columns) -> Sequence[Cell]:
    """The cells of one measure for the tiles of a batch."""
    match measure.aggregate.name:
        case "count":
            return parts["n_sum"]
        case "total":
            return parts["s_sum"]
        case "mean":
            return list(zip(parts["s_sum"], parts["n_sum"], strict=True))
        case "last" if measure.column in TEXT_COLUMNS:
            return [None if pair is None else (int(pair[:18]) - MOMENT_OFFSET, pair[18:]) for pair in parts["v_max"]]
        case "last":
            return [_unpacked(pair) for pair in parts["v_max"]]
    (values,) = parts.values()
    return [None if value == ABSENT else value for value in values]


def _unpacked(pair: int) -> Cell:
    return None if pair == ABSENT else (pair // LAST_STEP + LAST_EPOCH_US, pair % LAST_STEP - LAST_HALF)


def _counted(lane: Lane, columns: Columns, uncounted: Iterator[list[tuple[Any, ...]]]) -> dict[int, list[Cell]]:
    """The histograms of a batch. Tiles with several values are counted from their events, which come in the same order."""
    measured = [(index, measure.aggregate, _own(columns, index)) for index, measure in histograms(lane)]
    cells = {index: _single(aggregate, parts) for index, aggregate, parts in measured}
    differ = [list(map(ne, parts["v_min"], parts["v_max"])) for _, _, parts in measured]
    for row, flags in enumerate(zip(*differ, strict=True)):
        if True in flags:
            events = next(uncounted)
            for position, (index, aggregate, _) in enumerate(measured):
                if flags[position]:
                    cells[index][row] = _SEVERAL[aggregate.name](_tally(events, position + len(KEYS)))
    return cells


def _single(aggregate: Aggregate, parts: Columns) -> list[Cell]:
    """The histograms of tiles that hold one value, however often: few differ, so tiles share them."""
    return list(map(_ONE[aggregate.name], parts["v_min"], parts["n_sum"]))


def _tally(events: list[tuple[Any, ...]], column: int) -> dict[Any, int]:
    counts: dict[Any, int] = {}
    for event in events:
        value = event[column]
        counts[value] = counts.get(value, 0) + 1
    counts.pop(None, None)
    counts.pop(ABSENT, None)
    return counts


def _uncounted(lane: Lane, frames: TileFrames, batches: Batches) -> Iterator[list[tuple[Any, ...]]]:
    if lane.key in frames.mixed:
        names = (*KEYS, *(f"m{index}" for index, _ in histograms(lane)))
        columns = (_columns(batch) for batch in batches(frames.mixed[lane.key].select(*names).sort(*KEYS)))
        rows = (row for batch in columns for row in zip(*[batch[name] for name in names], strict=True))
        for _, tile in groupby(rows, key=itemgetter(0, 1)):
            yield list(tile)


def _by_bucket(counts: dict[int, int]) -> dict[str, int]:
    histogram: dict[str, int] = {}
    for value, times in counts.items():
        name = bucket(value)
        histogram[name] = histogram.get(name, 0) + times
    return histogram


@lru_cache(MAX_SHARED)
def _one_mode(value: str | int | None, times: int) -> Cell:
    return {str(value): times} if times else MODE.zero


@lru_cache(MAX_SHARED)
def _one_bucket(value: int, times: int) -> Cell:
    return {bucket(value): times} if times else P90.zero


@lru_cache(MAX_SHARED)
def _one_distinct(value: str | None, times: int) -> Cell:
    return [value] if times else DISTINCT.zero


_ONE: dict[str, Callable[[Any, int], Cell]] = {"mode": _one_mode, "p90": _one_bucket, "distinct": _one_distinct}
_SEVERAL: dict[str, Callable[[dict[Any, int]], Cell]] = {
    "mode": lambda counts: {str(value): times for value, times in counts.items()},
    "p90": _by_bucket,
    "distinct": lambda counts: sorted(counts)[:MAX_DISTINCT],
}
