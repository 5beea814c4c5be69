"""What a search finds: candidates with what speaks for each, and hits in order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from harken.domain.document import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One passage that may answer, as the reader may read it."""

    number: int  #: the passage's own, in the store
    document_id: str
    version: int
    ordinal: int  #: its place in the document, from 0
    title: str
    heading: str  #: the headings above it, outermost first, joined by ` › `
    text: str
    start: int  #: where it stands in the document's text
    end: int
    source: str
    owner: str
    language: str
    scope: Scope
    effective_from: datetime | None
    added_at: datetime
    dense: float | None = None  #: cosine with the question; None: not among the nearest
    lexical: float | None = None  #: BM25; None: no word in common


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A candidate in its place, with why it stands there."""

    passage: Candidate
    score: float  #: 0 to 1, comparable within one search
    parts: Mapping[str, float] = field(default_factory=dict)  #: what the score is made of, by name
    why: str = ""  #: one line for people
