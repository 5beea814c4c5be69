"""A header -> where each column that we need stands, whatever it is called there."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harken.errors import UnsuitableError

TWCS_COLUMNS = (
    "tweet_id",
    "author_id",
    "inbound",
    "created_at",
    "text",
    "response_tweet_id",
    "in_response_to_tweet_id",
)
"""The columns of "Customer Support on Twitter", by which other files are told too."""

OPTIONAL = frozenset({"response_tweet_id"})
"""Never used: it lists answers of which many do not exist."""

_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    delimiter: str
    width: int  #: cells in every row
    places: Mapping[str, int]  #: standard name -> cell


def parse_columns(text: str) -> dict[str, str]:
    """`tweet_id=id,author_id=user` -> {"tweet_id": "id", "author_id": "user"}: ours = theirs."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    for ours, equals, theirs in pairs:
        if not equals or not theirs.strip() or ours.strip() not in TWCS_COLUMNS:
            raise UnsuitableError(
                f"Cannot use {ours}{equals}{theirs!s} in --columns: write OURS=THEIRS, ours one of {', '.join(TWCS_COLUMNS)}."
            )
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


def read_header(line: str, name: str, columns: Mapping[str, str] | None = None) -> Header:
    """The header of the file called `name`; refuses one that lacks columns, saying which."""
    delimiter = max(_DELIMITERS, key=line.count)
    if delimiter not in line:
        raise UnsuitableError(f"{name} is not CSV: its first line has no commas.")
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    places = {ours: _find((columns or {}).get(ours, ours), cells) for ours in TWCS_COLUMNS}
    missing = [ours for ours, at in places.items() if at is None and ours not in OPTIONAL]
    if missing:
        raise UnsuitableError(_sorry(name, missing, cells))
    found = {ours: at for ours, at in places.items() if at is not None}
    return Header(delimiter=delimiter, width=len(cells), places=found)


def _find(theirs: str, cells: Sequence[str]) -> int | None:
    if theirs in cells:
        return cells.index(theirs)
    folded = [cell.casefold() for cell in cells]
    return folded.index(theirs.casefold()) if theirs.casefold() in folded else None


def _sorry(name: str, missing: Sequence[str], cells: Sequence[str]) -> str:
    present = ", ".join(cell for cell in cells if cell)[:300]
    hint = ",".join(f"{ours}=…" for ours in missing)
    return f"{name} has no column {', '.join(missing)}. It has {present}. Say which is which: --columns {hint}"
