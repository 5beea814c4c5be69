"""What receiving takes, and what it tells: an event that passed every check, a refusal with its reason, a receipt."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from harken.domain.link import Link


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
    """What cannot be taken."""

    id: str  #: as far as it says one
    source: str
    reason: str
    detail: str = ""  #: where and what, never the value
    keep: bool = True  #: sealed, to be tried again after a fix
    raw: bytes
    received_at: datetime


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"  #: the log had it; nothing changed
    QUARANTINED = "quarantined"  #: kept aside with its reason
    REFUSED = "refused"  #: not kept at all: this source may not send it


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What came of one event."""

    id: str
    outcome: Outcome
    position: int | None = None  #: in the log
    reason: str | None = None
    detail: str = ""
