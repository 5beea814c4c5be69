"""DuckDB: the default. Runs on disk when memory is short."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import narwhals as nw
import pyarrow as pa

from harken.adapters.frames.failing import as_the_system_says
from harken.kit import ctrl_c
from harken.kit.spool import ROW_GROUP

MEMORY = "900MB"
"""What DuckDB may hold before it spills: with Python and its workers a batch stays under 1.5 GB."""


Done = TypeVar("Done")


class DuckDB:
    name = "duckdb"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection = duckdb.connect(
            config={
                # Where order matters the plan sorts; otherwise both processors may write.
                "preserve_insertion_order": False,
                "temp_directory": str(folder / "duckdb"),
                "memory_limit": MEMORY,
                "autoinstall_known_extensions": False,
            }
        )

    def scan(self, path: Path) -> nw.LazyFrame[Any]:
        return nw.from_native(self._connection.read_parquet(str(path / "*.parquet" if path.is_dir() else path)))

    def write(self, frame: nw.LazyFrame[Any], path: Path) -> Path:
        relation = frame.to_native()
        self._done(lambda: relation.write_parquet(str(path), row_group_size=ROW_GROUP, compression="snappy"))
        return path

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        return self._done(frame.to_native().to_arrow_table)

    def _done(self, work: Callable[[], Done]) -> Done:
        """On a thread of its own: left to itself DuckDB looks for Ctrl-C late, and makes another error of it."""
        with (
            as_the_system_says(self._folder, duckdb.IOException, duckdb.OutOfMemoryException),
            ThreadPoolExecutor(1) as aside,
        ):
            under_way = aside.submit(work)
            ctrl_c.is_heard()
            try:
                return under_way.result()
            except KeyboardInterrupt:
                self._connection.interrupt()
                raise


def build(folder: Path) -> DuckDB:
    return DuckDB(folder)
