"""pandas on Arrow types: eager, everything in memory; for those who know it best."""

from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from harken.kit.spool import ROW_GROUP

pa.array([], pa.int8()).to_pandas()  # `kit.without_pandas` may have said that there is none; here Arrow looks again


class Pandas:
    name = "pandas"

    def scan(self, path: Path) -> nw.LazyFrame[Any]:
        frame: nw.DataFrame[Any] = nw.from_native(pd.read_parquet(path, dtype_backend="pyarrow"))
        return frame.lazy()

    def write(self, frame: nw.LazyFrame[Any], path: Path) -> Path:
        frame.collect().to_native().to_parquet(path, index=False, row_group_size=ROW_GROUP)
        return path

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        return pa.Table.from_pandas(frame.collect().to_native(), preserve_index=False)


def build(folder: Path) -> Pandas:
    return Pandas()
