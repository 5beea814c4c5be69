"""A twcs-shaped CSV file of any size -> Arrow tables of its cells, in bounded memory, with what was broken or mended."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from harken.errors import UnsuitableError
from harken.intake import encoding
from harken.intake.columns import TWCS_COLUMNS, Header, read_header
from harken.intake.quality import RawBlock, Reason, Reject, Repair
from harken.intake.records import Cut, cut
from harken.intake.source import HEAD_BYTES, opened

BLOCK_BYTES = 8 << 20
"""Read at a time: large enough to be quick, small enough for a laptop."""

SCHEMA = pa.schema([("line", pa.int64()), *((name, pa.string()) for name in TWCS_COLUMNS)])

_BARE_CR = re.compile(rb"\r(?!\n)")
_STAND_IN = "\ue00d\ue00a"
"""Arrow ends a row at any carriage return, so a bare one travels as two private characters."""


def read_csv(path: Path, *, columns: Mapping[str, str] | None = None, block_rows: int = 100_000) -> Iterator[RawBlock]:
    """Tables (line, the seven columns as text) of at most `block_rows` rows, in file order.

    `columns` maps our names to the file's. Raises UnsuitableError with one line a person can act on.
    """
    with opened(path) as stream:
        header = read_header(_first_line(stream, path), str(path), columns)
        rest, line, final = b"", 2, False
        while not final:
            data, nuls = _without_nuls(stream.read(BLOCK_BYTES))
            final = not data
            piece = cut(rest + data, line=line, delimiter=header.delimiter, final=final)
            rest, line = piece.rest, piece.next_line
            block = _parse(piece, header, nuls)
            if block.table.num_rows or block.rejects:
                yield from _sliced(block, block_rows)


def _first_line(stream: IO[bytes], path: Path) -> str:
    line = stream.readline(HEAD_BYTES)
    if len(line) == HEAD_BYTES:
        raise UnsuitableError(f"{path} is not CSV: its first line does not end.")
    return encoding.decode(line).rstrip("\r\n")


def _without_nuls(data: bytes) -> tuple[bytes, int]:
    """The data and how many lines had NUL characters, which no database takes."""
    if b"\0" not in data:
        return data, 0
    return data.replace(b"\0", b""), sum(b"\0" in row for row in data.split(b"\n"))


def _parse(piece: Cut, header: Header, nuls: int) -> RawBlock:
    body, encodings = _as_utf8(piece.body)
    body, returns = _without_bare_returns(body)
    ragged: list[csv.InvalidRow] = []
    table = _cells(body, header, ragged) if body else SCHEMA.remove(0).empty_table()
    if returns:
        table = _with_returns(table)
    kept = np.ones(len(piece.lines), bool)
    kept[[row.number - 1 for row in ragged]] = False
    broken = [_reject(row, int(piece.lines[row.number - 1])) for row in ragged]
    counts = {Repair.ENCODING: encodings, Repair.BARE_CR: returns, Repair.NUL: nuls}
    return RawBlock(
        table=table.add_column(0, "line", pa.array(piece.lines[kept])),
        rejects=tuple(sorted([*piece.rejects, *broken], key=lambda reject: reject.line)),
        repaired={repair.value: count for repair, count in counts.items() if count},
        size=len(piece.body),
    )


def _cells(body: bytes, header: Header, ragged: list[csv.InvalidRow]) -> pa.Table:
    """The seven columns of every row of the right width; the other rows go to `ragged`."""

    def keep_apart(row: csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"

    names = [str(cell) for cell in range(header.width)]
    wanted = [str(header.places[name]) if name in header.places else name for name in TWCS_COLUMNS]
    table = csv.read_csv(
        pa.BufferReader(body),
        # One thread: only then does Arrow say which row was ragged.
        read_options=csv.ReadOptions(use_threads=False, column_names=names, block_size=len(body) + 1),
        parse_options=csv.ParseOptions(
            delimiter=header.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=keep_apart,
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys([*names, *wanted], pa.string()),
            include_columns=wanted,
            include_missing_columns=True,
            strings_can_be_null=False,
        ),
    )
    return table.rename_columns(list(TWCS_COLUMNS))


def _reject(row: csv.InvalidRow, line: int) -> Reject:
    return Reject(line=line, reason=Reason.BROKEN_ROW, raw=row.text.replace(_STAND_IN, "\r"))


def _as_utf8(body: bytes) -> tuple[bytes, int]:
    """The body as UTF-8 and how many lines were not."""
    try:
        pa.scalar(body, pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid:
        rows = body.split(b"\n")
        texts = [encoding.decode(row).encode() for row in rows]
        return b"\n".join(texts), sum(text != row for text, row in zip(texts, rows, strict=True))
    return body, 0


def _without_bare_returns(body: bytes) -> tuple[bytes, int]:
    """The body without carriage returns that are no line ends, and how many lines had them."""
    if b"\r" not in body or not _BARE_CR.search(body):
        return body, 0
    lines = sum(bool(_BARE_CR.search(row)) for row in re.findall(rb"[^\n]*\n", body))
    return _BARE_CR.sub(_STAND_IN.encode(), body), lines


def _with_returns(table: pa.Table) -> pa.Table:
    columns = [pc.replace_substring(column, _STAND_IN, "\r") for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _sliced(block: RawBlock, rows: int) -> Iterator[RawBlock]:
    """Parts of at most `rows` rows; the last one carries what was broken, mended and read."""
    starts = range(0, max(block.table.num_rows, 1), rows)
    for start in starts[:-1]:
        yield RawBlock(table=block.table.slice(start, rows))
    yield replace(block, table=block.table.slice(starts[-1], rows))
