"""What arrives event by event, and everything that follows from it.

receive  events -> log -> profiles -> who is who -> conversations   all of it in one transaction, or none

The fold runs for events that the log took, and for no others: that, the key of the log, and one transaction are what
makes every event count once, however often it is delivered, in whatever order, across any crash.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from harken.errors import TryAgainError
from harken.eventlog import store as eventlog
from harken.eventlog.store import Advance, Entry
from harken.flow import counting, following, preparing
from harken.flow.arriving import Arrival, Outcome, Receipt, Refusal
from harken.flow.counting import Received
from harken.flow.desk import LiveDesk
from harken.intake import store as intake
from harken.intake.quality import Reason
from harken.intake.store import Refused
from harken.kit import db, observe
from harken.privacy import store as vault
from harken.privacy.keys import MasterKey
from harken.privacy.ring import KeyRing
from harken.privacy.sealing import Body
from harken.profiles.features import definitions_hash

ATTEMPTS = 5
"""Two who join threads midway may wait for each other; the server then lets one of them try again."""

QUARANTINE = "quarantine:live"
"""The subject of what was refused: nobody knows yet whose words they are."""


Also: TypeAlias = Callable[[db.Tx, Received], None]
"""What else must happen in the transaction of the events, or nothing of it. Called again where the transaction is."""


def receive(
    arrived: Sequence[Arrival | Refusal], desk: LiveDesk, step: Advance | None = None, also: Also | None = None
) -> list[Receipt]:
    """What came of each, in order; `step`: how far this brings a partition of an outside stream.

    Raises TryAgainError where nothing was kept and the same call may work later, FencedError where another worker
    has the partition.
    """
    with observe.span("receive") as span:
        firsts = preparing.firsts_of(arrived)
        with observe.span("prepare"):
            entries = preparing.sealed(firsts, desk.database, desk.master, with_mood=desk.with_mood)
        for _ in range(ATTEMPTS):
            try:
                with observe.timed(observe.PROFILE_UPDATE):
                    done = _received(entries, arrived, desk, step, also)
            except db.DeadlockError:
                continue
            counting.count(arrived, done, desk.clock(), span)
            return done.receipts
        raise TryAgainError("Too many writers met in the same threads. Nothing was kept; send it again.")


def _received(
    entries: Sequence[Entry],
    arrived: Sequence[Arrival | Refusal],
    desk: LiveDesk,
    step: Advance | None,
    also: Also | None,
) -> Received:
    now = desk.clock()
    with desk.database.transaction() as tx:
        with observe.span("append"):
            first = eventlog.take_turn(tx, definitions_hash())
            eventlog.lock(tx, following.names_of(entries))
            positions = eventlog.append(tx, entries) if entries else {}
            if first:
                eventlog.define(tx, definitions_hash())
        new = [(entry, positions[entry.id]) for entry in entries if entry.id in positions]
        with observe.span("fold"):
            late = following.fold(tx, new)
        with observe.span("who_is_who"):
            following.who_is_who(tx, new, now)
        with observe.span("regroup"):
            following.regroup(tx, new)
        receipts = list(_told(tx, arrived, {entry.id: entry for entry in entries}, positions, desk.master))
        _set_aside(tx, arrived, receipts, desk.master)
        if step:
            eventlog.advance(tx, step, now)
        done = Received(receipts=receipts, new=new, late=late)
        if also:
            also(tx, done)
    return done


def _told(
    tx: db.Tx,
    arrived: Sequence[Arrival | Refusal],
    entries: dict[str, Entry],
    positions: dict[str, int],
    master: MasterKey,
) -> Iterator[Receipt]:
    known = eventlog.stored(tx, [id_ for id_ in entries if id_ not in positions])
    fresh = set(positions)
    for each in arrived:
        if isinstance(each, Refusal):
            outcome = Outcome.QUARANTINED if each.keep else Outcome.REFUSED
            yield Receipt(id=each.id, outcome=outcome, reason=each.reason, detail=each.detail)
            continue
        id_ = each.row["id"]
        if id_ in fresh:
            fresh.remove(id_)
            yield Receipt(id=id_, outcome=Outcome.ACCEPTED, position=positions[id_])
            continue
        there = known.get(id_)
        digest = there.digest if there else entries[id_].digest
        # An event that came with a file has no digest: what its id says is all we know.
        same = digest is None or digest == preparing.digest_of(each, master)
        if same:
            yield Receipt(id=id_, outcome=Outcome.DUPLICATE, position=there.position if there else positions[id_])
        else:
            yield Receipt(id=id_, outcome=Outcome.QUARANTINED, reason=Reason.CONFLICTING_DUPLICATE.value)


def _set_aside(tx: db.Tx, arrived: Sequence[Arrival | Refusal], receipts: Sequence[Receipt], master: MasterKey) -> None:
    refused = [
        (each, str(receipt.reason))
        for each, receipt in zip(arrived, receipts, strict=True)
        if receipt.outcome is Outcome.QUARANTINED
    ]
    if not refused:
        return
    wrapped = vault.keys(tx, master, [QUARANTINE])[QUARANTINE]
    ring = KeyRing(master)
    intake.set_aside(tx, [_refused(each, reason, wrapped, ring, master) for each, reason in refused])


def _refused(each: Arrival | Refusal, reason: str, wrapped: bytes, ring: KeyRing, master: MasterKey) -> Refused:
    raw = each.raw if isinstance(each, Refusal) else each.same_as
    digest = master.fingerprint(QUARANTINE, raw)
    sealed = ring.seal(QUARANTINE, wrapped, digest.hex(), Body(raw.decode("utf-8", "replace")))
    source = each.source if isinstance(each, Refusal) else each.row["source"]
    return Refused(source=source, reason=reason, digest=digest, sealed=sealed, received_at=each.received_at)
