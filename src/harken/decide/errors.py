"""What is wrong with a policy, in words for the person who wrote it."""

import difflib
from collections.abc import Iterable

from harken.errors import UnsuitableError


class PolicyError(UnsuitableError):
    """The policy file cannot be used."""


def nearest(name: str, names: Iterable[str]) -> str:
    """`; did you mean 'call_back'?`, or nothing where no name is near."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""
