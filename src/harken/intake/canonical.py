"""A body as somebody sent it -> limits held, and one spelling of it whatever the order of its keys."""

import math
from collections.abc import Mapping
from typing import Any

import orjson

from harken.intake.fields import InvalidEventError
from harken.intake.quality import Reason
from harken.kit.nesting import MOST_DEPTH, deeper_than

MOST_CHARACTERS = 16_384
MOST_KEY_CHARACTERS = 256


def check(body: Mapping[str, Any]) -> None:
    """Raises InvalidEventError for what JSON does not know (NaN too), and for what is too deep or too long."""
    plain = dict(body)
    _fits(not deeper_than(plain, MOST_DEPTH))
    _check(plain)


def _check(value: Any) -> None:
    if isinstance(value, str):
        _fits(len(value) <= MOST_CHARACTERS)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidEventError(Reason.WRONG_TYPE)
            _fits(len(key) <= MOST_KEY_CHARACTERS)
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
    elif not _is_scalar(value):
        raise InvalidEventError(Reason.WRONG_TYPE)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _fits(fits: bool) -> None:
    if not fits:
        raise InvalidEventError(Reason.OUT_OF_RANGE)


def text(value: Mapping[str, Any]) -> str:
    """JSON with sorted keys. Raises InvalidEventError for half a surrogate pair and for integers beyond 64 bits."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError as wrong:
        raise InvalidEventError(Reason.WRONG_TYPE) from wrong
