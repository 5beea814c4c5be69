"""Dataframe engines behind one port: the same narwhals job on DuckDB, Polars or pandas."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import cast

from harken.errors import UnsuitableError
from harken.kit.engine import Engine

_ENGINES = ("duckdb", "polars", "pandas")


def engine(name: str, folder: Path) -> Engine:
    """The engine called `name`, spilling to `folder`."""
    return _build(name)(folder)


def check(name: str) -> None:
    """Refuse an engine that is unknown or not installed, before any work is done."""
    _build(name)


def _build(name: str) -> Callable[[Path], Engine]:
    if name not in _ENGINES:
        raise UnsuitableError(f"There is no engine called {name}: choose one of {', '.join(_ENGINES)}.")
    try:
        module = import_module(f"harken.adapters.frames.on_{name}")
    except ModuleNotFoundError as missing:
        raise UnsuitableError(
            f"The engine {name} is not installed ({missing.name} is missing): pip install 'harken[{name}]'."
        ) from missing
    return cast(Callable[[Path], Engine], module.build)
