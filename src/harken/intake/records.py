"""Bytes of a CSV file -> whole records with the line each starts on.

A block whose quotes are all where they belong is cut with a few passes of vector code. Any other block is read by a
grammar, record by record: there a line that opens a quote and never closes it costs that line, not the rest of the file.
"""

import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from harken.errors import UnsuitableError
from harken.intake import encoding
from harken.intake.quality import Reason, Reject

MAX_RECORD_BYTES = 1 << 20
"""A quote open for longer than this was never meant to be closed."""

MAX_LINE_BYTES = 1 << 24
"""A line longer than this is no line."""

_QUOTE, _LF, _CR = b'"\n\r'

Lines: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Whole records, end to end, and what is left for the next block."""

    body: bytes
    lines: Lines  #: where each record of `body` starts
    rejects: tuple[Reject, ...]
    rest: bytes
    next_line: int  #: the line that `rest` starts on


def cut(data: bytes, *, line: int, delimiter: str, final: bool) -> Cut:
    """Cut `data`, which starts on `line`, after its last whole record. The final block is cut to its end."""
    if final and data and not data.endswith(b"\n"):
        data += b"\n"
    return _quick(data, line, delimiter, final) or _careful(data, line, delimiter, final)


def _quick(data: bytes, line: int, delimiter: str, final: bool) -> Cut | None:
    """None where quotes or blank lines need a closer look."""
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    if not _regular(text, quotes, ord(delimiter)):
        return None
    newlines = np.flatnonzero(text == _LF)
    ends = np.flatnonzero(np.searchsorted(quotes, newlines) & 1 == 0)  # a line end with an open quote before it is text
    stops = np.concatenate([[0], newlines[ends] + 1])
    stop = int(stops[-1])
    left = len(data) - stop
    blank = len(stops) > 1 and int(np.diff(stops).min()) <= len("\r\n")
    if blank or left > MAX_RECORD_BYTES or (final and left):
        return None
    lines = np.concatenate([[0], ends + 1]).astype(np.int64) + line
    return Cut(body=data[:stop], lines=lines[:-1], rejects=(), rest=data[stop:], next_line=int(lines[-1]))


def _regular(text: NDArray[np.uint8], quotes: NDArray[np.intp], delimiter: int) -> bool:
    """Does every quote open a cell, close one, or stand doubled? Then counting them tells inside from outside."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = text[opening[opening > 0] - 1]
    after = text[closing[closing < len(text) - 1] + 1]
    opens = (before == delimiter) | (before == _LF) | (before == _QUOTE)
    closes = (after == delimiter) | (after == _LF) | (after == _CR) | (after == _QUOTE)
    return bool(opens.all() and closes.all())


def _careful(data: bytes, line: int, delimiter: str, final: bool) -> Cut:
    record = _grammar(delimiter)
    bodies, lines, rejects = [], [], []
    at = 0
    while at < len(data):
        match = record.match(data, at)
        end = match.end() if match else data.find(b"\n", at) + 1
        if not match and not final and (not end or len(data) - at < MAX_RECORD_BYTES):
            break
        if match and match.group().strip(b"\r\n"):
            bodies.append(match.group())
            lines.append(line)
        elif not match:
            rejects.append(Reject(line=line, reason=Reason.BROKEN_ROW, raw=encoding.decode(data[at : end - 1])))
        line += data.count(b"\n", at, end)
        at = end
    if len(data) - at > MAX_LINE_BYTES:
        raise UnsuitableError(
            f"Line {line} is longer than {MAX_LINE_BYTES >> 20} MB: this is not a CSV file of messages."
        )
    starts = np.array(lines, np.int64)
    return Cut(body=b"".join(bodies), lines=starts, rejects=tuple(rejects), rest=data[at:], next_line=line)


def _grammar(delimiter: str) -> re.Pattern[bytes]:
    """Cells either quoted from end to end or not starting with a quote, up to a line end."""
    cut_at = re.escape(delimiter)
    cell = rf'(?:"(?:[^"]++|"")*+"|(?!")[^{cut_at}\n]*+)'
    return re.compile(rf"{cell}(?:{cut_at}{cell})*+\r?\n".encode())
