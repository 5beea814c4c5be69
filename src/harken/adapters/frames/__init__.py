"""Dataframe engines behind one port: the same narwhals job on DuckDB, Polars, pandas or Spark."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

from harken.errors import UnsuitableError
from harken.kit.engine import Engine

if TYPE_CHECKING:
    from harken.adapters.frames.on_spark import Cluster

ENGINES = {"duckdb": "duckdb", "polars": "polars", "pandas": "pandas", "spark": "pyspark"}
"""By the module that each needs."""


def engine(name: str, folder: Path) -> Engine:
    """The engine of this process called `name`, spilling to `folder`; see `spark` for the one that is elsewhere."""
    check(name)
    module = import_module(f"harken.adapters.frames.on_{name}")
    return cast(Callable[[Path], Engine], module.build)(folder)


def spark(home: Path, *, master: str, memory: str, workers: int) -> "Cluster":
    """The Spark at `master`, which brings its own processes. Nothing is started yet."""
    check("spark")
    from harken.adapters.frames import on_spark, spark_session  # noqa: PLC0415  an extra, and a second of imports

    return on_spark.Cluster(home, spark_session.Place(master=master, memory=memory, workers=workers))


def check(name: str) -> None:
    """Refuse an engine that is unknown or not installed, before any work is done."""
    if name not in ENGINES:
        raise UnsuitableError(f"There is no engine called {name}: choose one of {', '.join(ENGINES)}.")
    if find_spec(ENGINES[name]) is None:  # looked for and not imported: most commands need no engine
        raise UnsuitableError(f"The engine {name} is not installed: pip install 'harken[{name}]'.")
