"""Fields as somebody wrote them -> checked values, and those of one event -> its row; or the reason why it is none."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from harken.domain.event import Channel, Kind
from harken.errors import HarkenError
from harken.intake.quality import Reason

Fields: TypeAlias = Mapping[str, Any]
Row: TypeAlias = dict[str, Any]

CHANNELS = frozenset(channel.value for channel in Channel)
OPTIONAL_TEXTS = ("customer", "identity", "author", "brand", "text", "in_reply_to", "thread", "addressed_to")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_ID = re.compile(r"[^\s\x00-\x1f]{1,200}")
_MESSAGES = frozenset((Kind.MESSAGE_RECEIVED, Kind.MESSAGE_SENT))
_OURS = frozenset((Kind.MESSAGE_SENT, Kind.ISSUE_RESOLVED))


class InvalidEventError(HarkenError):
    """This is no event."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def event_row(kind: Kind, id_: str, channel: str, at: int, texts: Mapping[str, str | None], source: str) -> Row:
    """One row of `EVENTS` without `line`, `attributes` still empty. `texts` has every one of `OPTIONAL_TEXTS`."""
    named = texts["identity"] or texts["customer"]
    identity = prefixed(named, "customer") if named else None
    ours = kind in _OURS
    if identity is None and not ours:
        raise InvalidEventError(Reason.MISSING_FIELD)
    if kind in _MESSAGES and not (texts["text"] or "").strip("\0 \t\r\n"):
        raise InvalidEventError(Reason.EMPTY_TEXT)
    addressed = texts["addressed_to"] or (None if ours else texts["brand"])
    return {
        "id": prefixed(id_, source),
        "kind": kind.value,
        "identity": identity,
        "author": texts["author"] or (texts["brand"] if ours else None) or _bare(identity) or source,
        "channel": channel,
        "at": at,
        "text": texts["text"] or "",
        "in_reply_to": _parent(texts, source),
        "addressed_to": addressed.lower() if addressed else None,
        "attributes": None,
        "source": source,
    }


def required(fields: Fields, name: str) -> str:
    written = text(fields, name)
    if written is None:
        raise InvalidEventError(Reason.MISSING_FIELD)
    return written


def text(fields: Fields, name: str) -> str | None:
    """None where there is none. Numbers are taken as ids that lost their quotes; nothing else is a text."""
    value = fields.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise InvalidEventError(Reason.WRONG_TYPE)


def one_of(fields: Fields, name: str, known: frozenset[str], otherwise: Reason) -> str:
    value = required(fields, name)
    if value not in known:
        raise InvalidEventError(otherwise)
    return value


def prefixed(id_: str, prefix: str) -> str:
    full = id_ if ":" in id_ else f"{prefix}:{id_}"
    if not _ID.fullmatch(full) or full.startswith(":") or full.endswith(":"):
        raise InvalidEventError(Reason.BAD_ID)
    return full


def moment(written: str) -> int:
    """ISO 8601 with a zone -> microseconds since 1970 UTC."""
    try:
        read = datetime.fromisoformat(written)
        if read.tzinfo is None:
            raise InvalidEventError(Reason.UNREADABLE_TIME)
        return (read - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError) as wrong:
        raise InvalidEventError(Reason.UNREADABLE_TIME) from wrong


def _bare(identity: str | None) -> str | None:
    return identity.partition(":")[2] if identity else None


def _parent(texts: Mapping[str, str | None], source: str) -> str | None:
    """A thread without reply links hangs from a parent that nobody sees, so that all its messages share a root."""
    if parent := texts["in_reply_to"]:
        return prefixed(parent, source)
    return prefixed(f"thread:{texts['thread']}", source) if texts["thread"] else None
