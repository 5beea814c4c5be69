"""An issue as the desk works on it: who has it, how pressing it is, and what became of it.

A ticket is a projection: fold its changes in order and the same ticket comes out. The customer's words and ours are events
of the log; a ticket only points at them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

from harken.domain.event import Channel
from harken.domain.ids import EventId, IdentityId

TicketId = NewType("TicketId", str)
"""A UUID (version 5) of the event that opened it, so that opening it twice is opening it once."""


class StatusCategory(StrEnum):
    """Fixed, however an organisation calls its own labels. Snoozed is OPEN with a `snoozed_until`."""

    NEW = "new"  #: nobody has looked yet
    OPEN = "open"  #: it is our turn
    PENDING = "pending"  #: it is the customer's turn
    ON_HOLD = "on_hold"  #: we wait for a third party
    RESOLVED = "resolved"
    CLOSED = "closed"  #: a new message opens a new ticket


class Priority(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class OwnerType(StrEnum):
    AI = "ai"
    PERSON = "person"
    TEAM = "team"
    BOT = "bot"  #: somebody else's
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who answers. `epoch` grows by one whenever this changes: an answer begun under another epoch is dropped."""

    type: OwnerType = OwnerType.NONE
    id: str = ""
    epoch: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    id: TicketId
    number: int  #: for people, in the order of arrival
    customer: IdentityId
    subject: str  #: as the customer wrote it; sealed where it rests
    channel: Channel
    brand: str
    status: StatusCategory
    label: str  #: the organisation's own word for the status; the category's where it has none
    priority: Priority
    owner: Owner
    opened_at: datetime
    updated_at: datetime
    version: int  #: how many changes it has seen: the ETag
    turns: int  #: messages of the customer's, all of them
    newest_turn: EventId | None  #: the customer's last message: an answer to an older one is dropped
    waiting_since: datetime | None  #: the first message that nobody has answered
    first_reply_at: datetime | None = None
    resolved_at: datetime | None = None
    snoozed_until: datetime | None = None
    reopened: int = 0
    tags: tuple[str, ...] = ()
    category: str | None = None
    merged_into: TicketId | None = None
    attributes: Mapping[str, str | int | bool | None] = field(default_factory=dict)
