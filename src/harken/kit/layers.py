"""A table that ships with Harken and an organisation's own over it -> one table."""

from collections.abc import Mapping, Set
from typing import Any


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any], whole: Set[str] = frozenset()) -> dict[str, Any]:
    """Tables are laid over each other; anything else, and the tables named in `whole`, replaces what stood there."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping) and key not in whole:
            merged[key] = laid_over(under, value, whole)
        else:
            merged[key] = value
    return merged
