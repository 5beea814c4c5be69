"""Times as sources write them -> microseconds since 1970 UTC, by integer arithmetic that every dataframe engine shares."""

from functools import reduce
from operator import add
from typing import Any

import narwhals as nw

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_ZONE = "[+-](?:0[0-9]|1[0-4])"
_TWITTER = rf"^[A-Z][a-z][a-z] (?:{'|'.join(MONTHS)}) [0-3][0-9] {_CLOCK} {_ZONE}[0-5][0-9] [0-9]{{4}}$"
_ISO = rf"^[0-9]{{4}}-(?:0[1-9]|1[0-2])-[0-3][0-9][T ]{_CLOCK}(?:\.[0-9]{{1,6}})?(?:[Zz]|{_ZONE}:?[0-5][0-9])$"

_SCRATCH = ("t_twitter", "t_iso", "t_year", "t_month", "t_day", "t_second", "t_zone", "t_fraction")


def with_moments(frame: nw.LazyFrame[Any], written: str) -> nw.LazyFrame[Any]:
    """Add `at`, the moment that the text column `written` names; null where it names none.

    Understood: `Tue Oct 31 22:10:47 +0000 2017` and ISO 8601 with a zone; a time without one is no moment.
    """
    # Step by step and not as one expression: an eager engine would work out every part once for each time it is used.
    text = nw.col(written)
    guarded = frame.with_columns(
        t_twitter=nw.when(text.str.contains(_TWITTER)).then(text), t_iso=nw.when(text.str.contains(_ISO)).then(text)
    )
    parts = guarded.with_columns(
        t_year=_number(26, 0, 4),
        t_month=nw.coalesce(_month_named(), _cut("t_iso", 5, 2).cast(nw.Int64)),
        t_day=_number(8, 8, 2),
        t_second=_number(11, 11, 2) * 3600 + _number(14, 14, 2) * 60 + _number(17, 17, 2),
        t_zone=nw.coalesce(_cut("t_twitter", 20, 5), _iso_zone()),
        t_fraction=_iso_fraction().fill_null(0),
    )
    seconds = _days() * 86_400 + nw.col("t_second") - _offset()
    return parts.with_columns(at=seconds * 1_000_000 + nw.col("t_fraction")).drop(*_SCRATCH)


def _cut(column: str, start: int, length: int) -> nw.Expr:
    return nw.col(column).str.slice(start, length)


def _number(in_twitter: int, in_iso: int, length: int) -> nw.Expr:
    return nw.coalesce(_cut("t_twitter", in_twitter, length), _cut("t_iso", in_iso, length)).cast(nw.Int64)


def _month_named() -> nw.Expr:
    word = _cut("t_twitter", 4, 3)
    # A sum and not a choice of literals: pandas would make those floating point.
    return reduce(add, [(word == name).cast(nw.Int64) * month for month, name in enumerate(MONTHS, start=1)])


def _iso_zone() -> nw.Expr:
    """`Z`, `+02:00` -> `+0000`, `+0200`."""
    tail = nw.col("t_iso").str.slice(19).str.replace_all(r"^\.[0-9]+", "")
    return tail.str.replace_all(":", "").str.replace_all("[Zz]", "+0000")


def _iso_fraction() -> nw.Expr:
    """`.5` -> 500000; null without a fraction."""
    digits = nw.col("t_iso").str.slice(20).str.replace_all("[^0-9].*$", "")
    padded = nw.concat_str([digits, nw.lit("000000")]).str.slice(0, 6)
    return nw.when(_cut("t_iso", 19, 1) == ".").then(padded).cast(nw.Int64)


def _offset() -> nw.Expr:
    """Seconds east of UTC."""
    seconds = _cut("t_zone", 1, 2).cast(nw.Int64) * 3600 + _cut("t_zone", 3, 2).cast(nw.Int64) * 60
    return nw.when(nw.col("t_zone").str.starts_with("-")).then(-seconds).otherwise(seconds)


def _days() -> nw.Expr:
    """Civil date -> days since 1970, null for a day that the month does not have.

    Howard Hinnant's algorithm: years begin in March, so that the leap day is the last.
    """
    month, day = nw.col("t_month"), nw.col("t_day")
    early = month <= 2
    year = nw.col("t_year") - early.cast(nw.Int64)
    since_march = nw.when(early).then(month + 9).otherwise(month - 3)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * since_march + 2) // 5 + day - 719_469
    return nw.when((day >= 1) & (day <= _month_length())).then(days)


def _month_length() -> nw.Expr:
    month, year = nw.col("t_month"), nw.col("t_year")
    # Not `%`: pandas has no remainder on Arrow columns.
    leap = (year // 4 * 4 == year) & ((year // 100 * 100 != year) | (year // 400 * 400 == year))
    return nw.when(month == 2).then(28 + leap.cast(nw.Int64)).otherwise(31 - month.is_in([4, 6, 9, 11]).cast(nw.Int64))
