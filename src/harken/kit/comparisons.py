"""A closed list of comparisons: conditions that people write are data, and nothing is evaluated."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda found, given: found in given,
    "not in": lambda found, given: found not in given,
    "contains": lambda found, given: given.lower() in found.lower(),
}
NUMERIC = frozenset({"<", "<=", ">", ">="})
LISTS = frozenset({"in", "not in"})
_NUMBERS = (int, float)


def holds(found: Any, comparison: str, value: Any) -> bool:
    """What is not known proves nothing, in neither direction; nor does a value of another kind."""
    wanted: tuple[type, ...] = _NUMBERS if comparison in NUMERIC else (str,) if comparison == "contains" else ()
    if found is None or (wanted and not isinstance(found, wanted)):
        return False
    return bool(COMPARISONS[comparison](found, value))


def is_number(value: object) -> bool:
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)
