"""Polars: lazy and streaming."""

from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from harken.adapters.frames.failing import as_the_system_says
from harken.kit.spool import ROW_GROUP


class Polars:
    name = "polars"

    def scan(self, path: Path) -> nw.LazyFrame[Any]:
        return nw.from_native(pl.scan_parquet(path))

    def write(self, frame: nw.LazyFrame[Any], path: Path) -> Path:
        with as_the_system_says(path.parent, pl.exceptions.ComputeError):
            frame.to_native().sink_parquet(path, row_group_size=ROW_GROUP, compression="snappy")
        return path

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        return frame.to_native().collect(engine="streaming").to_arrow()


def build(folder: Path) -> Polars:
    return Polars()
