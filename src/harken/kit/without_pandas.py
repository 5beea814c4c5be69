"""Arrow asks for pandas at its first list, if only to see whether the list is a series -> it is told once: not here.

Where the pandas extra is installed the question costs every process, workers too, 0.4 seconds and 50 MB.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa


class _NotInstalled:
    """A finder of modules by which there is no pandas."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)
        return None


def spare_pandas() -> None:
    """Does nothing where pandas is there already. Arrow looks again when somebody converts to it or from it."""
    if "pandas" in sys.modules:
        return
    finder = _NotInstalled()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(finder)
