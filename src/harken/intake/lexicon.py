"""Word lists in TOML, as the readers of a message's words ask for them."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from harken.kit.phrases import Phrases

__all__ = ["Phrases", "toml"]


@cache
def toml(name: str) -> Mapping[str, Any]:
    return tomllib.loads((files(__package__) / "lexicons" / f"{name}.toml").read_text("utf-8"))
