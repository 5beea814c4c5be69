"""What a batch needs of a dataframe engine."""

from pathlib import Path
from typing import Any, Protocol

import narwhals as nw
import pyarrow as pa


class Engine(Protocol):
    """Scans Parquet, runs narwhals plans, writes Parquet. Rows keep the order that the plan asked for."""

    name: str

    def scan(self, path: Path) -> nw.LazyFrame[Any]:
        """A Parquet file, or a folder of them as one table."""
        ...

    def write(self, frame: nw.LazyFrame[Any], path: Path) -> Path:
        """Run the plan into a file and give the file back."""
        ...

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """Run a plan whose result is small."""
        ...
