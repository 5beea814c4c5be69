"""What others listen for: the log since a place -> topics, told at least once.

changes  whose profile changed -> a topic that keeps the newest of each identity
events   the events themselves, without their texts -> a topic that another engine folds
"""

from collections.abc import Sequence
from typing import Protocol

import orjson

from harken.decide.policy import Policy
from harken.domain.ids import CustomerId
from harken.errors import TryAgainError
from harken.eventlog import store as eventlog
from harken.eventlog.store import Advance
from harken.flow.desk import Desk, LiveDesk
from harken.flow.segmenting import live
from harken.flow.showing import Wanted, show
from harken.flow.touched import touched_since

AT_ONCE = 500
DELIVERED_WITHIN_S = 30
_FOLDED = (
    "id",
    "identity",
    "kind",
    "at",
    "channel",
    "addressed_to",
    "language",
    "sentiment",
    "urgency",
    "signals",
    "attributes",
)


class Outlet(Protocol):
    """See `adapters.kafka.wire.Outlet`."""

    def publish(self, topic: str, key: bytes | None, value: bytes | None) -> None: ...
    def flush(self, within_s: float) -> Sequence[object]: ...


def changes(topic: str, outlet: Outlet, desk: Desk, policy: Policy) -> int:
    """Whose profile changed since the last time -> one record for each identity; how far it came."""
    here, name = live(desk), f"changes:{topic}"
    at = _place(here, name)
    with here.database.statement() as tx:
        last, touched = touched_since(tx, at or 0, AT_ONCE)
    if last is None:
        return 0
    for identity in sorted(touched):
        if not desk.warehouse.people(CustomerId(identity)):
            continue  # an identifier that parted, and did nothing itself
        shown = show(CustomerId(identity), desk, policy, Wanted())
        for each in shown["identities"]:
            outlet.publish(topic, each.encode(), orjson.dumps(shown))
    return _told(outlet, here, name, at, last)


def events(topic: str, outlet: Outlet, desk: Desk) -> int:
    """The next events of the log, keyed by identity, as `profiles.keyed` takes them; how far it came."""
    here, name = live(desk), f"events:{topic}"
    at = _place(here, name)
    with here.database.statement() as tx:
        rows = eventlog.read(tx, at or 0, AT_ONCE)
    if not rows:
        return 0
    for row in rows:
        if row["identity"]:
            outlet.publish(topic, row["identity"].encode(), orjson.dumps({each: row[each] for each in _FOLDED}))
    return _told(outlet, here, name, at, rows[-1]["position"])


def _place(desk: LiveDesk, name: str) -> int | None:
    with desk.database.statement() as tx:
        return eventlog.offset(tx, name, 0)


def _told(outlet: Outlet, desk: LiveDesk, name: str, at: int | None, last: int) -> int:
    """The place is kept after Kafka has the records. Raises FencedError where another worker was quicker."""
    if left := outlet.flush(DELIVERED_WITHIN_S):
        raise TryAgainError(f"Kafka did not take {len(left)} records; they are sent again.")
    with desk.database.transaction() as tx:
        eventlog.advance(tx, Advance(stream=name, partition=0, expected=at, upto=last, newest=last), desk.clock())
    return last - (at or 0)
