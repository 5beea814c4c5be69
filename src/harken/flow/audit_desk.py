"""What sealing and verifying the audit need at hand. Built once, in bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass

from harken.audit.note import Signer
from harken.audit.pins import Pins
from harken.kit.clock import Clock
from harken.kit.db import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDesk:
    database: Database  #: as the sealer's role
    signer: Signer
    pins: Pins
    clock: Clock
    publish: Callable[[str], None] | None = None
    """Sends a signed note somewhere else as well: an auditor's mailbox, a bucket that cannot be overwritten."""
