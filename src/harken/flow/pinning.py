"""Signed heads in the file of this machine -> an address of somebody else, in their order; what cannot be sent waits in the file.

Apart from sealing, which waits for nobody: the file itself is the queue, and beside it stands how far it was sent.
"""

from dataclasses import dataclass

from harken.audit import note, pins
from harken.errors import RefusedError, TryAgainError
from harken.flow.audit_desk import AuditDesk
from harken.kit import observe
from harken.kit.log import logger

AT_ONCE = 200
"""Heads a turn."""

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    sent: int
    why: str = ""  #: the next one waits; empty: none does, or there is nowhere to send them


def publish(desk: AuditDesk) -> Published:
    """One turn. Where a head is not taken, it and those behind it are sent with a later turn."""
    sent = 0
    if desk.elsewhere is None:
        return Published(sent=sent)
    for waiting in desk.pins.unsent(AT_ONCE):
        try:
            desk.elsewhere.send(waiting.note)
        except (TryAgainError, RefusedError) as why:
            observe.add(observe.AUDIT_PINS, outcome="refused" if isinstance(why, RefusedError) else "away")
            log.warning("audit_pin_waits", tree_size=note.said(waiting.note).size, why=str(why))
            return Published(sent=sent, why=str(why))
        desk.pins.sent(waiting.until)
        observe.add(observe.AUDIT_PINS, outcome="sent")
        sent += 1
    return Published(sent=sent)


def kept(where: str, desk: AuditDesk) -> list[str]:
    """The heads of a file, or of an address. Raises UnsuitableError, TryAgainError."""
    return pins.of_text(desk.fetch(where) if "://" in where else pins.text_of(where), where)
