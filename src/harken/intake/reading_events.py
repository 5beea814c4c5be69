"""Our own `events` JSON Lines, one object a line -> the event table, in bounded memory, with what was wrong."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import orjson
import pyarrow as pa

from harken.domain.event import Kind
from harken.errors import UnsuitableError
from harken.intake import encoding, fields
from harken.intake.fields import Fields, InvalidEventError, Row
from harken.intake.normalise import EVENTS
from harken.intake.quality import RawBlock, Reason, Reject, Repair
from harken.intake.source import opened

MAX_LINE_BYTES = 1 << 20

_KINDS = frozenset(kind.value for kind in Kind)


def read_events(path: Path, *, source: str, now_us: int, block_rows: int = 50_000) -> Iterator[RawBlock]:
    """Tables of `EVENTS` in file order; ids without a prefix get `source:`. Times after `now_us` are refused.

    Raises UnsuitableError with one line a person can act on.
    """
    with opened(path) as stream:
        lines = enumerate(iter(lambda: stream.readline(MAX_LINE_BYTES + 1), b""), start=1)
        while block := list(islice(lines, block_rows)):
            if block[0][0] == 1 and not block[0][1].lstrip().startswith(b"{"):
                raise UnsuitableError(f"{path} is not JSON Lines: its first line is no object.")
            if too_long := next((number for number, line in block if len(line) > MAX_LINE_BYTES), None):
                raise UnsuitableError(f"Line {too_long} of {path} is longer than {MAX_LINE_BYTES >> 20} MB.")
            yield parse(block, source, now_us)


def parse(lines: Sequence[tuple[int, bytes]], source: str, now_us: int) -> RawBlock:
    """(line number, line) pairs -> a table of `EVENTS` and the lines that are no events. Blank lines are skipped."""
    rows, rejects, nuls = [], [], 0
    for number, line in lines:
        text = encoding.decode(line).strip()
        if not text:
            continue
        try:
            row = event(text, source=source, now_us=now_us)
        except InvalidEventError as wrong:
            rejects.append(Reject(line=number, reason=wrong.reason, raw=text))
            continue
        if "\0" in row["text"]:
            row["text"] = row["text"].replace("\0", "")
            nuls += 1
        rows.append(row | {"line": number})
    return RawBlock(
        table=pa.Table.from_pylist(rows, schema=EVENTS),
        rejects=tuple(rejects),
        repaired={Repair.NUL.value: nuls} if nuls else {},
        size=sum(len(line) for _, line in lines),
    )


def event(line: str, *, source: str, now_us: int) -> Row:
    """One line -> one row of `EVENTS` without `line`. Raises InvalidEventError."""
    given = _object(line)
    kind = Kind(fields.one_of(given, "kind", _KINDS, Reason.UNKNOWN_KIND))
    channel = fields.one_of(given, "channel", fields.CHANNELS, Reason.WRONG_TYPE)
    texts = {name: fields.text(given, name) for name in fields.OPTIONAL_TEXTS}
    row = fields.event_row(kind, fields.required(given, "id"), channel, _moment(given, now_us), texts, source)
    return row | {"attributes": _attributes(given.get("attributes"))}


def _object(line: str) -> Fields:
    try:
        given = orjson.loads(line)
    except orjson.JSONDecodeError as wrong:
        raise InvalidEventError(Reason.BROKEN_ROW) from wrong
    if not isinstance(given, dict):
        raise InvalidEventError(Reason.BROKEN_ROW)
    return given


def _moment(given: Fields, now_us: int) -> int:
    """Microseconds since 1970 UTC. Rows that were in quarantine carry `at`, which is that already."""
    at = given.get("at")
    if not isinstance(at, int) or "happened_at" in given:
        at = fields.moment(fields.required(given, "happened_at"))
    if at > now_us:
        raise InvalidEventError(Reason.TIME_IN_FUTURE)
    return at


def _attributes(given: object) -> str | None:
    """Flat facts as sorted JSON: text, numbers without a fraction, true, false and null."""
    if given is None:
        return None
    attributes = _object(given) if isinstance(given, str) else given
    if not isinstance(attributes, dict) or not all(isinstance(each, str | int | None) for each in attributes.values()):
        raise InvalidEventError(Reason.WRONG_TYPE)
    return orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode()
