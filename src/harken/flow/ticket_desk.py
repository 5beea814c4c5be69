"""What the sentences about tickets need at hand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from harken.domain.ids import CustomerId, IdentityId
from harken.domain.ticket import TicketId
from harken.flow.desk import LiveDesk
from harken.kit import db
from harken.privacy.ring import KeyRing
from harken.tickets.desk_rules import DeskRules

Wake: TypeAlias = Callable[[db.Tx, TicketId, datetime], None]
"""Tell the workers, in the transaction, that a ticket waits for an answer from that moment on."""

People: TypeAlias = Callable[[CustomerId], Mapping[str, Sequence[IdentityId]]]
"""Whom a name may mean: the warehouse's `people`."""


def nobody_works(tx: db.Tx, ticket: TicketId, at: datetime) -> None:
    """For a desk without workers: tickets wait until somebody looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDesk:
    live: LiveDesk
    people: People
    rules: DeskRules
    wake: Wake = nobody_works

    @property
    def ring(self) -> KeyRing:
        """A new one each time: it keeps the last key at hand, for one thread."""
        return KeyRing(self.live.master)
