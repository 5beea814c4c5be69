"""Rows in order of identity -> pieces that part no identity."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]


def whole(chunks: Iterable[list[Row]]) -> Iterator[list[Row]]:
    """Chunks of rows, cut where they came -> cut where the identity changes."""
    held: list[Row] = []
    for found in chunks:
        held += found
        last = held[-1]["identity"]
        complete = next((at for at in range(len(held) - 1, -1, -1) if held[at]["identity"] != last), -1) + 1
        if complete:
            yield held[:complete]
            held = held[complete:]
    if held:
        yield held


def ranges(cuts: list[str], *, ends: bool = False) -> list[tuple[str, str | None]]:
    """Where to cut -> ranges [from, to); with `ends`, nothing follows the last cut."""
    starts = ["", *cuts]
    found: list[tuple[str, str | None]] = list(zip(starts, [*starts[1:], None], strict=True))
    return found[:-1] if ends else found
