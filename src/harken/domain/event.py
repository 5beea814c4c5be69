"""What happened. The log holds these and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag, StrEnum
from typing import TypeAlias

from harken.domain.ids import EventId, IdentityId

Span: TypeAlias = tuple[int, int, str]
"""A part of a text: start, end (in characters), and `url`, `mention` or `tag`."""


class Kind(StrEnum):
    MESSAGE_RECEIVED = "message_received"  #: the customer wrote or spoke to us
    MESSAGE_SENT = "message_sent"  #: we wrote or spoke to the customer
    ISSUE_RESOLVED = "issue_resolved"  #: a person closed it
    PAYMENT = "payment"
    TRANSACTION = "transaction"
    LOGIN = "login"
    CONSENT = "consent"  #: attributes: channel, granted
    TRACK = "track"  #: something that a site or an app names itself
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"  #: they belong to an organisation or a household
    IDENTIFY = "identify"  #: identifiers of one customer, tied together
    ALIAS = "alias"  #: two accounts are one customer: said by somebody who knows
    UNMERGE = "unmerge"  #: they are not
    POLICY_UPDATE = "policy_update"  #: of a contract of theirs: opened, changed, ended
    PROFILE_UPDATE = "profile_update"  #: the record of them elsewhere (a CRM) changed
    SUPPORT_CALL = "support_call"
    BRANCH_VISIT = "branch_visit"
    DISPUTE = "dispute"  #: attributes: status
    CREDIT_DECISION = "credit_decision"  #: attributes: outcome
    RISK_SIGNAL = "risk_signal"  #: attributes: risk, 0 to 1000


class Channel(StrEnum):
    TWITTER = "twitter"
    EMAIL = "email"
    CHAT = "chat"
    PHONE = "phone"
    APP = "app"
    BRANCH = "branch"
    WEB = "web"
    SYSTEM = "system"  #: no channel of theirs: another system of the house says so


class Signal(IntFlag):
    """What the words of one message say, seen without its neighbours."""

    NONE = 0
    THANKS = 1
    CONFIRMS_FIX = 2  #: "works now", "sorted"
    STILL_BROKEN = 4  #: "still not working", "didn't help"
    QUESTION = 8
    WANTS_PERSON = 16
    REGULATORY = 32  #: ombudsman, lawyer, regulator
    ANGRY = 64
    PRAISE = 128
    ASKS_DETAILS = 256  #: we asked the customer for something
    MOVES_PRIVATE = 512  #: we asked for a direct message; of a customer: they sent us one
    APOLOGY = 1024
    OFFERS_FIX = 2048  #: we gave steps, a link or an answer
    CLOSING = 4096  #: we said goodbye: "glad to help", "have a great day"
    DID_IT = 8192  #: the customer did what we had asked for: "done", "just sent it"
    ACKNOWLEDGES = 16384  #: the customer has heard us and asks nothing: "ok", "will do"


class Urgency:
    """How soon somebody should look: an integer, so that every engine agrees."""

    NONE, SOON, URGENT, CRITICAL = 0, 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What we read in one message, and the words that made us say so."""

    language: str = "und"  #: ISO 639-1, `und` when unsure
    language_p: int = 0  #: probability in thousandths
    sentiment: int | None = None  #: -1000 to 1000; None where the language has no lexicon
    urgency: int = Urgency.NONE
    signals: int = Signal.NONE
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: {"urgency": ("asap",), ...}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to one customer. Written once, never edited.

    The id is the source's own ("twitter:119237"), so the same tweet delivered twice is one event.
    """

    id: EventId
    kind: Kind
    identity: IdentityId | None  #: whom it concerns; None for our own words while nobody knows to whom
    author: str  #: as the source names who wrote it: a customer's id or a brand
    channel: Channel
    happened_at: datetime
    text: str = ""  #: raw, exactly as it came
    spans: tuple[Span, ...] = ()  #: links, mentions and tags in `text`
    in_reply_to: EventId | None = None
    addressed_to: str | None = None  #: the brand a customer's message names first
    source: str = ""
    attributes: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        assert self.happened_at.tzinfo, "events carry a time zone"

    @property
    def from_customer(self) -> bool:
        return self.kind is not Kind.MESSAGE_SENT and self.kind is not Kind.ISSUE_RESOLVED
