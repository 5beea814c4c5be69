"""Events -> every identity's packed state: grouped by the engine, packed by the workers, a range of identities each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from harken.flow.load import Load
from harken.profiles import compile, pack
from harken.profiles.compile import KEYS, TileFrames
from harken.profiles.plan import ANY

IDENTITIES_A_PIECE = 20_000
SCHEMA = pa.schema([("identity", pa.string()), ("state", pa.string())])


@dataclass(frozen=True, slots=True)
class Piece:
    """Tiles in files sorted by identity, and the range [start, stop) of them."""

    lanes: Mapping[str, Path]
    mixed: Mapping[str, Path]
    start: str
    stop: str | None


def states_of(load: Load, thin: Path) -> Iterator[pa.Table]:
    """Thin events -> (identity, state) in order of identity."""
    paths: dict[str, Path] = {}

    def in_order(name: str, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        ordered = frame.sort(*KEYS) if name.startswith("lane_") else frame
        paths[name] = load.engine.write(ordered, load.spool.path(name))
        return load.engine.scan(paths[name])

    frames = compile.tiles(load.engine.scan(thin), in_order)
    lanes = {key: paths[compile.lane_name(key)] for key in frames.lanes}
    mixed = {
        key: load.engine.write(frame.sort(*KEYS), load.spool.path(f"mixed_{number}"))
        for number, (key, frame) in enumerate(frames.mixed.items())
    }
    pieces = [Piece(lanes, mixed, start, stop) for start, stop in _ranges(lanes[ANY])]
    yield from load.crew.each(pack_piece, pieces)


def _ranges(ages: Path) -> list[tuple[str, str | None]]:
    identities = pq.read_table(ages, columns=["identity"])["identity"]
    starts = [identities[at].as_py() for at in range(0, len(identities), IDENTITIES_A_PIECE)]
    return list(zip(starts, [*starts[1:], None], strict=False))  # nobody: no range


def pack_piece(piece: Piece) -> pa.Table:
    """Runs in a worker."""
    within = [("identity", ">=", piece.start)] + ([("identity", "<", piece.stop)] if piece.stop is not None else [])

    def frames(paths: Mapping[str, Path]) -> dict[str, nw.LazyFrame[Any]]:
        return {key: nw.from_native(pq.read_table(path, filters=within)).lazy() for key, path in paths.items()}

    packed = list(pack.pack(TileFrames(frames(piece.lanes), frames(piece.mixed))))
    identities, states = zip(*packed, strict=True) if packed else ((), ())
    return pa.table({"identity": identities, "state": [state.decode() for state in states]}, schema=SCHEMA)
