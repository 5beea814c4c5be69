"""A batch run: what was asked, what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from harken.domain.ids import RunId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """Who ingests what, and how. `fingerprint` names the content: the same file again is the same run resumed."""

    source: str
    fingerprint: str
    format: str
    engine: str
    who: str
    settings: Mapping[str, str | int | bool | None]
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """What one block brought into the log."""

    inserted: int
    duplicates: int
    first: int | None = None  #: the first of its positions, where the whole block went in as it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    id: RunId
    resumed: bool
    done: Mapping[str, Appended] = field(
        default_factory=dict
    )  #: blocks that an interrupted attempt brought in, by digest
    after: int = 0  #: the positions of this attempt's events follow it, in a store that has no sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the store holds."""

    events: int
    threads: int
    largest_thread: int
    conversations: int
    customers: int
    watermark: datetime | None  #: when the newest event happened
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """How new the log is."""

    at: datetime | None  #: when its newest event happened; None: there is none
    position: int
    live: bool = False  #: events arrive one by one, so that now is now, and not the end of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits in outside streams."""

    events: int = 0
    moved_at: datetime | None = None  #: when the partition that has stood longest was last taken further


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What `harken ingest --json` prints."""

    run_id: int
    source: str
    rows_read: int
    accepted: int
    duplicates: int
    quarantined: Mapping[str, int]
    repaired: Mapping[str, int]
    watermark: datetime | None
    threads: int
    largest_thread: int
    conversations: int
    customers: int
    seconds: float
    resumed: bool = False
    steps: Mapping[str, float] = field(default_factory=dict)  #: seconds each step took

    def counts(self) -> dict[str, object]:
        """What the store keeps of it."""
        return {
            "rows_read": self.rows_read,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": dict(self.quarantined),
            "repaired": dict(self.repaired),
            "seconds": self.seconds,
        }
