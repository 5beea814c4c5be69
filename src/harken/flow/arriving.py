"""What a source sends -> as receiving takes it: an event that passed every check, or a refusal with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from harken.domain.link import Link
from harken.flow.dossier import microseconds
from harken.intake.fields import InvalidEventError
from harken.intake.quality import Reason
from harken.intake.tracking import tracked
from harken.privacy.keys import MasterKey

MAX_EVENT_BYTES = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An event as the log will have it, but for its sealing. `row`: the columns of `intake.normalise.EVENTS`."""

    row: dict[str, Any]
    links: tuple[Link, ...] = ()  #: what it says of identifiers
    content: str = ""  #: what is sealed where there is no text: JSON
    same_as: bytes  #: canonical form: an event under the same id with another form is another event
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What cannot be taken; kept sealed, to be tried again after a fix."""

    id: str  #: as far as it says one
    source: str
    reason: str
    detail: str = ""  #: where and what, never the value
    raw: bytes
    received_at: datetime


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  #: the log had it; nothing changed
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came of one event."""

    id: str
    outcome: Outcome
    position: int | None = None  #: in the log
    reason: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One event as a source sent it, not looked at yet."""

    body: Any
    source: str
    received_at: datetime


def arrive(sent: Sent, master: MasterKey) -> Arrival | Refusal:
    """Every check that looks at one event alone."""
    try:
        if not isinstance(sent.body, Mapping):
            raise InvalidEventError(Reason.BROKEN_ROW)
        found = tracked(
            sent.body,
            source=sent.source,
            received_us=microseconds(sent.received_at),
            blind=lambda kind, value: master.fingerprint(kind, value.encode()).hex(),
        )
        if len(found.same_as) > MAX_EVENT_BYTES:
            raise InvalidEventError(Reason.OUT_OF_RANGE)
    except InvalidEventError as wrong:
        return refused(sent, wrong.reason)
    return Arrival(
        row=found.row,
        links=found.links,
        content=found.content,
        same_as=found.same_as,
        received_at=sent.received_at,
    )


def refused(sent: Sent, reason: str, detail: str = "") -> Refusal:
    given = sent.body.get("messageId") if isinstance(sent.body, Mapping) else None
    return Refusal(
        id=given[:200] if isinstance(given, str) else "",
        source=sent.source,
        reason=str(reason),
        detail=detail,
        raw=orjson.dumps(sent.body),
        received_at=sent.received_at,
    )


def unreadable(raw: bytes, source: str, received_at: datetime) -> Refusal:
    """Bytes in which there is no event."""
    return Refusal(id="", source=source, reason=Reason.BROKEN_ROW.value, raw=raw, received_at=received_at)
