"""Live events that were kept aside -> the same path again, after a schema, a plan or a source was mended."""

from dataclasses import dataclass

import orjson

from harken.flow.arriving import Arrival, Outcome, Refusal
from harken.flow.desk import LiveDesk
from harken.flow.door import Door, Sent, arrive, unreadable
from harken.flow.live import QUARANTINE, receive
from harken.intake import store as intake
from harken.kit import db
from harken.privacy import store as vault
from harken.privacy.ring import KeyRing

AT_ONCE = 200
_IN_THE_LOG = (Outcome.ACCEPTED, Outcome.DUPLICATE)


@dataclass(slots=True)
class Retried:
    """What came of everything that waited."""

    taken: int = 0  #: in the log now
    left: int = 0  #: still kept aside


def retry(desk: LiveDesk) -> Retried:
    """Each is taken in and released, or stays as it is; stopped midway, the same again goes on."""
    after, told = 0, Retried()
    while rows := _waiting(desk, after):
        after = rows[-1]["id"]
        looked_at = _looked_at(rows, desk)
        sound = [(row["id"], each) for row, each in zip(rows, looked_at, strict=True) if isinstance(each, Arrival)]
        receipts = receive([each for _, each in sound], desk)
        done = [id_ for (id_, _), receipt in zip(sound, receipts, strict=True) if receipt.outcome in _IN_THE_LOG]
        with desk.database.transaction() as tx:
            intake.release(tx, done, desk.clock())
        told.taken += len(done)
        told.left += len(rows) - len(done)
    return told


def _waiting(desk: LiveDesk, after: int) -> list[db.Row]:
    with desk.database.statement() as tx:
        return intake.waiting(tx, after, AT_ONCE)


def _looked_at(rows: list[db.Row], desk: LiveDesk) -> list[Arrival | Refusal]:
    with desk.database.statement() as tx:
        wrapped = vault.keys(tx, desk.master, [QUARANTINE])[QUARANTINE]
    ring, door = KeyRing(desk.master), desk.open_door()
    opened = [ring.open(QUARANTINE, wrapped, bytes(row["digest"]).hex(), bytes(row["sealed"])).text for row in rows]
    return [_again(row, raw, door) for row, raw in zip(rows, opened, strict=True)]


def _again(row: db.Row, raw: str, door: Door) -> Arrival | Refusal:
    rules = door.plan.sources.get(row["source"]) if door.plan else None
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return unreadable(raw.encode(), row["source"], row["received_at"])
    return arrive(Sent(body=body, source=row["source"], received_at=row["received_at"], rules=rules), door)
