"""Our own `events` JSON Lines, one object a line -> the event table, in bounded memory, with what was wrong."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import pyarrow as pa

from harken.domain.event import Channel, Kind
from harken.errors import HarkenError, UnsuitableError
from harken.intake import encoding
from harken.intake.normalise import EVENTS
from harken.intake.quality import RawBlock, Reason, Reject, Repair
from harken.intake.source import opened

MAX_LINE_BYTES = 1 << 20

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ID = re.compile(r"[^\s\x00-\x1f]{1,200}")
_MESSAGES = frozenset((Kind.MESSAGE_RECEIVED, Kind.MESSAGE_SENT))
_KINDS = frozenset(kind.value for kind in Kind)
_CHANNELS = frozenset(channel.value for channel in Channel)
_OPTIONAL_TEXTS = ("customer", "identity", "author", "brand", "text", "in_reply_to", "thread", "addressed_to")

Fields: TypeAlias = Mapping[str, Any]
Row: TypeAlias = dict[str, Any]


class InvalidEventError(HarkenError):
    """This line is no event."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


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
    fields = _object(line)
    kind = Kind(_one_of(fields, "kind", _KINDS, Reason.UNKNOWN_KIND))
    channel = _one_of(fields, "channel", _CHANNELS, Reason.WRONG_TYPE)
    texts = {name: _text(fields, name) for name in _OPTIONAL_TEXTS}
    identity = _identity(texts)
    ours = kind in (Kind.MESSAGE_SENT, Kind.ISSUE_RESOLVED)
    if identity is None and not ours:
        raise InvalidEventError(Reason.MISSING_FIELD)
    if kind in _MESSAGES and not (texts["text"] or "").strip("\0 \t\r\n"):
        raise InvalidEventError(Reason.EMPTY_TEXT)
    addressed = texts["addressed_to"] or (None if ours else texts["brand"])
    return {
        "id": _prefixed(_required(fields, "id"), source),
        "kind": kind.value,
        "identity": identity,
        "author": texts["author"] or (texts["brand"] if ours else None) or _bare(identity) or source,
        "channel": channel,
        "at": _moment(fields, now_us),
        "text": texts["text"] or "",
        "in_reply_to": _parent(texts, source),
        "addressed_to": addressed.lower() if addressed else None,
        "attributes": _attributes(fields.get("attributes")),
        "source": source,
    }


def _object(line: str) -> Fields:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as wrong:
        raise InvalidEventError(Reason.BROKEN_ROW) from wrong
    if not isinstance(fields, dict):
        raise InvalidEventError(Reason.BROKEN_ROW)
    return fields


def _required(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if value is None or value == "":
        raise InvalidEventError(Reason.MISSING_FIELD)
    return _written(value)


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    return None if value is None or value == "" else _written(value)


def _written(value: object) -> str:
    """Numbers are taken as ids that lost their quotes; nothing else is a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidEventError(Reason.WRONG_TYPE)


def _one_of(fields: Fields, name: str, known: frozenset[str], otherwise: Reason) -> str:
    value = _required(fields, name)
    if value not in known:
        raise InvalidEventError(otherwise)
    return value


def _prefixed(id_: str, prefix: str) -> str:
    full = id_ if ":" in id_ else f"{prefix}:{id_}"
    if not _ID.fullmatch(full) or full.startswith(":") or full.endswith(":"):
        raise InvalidEventError(Reason.BAD_ID)
    return full


def _identity(texts: Mapping[str, str | None]) -> str | None:
    name = texts["identity"] or texts["customer"]
    return _prefixed(name, "customer") if name else None


def _bare(identity: str | None) -> str | None:
    return identity.partition(":")[2] if identity else None


def _parent(texts: Mapping[str, str | None], source: str) -> str | None:
    """A thread without reply links hangs from a parent that nobody sees, so that all its messages share a root."""
    if parent := texts["in_reply_to"]:
        return _prefixed(parent, source)
    return _prefixed(f"thread:{texts['thread']}", source) if texts["thread"] else None


def _moment(fields: Fields, now_us: int) -> int:
    """Microseconds since 1970 UTC. Rows that were in quarantine carry `at`, which is that already."""
    at = fields.get("at")
    if not isinstance(at, int) or "happened_at" in fields:
        at = _read_moment(_required(fields, "happened_at"))
    if at > now_us:
        raise InvalidEventError(Reason.TIME_IN_FUTURE)
    return at


def _read_moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise InvalidEventError(Reason.UNREADABLE_TIME)
        return (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as wrong:
        raise InvalidEventError(Reason.UNREADABLE_TIME) from wrong


def _attributes(given: object) -> str | None:
    """Flat facts as sorted JSON: text, numbers without a fraction, true, false and null."""
    if given is None:
        return None
    attributes = _object(given) if isinstance(given, str) else given
    if not isinstance(attributes, dict) or not all(isinstance(each, str | int | None) for each in attributes.values()):
        raise InvalidEventError(Reason.WRONG_TYPE)
    return orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode()
