"""What a batch needs of a dataframe engine."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as pa

if TYPE_CHECKING:
    import narwhals as nw  # a desk has an engine in it, whether or not a command makes one


class Engine(Protocol):
    """Scans Parquet, runs narwhals plans, writes Parquet. Rows keep the order that the plan asked for."""

    name: str

    def scan(self, path: Path) -> "nw.LazyFrame[Any]":
        """A Parquet file, or a folder of them as one table."""
        ...

    def write(self, frame: "nw.LazyFrame[Any]", path: Path) -> Path:
        """Run the plan into a file and give the file back."""
        ...

    def collect(self, frame: "nw.LazyFrame[Any]") -> pa.Table:
        """Run a plan whose result is small."""
        ...
