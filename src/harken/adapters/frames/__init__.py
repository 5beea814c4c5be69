"""Dataframe engines behind one port: the same narwhals job on DuckDB, Polars or pandas."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from harken.errors import UnsuitableError
from harken.kit.engine import Engine

_ENGINES = ("duckdb", "polars", "pandas")


def engine(name: str, folder: Path) -> Engine:
    """The engine called `name`, spilling to `folder`."""
    check(name)
    module = import_module(f"harken.adapters.frames.on_{name}")
    return cast(Callable[[Path], Engine], module.build)(folder)


def check(name: str) -> None:
    """Refuse an engine that is unknown or not installed, before any work is done."""
    if name not in _ENGINES:
        raise UnsuitableError(f"There is no engine called {name}: choose one of {', '.join(_ENGINES)}.")
    if find_spec(name) is None:  # looked for and not imported: most commands need no engine
        raise UnsuitableError(f"The engine {name} is not installed: pip install 'harken[{name}]'.")
