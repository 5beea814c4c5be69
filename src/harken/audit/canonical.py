"""A value -> the one text that stands for it: JSON with sorted keys, no spaces and only ASCII; and back.

What has several spellings in JSON, or is read differently elsewhere, is refused: a digest must mean one thing.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from harken.errors import UnsuitableError

Plain: TypeAlias = "bool | int | float | str | list[Plain] | tuple[Plain, ...] | Mapping[str, Plain] | None"

EXACT = 2**53
"""Integers from here on are not the same number everywhere that JSON is read: ids and such travel as strings."""


class NotCanonicalError(UnsuitableError):
    """This value has no one text that stands for it."""


def text(value: Plain) -> str:
    """Raises NotCanonicalError for large integers, infinities, keys that are no strings, and anything but plain values.

    Strings are taken as they are: no Unicode normalisation, half a surrogate pair stays half a pair. A float is written
    with as many digits as bring back that very float.
    """
    return json.dumps(_checked(value, "$"), sort_keys=True, separators=(",", ":"), allow_nan=False)


def read(given: str) -> Any:
    """Raises NotCanonicalError where the text is not what `text` writes of its value."""
    try:
        value = json.loads(given)
        canonical = text(value) == given
    except (ValueError, RecursionError):
        raise NotCanonicalError("This is not JSON.") from None
    if not canonical:
        raise NotCanonicalError("This JSON is not in its canonical form.")
    return value


def digest(given: str) -> bytes:
    """SHA-256 (32 bytes)."""
    return hashlib.sha256(given.encode()).digest()


def _checked(value: Any, where: str) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if abs(value) >= EXACT:
            raise NotCanonicalError(f"{where}: an integer this large travels as a string.")
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotCanonicalError(f"{where}: {value} is no number of JSON.")
        return float(value)
    return _within(value, where)


def _within(value: Any, where: str) -> Any:
    if isinstance(value, Mapping):
        if wrong := next((key for key in value if not isinstance(key, str)), None):
            raise NotCanonicalError(f"{where}: the key {wrong!r} is no string.")
        return {str(key): _checked(inner, f"{where}.{key}") for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_checked(inner, f"{where}[{place}]") for place, inner in enumerate(value)]
    raise NotCanonicalError(f"{where}: a {type(value).__name__} has no canonical form.")
