"""Everything that can happen to a ticket: a closed set of changes, and how each is written down and read again."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeAlias

import orjson
from pydantic import TypeAdapter

from harken.domain.event import Channel
from harken.domain.ids import EventId, IdentityId
from harken.domain.ticket import OwnerType, Priority, StatusCategory, TicketId


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """What the messages of a ticket add up to, where a merge or a split moved some: absolute, after the move."""

    turns: int
    newest_turn: EventId | None
    waiting_since: datetime | None
    first_reply_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """`split_from` and `follows`: the ticket whose messages these were, or that was closed when they wrote again."""

    id: TicketId
    number: int
    customer: IdentityId
    subject: str
    channel: Channel
    brand: str
    priority: Priority
    asked: Priority | None  #: what the customer said themselves
    because: str  #: how the priority came about
    owner: OwnerType
    owner_id: str = ""
    tier: str = ""
    jurisdiction: str = ""
    verified: bool = False  #: the way they came says that they are who they say
    language: str = "und"
    urgency: int = 0
    events: tuple[EventId, ...]  #: the messages that it begins with
    thread: Thread
    split_from: TicketId | None = None
    follows: TicketId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """The customer was told that we have it; says nothing else, so it answers nothing."""

    text: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded:
    """The customer wrote again."""

    event: EventId


@dataclass(frozen=True, slots=True, kw_only=True)
class Replied:
    """We wrote to the customer. A person who does takes the ticket over, and so does somebody else's bot."""

    event: EventId
    author: OwnerType
    author_id: str = ""
    to: EventId | None = None  #: the turn that it was written for; None: everything that was said by then


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """Among ourselves: no customer ever sees it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    status: StatusCategory
    label: str  #: the organisation's own word


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityChanged:
    priority: Priority
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Also a take-over, and giving it back to the AI, which comes back in no other way."""

    owner: OwnerType
    owner_id: str = ""
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsChanged:
    tags: tuple[str, ...]  #: all it has from now on


@dataclass(frozen=True, slots=True, kw_only=True)
class Snoozed:
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Woken:
    """The time of the snooze is over, or somebody ended it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """This ticket's messages are another's now; it is closed."""

    into: TicketId


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorbed:
    """Another ticket's messages are this one's now."""

    other: TicketId
    events: tuple[EventId, ...]
    thread: Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOff:
    """Some messages went to a ticket of their own."""

    into: TicketId
    events: tuple[EventId, ...]
    thread: Thread


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    category: str
    probability: float
    model: str
    urgency: int = 0
    language: str = "und"


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated:
    """The AI handed over: to whom, why (a reason code), and what that person should know first."""

    reason: str
    owner: OwnerType
    owner_id: str = ""
    summary: str = ""
    because: str = ""  #: how the owner was chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaWarning:
    """`started_at` tells one wait from the next: each is warned of once."""

    clock: str
    started_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaBreached:
    clock: str
    started_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    subject: str


Change: TypeAlias = (
    Opened | Acknowledged | MessageAdded | Replied | NoteAdded | StatusChanged | PriorityChanged | Assigned | TagsChanged
    | Snoozed | Woken | Merged | Absorbed | SplitOff | Classified | Escalated | SlaWarning | SlaBreached | Renamed
)  # fmt: skip

EVENT_NAMES: Final[Mapping[type[Change], str]] = {
    Opened: "conversation.created",
    Acknowledged: "conversation.acknowledged",
    MessageAdded: "message.created",
    Replied: "message.sent",
    NoteAdded: "note.created",
    StatusChanged: "conversation.status_changed",
    PriorityChanged: "conversation.priority_changed",
    Assigned: "conversation.assigned",
    TagsChanged: "conversation.tags_changed",
    Snoozed: "conversation.snoozed",
    Woken: "conversation.woken",
    Merged: "conversation.merged",
    Absorbed: "conversation.absorbed",
    SplitOff: "conversation.split",
    Classified: "classification.completed",
    Escalated: "ai.handoff",
    SlaWarning: "sla.warning",
    SlaBreached: "sla.breached",
    Renamed: "conversation.renamed",
}
"""What the outside calls them: dotted, and never changed."""

SEALED: Final[Mapping[type[Change], str]] = {
    Opened: "subject", Renamed: "subject", NoteAdded: "text", Escalated: "summary", Acknowledged: "text",
}  # fmt: skip
"""The words of people: kept apart, under the customer's key."""

PRIVATE: Final = frozenset({NoteAdded, Escalated, Classified, SlaWarning, SlaBreached, Assigned, PriorityChanged, TagsChanged, Snoozed, Woken})  # fmt: skip
"""What a customer is never shown."""

_KINDS: Final[Mapping[str, type[Change]]] = {name: kind for kind, name in EVENT_NAMES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """A change, when it happened, who made it, and its place among the ticket's: 1 for the first."""

    at: datetime
    by: str  #: `ai`, `system`, `customer` or `person:<name>`
    version: int
    change: Change

    @property
    def name(self) -> str:
        return EVENT_NAMES[type(self.change)]


def written(change: Change) -> tuple[str, str, str]:
    """Name, JSON without words of people, and those words (empty where it has none)."""
    field = SEALED.get(type(change))
    words: str = getattr(change, field) if field else ""
    bare = replace(change, **{field: ""}) if field else change  # type: ignore[arg-type]
    return EVENT_NAMES[type(change)], orjson.dumps(bare, option=orjson.OPT_SORT_KEYS).decode(), words


def read(name: str, body: str, words: str) -> Change:
    """What `written` was given."""
    kind = _KINDS[name]
    change: Change = _adapter(kind.__name__).validate_python(orjson.loads(body))
    field = SEALED.get(kind)
    return replace(change, **{field: words}) if field else change  # type: ignore[arg-type]


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(next(kind for kind in EVENT_NAMES if kind.__name__ == name))


def told(change: Change) -> dict[str, Any]:
    """Its fields, as the interface shows them."""
    assert is_dataclass(change)
    return {field.name: getattr(change, field.name) for field in fields(change)}
