"""Three engines, one narwhals plan: the same rows, in the order that was asked for."""

import subprocess
import sys
from pathlib import Path

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harken.adapters import frames
from harken.errors import UnsuitableError

ROWS = pa.table({"id": ["b", "a", "c", None], "at": [3, 1, 2, 4], "body": [b"x", None, b"", b"y"]})


@pytest.mark.parametrize("name", ["duckdb", "polars", "pandas"])
def test_a_plan_runs_into_a_file_and_back(name: str, tmp_path: Path) -> None:
    engine = frames.engine(name, tmp_path)
    pq.write_table(ROWS, tmp_path / "rows.parquet")
    written = engine.write(engine.scan(tmp_path / "rows.parquet").sort("at"), tmp_path / "sorted.parquet")
    counted = engine.collect(engine.scan(written).filter(~nw.col("id").is_null()).select(rows=nw.len()))

    assert engine.name == name
    assert pq.read_table(written).to_pylist() == ROWS.sort_by("at").to_pylist()
    assert counted.to_pylist() == [{"rows": 3}]


@pytest.mark.parametrize("name", ["duckdb", "polars", "pandas"])
def test_an_empty_file_is_a_table_too(name: str, tmp_path: Path) -> None:
    engine = frames.engine(name, tmp_path)
    pq.write_table(ROWS.slice(0, 0), tmp_path / "none.parquet")

    assert engine.collect(engine.scan(tmp_path / "none.parquet").sort("at")).num_rows == 0


def test_an_engine_that_nobody_knows() -> None:
    with pytest.raises(UnsuitableError, match="choose one of duckdb, polars, pandas, spark"):
        frames.check("abacus")


def test_an_engine_that_is_not_installed_says_how_to_get_it() -> None:
    """In a process of its own, where polars cannot be imported."""
    code = (
        "import sys; sys.modules['polars'] = None\n"
        "from harken.adapters import frames\n"
        "from harken.errors import UnsuitableError\n"
        "try: frames.check('polars')\n"
        "except UnsuitableError as refused: print(refused)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "pip install 'harken[polars]'" in said


def test_arrow_knows_pandas_again_where_somebody_chose_it() -> None:
    """In a process of its own, where Arrow was told that there is none."""
    code = (
        "import sys; from pathlib import Path; import pyarrow as pa\n"
        "from harken.adapters import frames; from harken.kit.without_pandas import spare_pandas\n"
        "spare_pandas(); pa.array(['a'])\n"
        "print('pandas' in sys.modules)\n"
        "frames.engine('pandas', Path())\n"
        "import pandas as pd\n"
        "print(pa.array(pd.Series([1.5, float('nan')])).null_count)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.split() == ["False", "1"]
