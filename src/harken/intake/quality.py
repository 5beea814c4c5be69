"""What can be wrong with a row, what can be mended, and one piece of a source with both."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa


class Reason(StrEnum):
    """Why a row is in quarantine. Every row read is accepted, a duplicate, or here."""

    BROKEN_ROW = "broken_row"  #: too few or too many cells, an unclosed quote, not JSON
    BAD_ID = "bad_id"  #: not a whole number; 1.2E+17 is what a spreadsheet leaves of one
    BAD_AUTHOR = "bad_author"
    BAD_INBOUND = "bad_inbound"  #: neither true nor false
    UNREADABLE_TIME = "unreadable_time"
    TIME_IN_FUTURE = "time_in_future"  #: later than the run's own clock
    TIME_TOO_OLD = "time_too_old"  #: before 1990: a clock that was never set
    EMPTY_TEXT = "empty_text"
    CONFLICTING_DUPLICATE = "conflicting_duplicate"  #: the id of an earlier row with other content
    MOJIBAKE_UNREPAIRABLE = "mojibake_unrepairable"
    UNKNOWN_KIND = "unknown_kind"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    SCHEMA_VIOLATION = "schema_violation"  #: an event that its type's schema does not take; the detail says where
    NOT_IN_PLAN = "not_in_plan"  #: the tracking plan does not let this source send it
    UNFIT = "unfit"  #: it passed every check, and broke what takes it in: our mistake, and the log says which
    OUT_OF_RANGE = "out_of_range"  #: a text too long, a number too large or a nesting too deep for the format


class Repair(StrEnum):
    """What was mended on the way in; the row is accepted."""

    BARE_CR = "bare_cr"  #: a carriage return inside a row that is no line end
    ENCODING = "encoding"  #: bytes that are not UTF-8, read as Windows-1252
    NUL = "nul"  #: NUL characters taken out
    BAD_PARENT = "bad_parent"  #: an unreadable reply link; the message begins its own thread
    APOSTROPHE = "apostrophe"  #: the sign that makes a spreadsheet show a cell as text
    MOJIBAKE = "mojibake"  #: text that was decoded wrongly somewhere before us


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that could not be read at all."""

    line: int  #: physical line where it starts, 1-based
    reason: Reason
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RawBlock:
    """A piece of a source that fits in memory. Rows read = rows in `table` + rejects."""

    table: pa.Table
    rejects: tuple[Reject, ...] = ()
    repaired: Mapping[str, int] = field(default_factory=dict)
    size: int = 0  #: bytes of the source, uncompressed
