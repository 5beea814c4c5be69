"""One batch at a time, on an engine without locks.

Who wants the turn writes a claim and only then looks: of two that come at once, the one that looks later sees the other
and withdraws, so never do both go on. On a server a claim is a lease that its holder renews, and a killed holder's is over
after LEASE_S. The embedded engine belongs to one process, so there a claim of another process is nobody's.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pyarrow as pa

from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.errors import HarkenError, TryAgainError
from harken.kit import sql
from harken.kit.clock import stopwatch

q = sql.queries(__package__)

LEASE_S = 12
BEAT_S = 2.0
_LOOK_S = 0.25
_PROCESS = secrets.token_hex(8)
_OTHERS = pa.schema([("holder", pa.string()), ("last_beat", pa.int64())])


class Turn:
    """A claim on the turn to write."""

    def __init__(self, store: ClickHouse) -> None:
        self._store = store
        self._holder = f"{_PROCESS}-{secrets.token_hex(8)}"
        self._process = _PROCESS if store.embedded else ""

    @contextmanager
    def held(self) -> Iterator["Turn"]:
        """Refuses with a clear line while another batch writes."""
        self._take()
        ended = Event()
        beating = Thread(target=self._beat, args=(ended,), daemon=True)
        beating.start()
        try:
            yield self
        finally:
            ended.set()
            beating.join()
            with suppress(HarkenError):  # the lease ends by itself too
                self._store.execute(q.give_back, holder=self._holder)

    def refuse_lost(self) -> None:
        if not self._store.value(q.holds_turn, pa.int64(), **self._named()):
            raise TryAgainError(
                "The database was out of reach for so long that another batch may have begun. What was committed is kept; "
                "run the same command again."
            )

    def _take(self) -> None:
        """Waits for a lease that nobody renews; refuses as soon as it is seen to be renewed."""
        waited, first = stopwatch(), self._others()
        pause = Event()
        while True:
            if not self._others():
                self._store.execute(q.claim, holder=self._holder)
                if not self._others():
                    return
                self._store.execute(q.give_back, holder=self._holder)
                self._holder += "+"  # what was given back stays given back
            now = self._others()
            alive = any(first.get(holder) != beat for holder, beat in now.items())
            if now and (self._store.embedded or alive or waited() > LEASE_S):
                raise TryAgainError(
                    "Another batch is writing to this store. Nothing was changed; try again when it is done."
                )
            pause.wait(_LOOK_S)

    def _others(self) -> dict[str, int]:
        found = self._store.fetch(q.others, _OTHERS, **self._named())
        return dict(zip(found["holder"].to_pylist(), found["last_beat"].to_pylist(), strict=True))

    def _named(self) -> dict[str, str | int]:
        return {"holder": self._holder, "process": self._process, "lease": LEASE_S}

    def _beat(self, ended: Event) -> None:
        while not ended.wait(BEAT_S):
            with suppress(HarkenError):  # who settles looks whether the lease still holds
                self._store.execute(q.claim, holder=self._holder)
