"""Events of the audit -> leaves of its tree, a signed head over them, and that head kept outside the database.

Writers take no lock: this takes what finished transactions wrote, so nothing can appear below what is sealed.
"""

from dataclasses import dataclass
from pathlib import Path

from harken.audit import note, store
from harken.audit.note import Head
from harken.audit.rows import AuditEvent, Checkpoint
from harken.errors import RefusedError
from harken.flow.audit_desk import AuditDesk
from harken.kit import db, observe
from harken.kit.log import logger

log = logger(__name__)

AT_ONCE = 10_000
"""Events a turn: a second's work at most, so that nobody waits long for a turn."""

UNFINISHED = 0
"""The horizon while an epoch's first turns are under way: it promises nothing."""


class BehindPinsError(RefusedError):
    """The database holds less than was pinned: it was restored from an older backup, or cut. Nothing was sealed.
    `harken audit verify` says what is missing; `harken audit restored` begins anew from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What one turn came to. `more`: another turn at once would find more."""

    events: int
    tree_size: int
    more: bool = False


def seal(desk: AuditDesk) -> Sealed:
    """One turn. Raises BehindPinsError where the database lost what had been sealed."""
    with observe.timed(observe.AUDIT_SEAL):
        with desk.database.transaction() as tx:
            store.take_turn(tx)
            before = store.newest(tx)
            _refuse_behind(before, desk)
            sealed, checkpoint = _grow(tx, before, desk)
        _pin(checkpoint or before, desk)
    return sealed


def seal_all(desk: AuditDesk) -> Sealed:
    """Turns until nothing is left to seal."""
    events = 0
    while True:
        turn = seal(desk)
        events += turn.events
        if not turn.more:
            return Sealed(events=events, tree_size=turn.tree_size)


def restored(desk: AuditDesk, actor: str) -> Path | None:
    """Begin anew on a database that lost what had been sealed: says so in the audit, and lays the old pins aside.

    What was pinned stays on record: verifying with the old file still names all that is missing.
    """
    with desk.database.transaction() as tx:
        store.take_turn(tx)
        before = store.newest(tx)
        last = desk.pins.last()
        body = {
            "kept": before.size if before else 0,
            "pinned": note.said(last).size if last else 0,
            "epoch": before.epoch if before else 0,
        }
        store.record(tx, actor, "audit.restored", body)
    return desk.pins.lay_aside(desk.clock())


def _refuse_behind(before: Checkpoint | None, desk: AuditDesk) -> None:
    last = desk.pins.last()
    if last is None or last == (before.note if before else ""):
        return
    pinned = note.said(last)
    if before is None or before.size < pinned.size or (before.size == pinned.size and before.root != pinned.root):
        observe.add(observe.AUDIT_FAILURES)
        raise BehindPinsError


def _grow(tx: db.Tx, before: Checkpoint | None, desk: AuditDesk) -> tuple[Sealed, Checkpoint | None]:
    system, running = store.server(tx)
    new_epoch = before is not None and (before.system != system or running < before.horizon)
    if before and (new_epoch or before.horizon == UNFINISHED):
        events = store.unsealed_anywhere(tx, AT_ONCE)
        horizon = running if len(events) < AT_ONCE else UNFINISHED
    else:
        events, horizon = store.unsealed(tx, before.horizon if before else 0, AT_ONCE)
    size = before.size if before else 0
    if not events:
        return Sealed(events=0, tree_size=size), None
    epoch = (before.epoch if before else 1) + new_epoch
    made = _add(tx, events, size, desk, (epoch, system, horizon))
    return Sealed(events=len(events), tree_size=made.size, more=len(events) == AT_ONCE), made


def _add(tx: db.Tx, events: list[AuditEvent], size: int, desk: AuditDesk, stretch: tuple[int, str, int]) -> Checkpoint:
    grown = store.tree(tx, size)
    store.append(tx, events, grown)
    epoch, system, horizon = stretch
    root, at = grown.root(), desk.clock()
    head = Head(size=grown.size, root=root, epoch=epoch, system=system, horizon=horizon, at=at)
    made = Checkpoint(grown.size, root, epoch, system, horizon, desk.signer.signed(head))
    store.add_checkpoint(tx, made)
    return made


def _pin(newest: Checkpoint | None, desk: AuditDesk) -> None:
    """After the commit, since a head that was pinned must be there; the next turn pins what a crash left unpinned."""
    if newest is None or desk.pins.last() == newest.note:
        return
    desk.pins.add(newest.note)
    log.info("audit_sealed", tree_size=newest.size, root=newest.root.hex(), epoch=newest.epoch)
