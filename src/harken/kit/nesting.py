"""JSON values -> how deep they are nested, without descending further than allowed."""

from typing import Any

MOST_DEPTH = 12
"""Levels of an event, itself included: no source needs more, and readers of JSON keep a stack."""


def deeper_than(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None:
        return False
    return levels == 0 or any(deeper_than(item, levels - 1) for item in inner)
