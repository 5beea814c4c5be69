"""Turns that belong together, what follows from them, and where the issue stands."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from harken.domain.event import Channel, Reading
from harken.domain.ids import ConversationId, EventId, IdentityId, ThreadId


class Status(StrEnum):
    OPEN = "open"  #: the customer spoke last
    PENDING = "pending"  #: we spoke last and wait for the customer
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An event that is a message (or a closing), as a conversation sees it."""

    id: EventId
    at: datetime
    from_customer: bool
    author: str
    channel: Channel
    reading: Reading
    closes: bool = False  #: an ISSUE_RESOLVED event
    in_reply_to: EventId | None = None
    addressed_to: str | None = None
    text: str = ""  #: cleaned text; empty where only the facts are needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The status as of a moment, with the rule and the words that say so."""

    status: Status
    rule: str
    because: str
    evidence: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a conversation's turns add up to; a pure function of the turns, recomputed when one arrives.

    Times are whole seconds since 1970 UTC (integers, so that every engine agrees), durations seconds.
    """

    opened_at: int
    last_at: int
    last_customer_at: int | None
    last_brand_at: int | None
    customer_turns: int
    brand_turns: int
    unanswered: int  #: customer turns since our last word
    unanswered_since: int | None  #: when the first of them came
    customer_spoke_last: bool
    closed_at: int | None  #: an ISSUE_RESOLVED event that nothing followed
    reopened: int  #: times the customer came back after thanks, a confirmed fix or a close
    first_reply_s: int | None
    reply_s: tuple[int, ...]  #: every answered wait
    brand_at: tuple[int, ...]  #: when we spoke, newest last, at most 50
    last_customer_signals: int
    last_brand_signals: int
    all_customer_signals: int
    unanswered_signals: int  #: of the customer turns since our last word
    last_sentiment: int | None
    worst_sentiment: int | None
    urgency: int  #: highest among the unanswered turns
    language: str
    topic: str
    topic_evidence: tuple[str, ...] = ()
    bystander_since: int | None = None  #: they never named us nor we them, while we spoke with others in the thread
    evidence: dict[str, tuple[str, ...]] = field(default_factory=dict)  #: of the last customer turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One issue of one customer with one brand: a case inside a thread."""

    id: ConversationId
    thread: ThreadId
    identity: IdentityId | None
    brand: str
    channel: Channel  #: of the customer's last message
    facts: Facts
    turns: tuple[Turn, ...] = ()  #: in time order
