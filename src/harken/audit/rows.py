"""What the tables of the audit hold: events with the hash that stands for each, leaves, and heads of the tree."""

from dataclasses import dataclass
from typing import NamedTuple

from harken.audit.merkle import leaf_hash


@dataclass(frozen=True, slots=True)
class AuditEvent:
    id: int
    tx: int  #: the transaction that wrote it
    at_us: int  #: microseconds since 1970 UTC, by the database's clock
    actor: str
    action: str
    body: str  #: canonical JSON

    @property
    def hash(self) -> bytes:
        """Of all fields, each behind its length (4 bytes), so that no two events are the same bytes."""
        fields = (str(self.id), str(self.tx), str(self.at_us), self.actor, self.action, self.body)
        return leaf_hash(b"".join([len(each).to_bytes(4) + each for each in map(str.encode, fields)]))


class Leaf(NamedTuple):
    """A leaf beside the event that it stands for; None where that is gone."""

    place: int
    event: int
    hash: bytes
    content: AuditEvent | None


class Checkpoint(NamedTuple):
    """A head of the tree."""

    size: int
    root: bytes
    epoch: int
    system: str
    horizon: int
    note: str


class Counts(NamedTuple):
    events: int
    leaves: int
    nodes: int
