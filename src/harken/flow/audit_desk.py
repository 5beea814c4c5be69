"""What sealing and verifying the audit need at hand. Built once, in bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from harken.audit.note import Signer
from harken.audit.pins import Pins
from harken.errors import UnsuitableError
from harken.kit.clock import Clock
from harken.kit.db import Database


class Elsewhere(Protocol):
    """An auditor's mailbox, a bucket that cannot be overwritten: who owns the database does not own it."""

    def send(self, signed: str) -> None:
        """Raises TryAgainError, RefusedError."""


def nowhere(url: str) -> str:
    raise UnsuitableError(f"Nothing is fetched from {url} here.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDesk:
    database: Database  #: as the sealer's role
    signer: Signer
    pins: Pins
    clock: Clock
    elsewhere: Elsewhere | None = None  #: where heads are sent to as well; None: they stay in the file
    fetch: Callable[[str], str] = nowhere
    """The text at an address, for verifying. Raises UnsuitableError, TryAgainError."""
