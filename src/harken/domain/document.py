"""What the company knows, piece by piece: a document as it was read, who may read it, and its passages."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

EVERYWHERE = ""
"""The jurisdiction of a document that holds in all of them."""


class Visibility(IntEnum):
    """Whom a document is for; a reader sees his own level and those below."""

    PUBLIC = 0  #: customers
    INTERNAL = 1  #: whoever works here
    RESTRICTED = 2  #: leads, compliance


class DocumentClass(StrEnum):
    """What kind of word it is; the authority of an answer follows from it."""

    POLICY = "policy"
    PRODUCT = "product"
    REGULATORY = "regulatory"
    SUPPORT_LOG = "support_log"  #: what people answered before


class Risk(IntEnum):
    """The harm that a wrong reading does; a reader sees his own level and those below."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What decides who may read a document. Every passage of it has the same."""

    visibility: Visibility = Visibility.INTERNAL
    jurisdiction: str = EVERYWHERE  #: ISO 3166, upper case, for example `DE` or `US-CA`
    document_class: DocumentClass = DocumentClass.PRODUCT
    risk: Risk = Risk.LOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a document says of itself, or the person who adds it says of it. None: nothing."""

    visibility: Visibility | None = None
    jurisdiction: str | None = None
    document_class: DocumentClass | None = None
    risk: Risk | None = None
    owner: str | None = None
    language: str | None = None  #: ISO 639-1
    effective_from: datetime | None = None
    effective_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """`text` of the document from `start` on stands below this title."""

    start: int  #: characters into `Draft.text`, where the heading's own line begins
    level: int  #: 1 is the topmost
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document as it was read: plain text in which nothing is left of its format but the headings."""

    document_id: str  #: its own, or made of its path; the same document has the same one next time
    title: str
    text: str
    source: str  #: where it came from, for people: a path below what was added, a line of a file
    headings: tuple[Heading, ...] = ()
    said: Said = field(default_factory=Said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something that was to become a document and could not."""

    source: str
    reason: str  #: one clear line for people, which never repeats what the document says
