"""What acting for a customer needs at hand. Built once, in bootstrap."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from harken.act.catalogue import Catalogue
from harken.act.ports import Sender
from harken.domain.profile import Value
from harken.kit.clock import Clock
from harken.kit.db import Database, Tx
from harken.privacy.keys import MasterKey


class Record(Protocol):
    def __call__(self, tx: Tx, actor: str, action: str, body: Mapping[str, Any]) -> None:
        """Into the audit, within the caller's transaction. A body never holds personal data."""


class TicketActions(Protocol):
    def __call__(self, tx: Tx, ticket: str, action: str, arguments: Mapping[str, Value]) -> None:
        """note, tag, assign, close or reopen, within the caller's transaction. Raises RefusedError."""


class AskPerson(Protocol):
    def __call__(self, tx: Tx, ticket: str, reason: str) -> None:
        """A person has to look at this ticket: `in_doubt`, `undeliverable`, `unconfigured`, `needs_approval`."""


class AddressOf(Protocol):
    def __call__(self, tx: Tx, customer: str) -> str:
        """Where e-mail reaches this customer; empty: nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActDesk:
    database: Database
    master: MasterKey
    clock: Clock
    catalogue: Catalogue
    senders: Mapping[str, Sender]  #: executor -> what carries it; one that is missing is not configured
    record: Record
    ticket_actions: TicketActions
    ask_person: AskPerson
    address_of: AddressOf
