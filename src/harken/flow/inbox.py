"""Events of many requests -> few transactions: what arrives while one commits goes into the next one together."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from harken.errors import TryAgainError
from harken.flow.arriving import Arrival, Receipt, Refusal
from harken.flow.desk import LiveDesk
from harken.flow.door import Sent, arrive
from harken.flow.live import receive
from harken.flow.reading import warm_up
from harken.kit import observe
from harken.kit.log import logger

MOST_TOGETHER = 500
"""Events in one transaction: its locks fit the server's default table, and nobody waits long behind it."""

MOST_WAITING = 20_000
"""Events that may wait for their turn; more are asked to come again."""

log = logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Parcel:
    """What one request brought."""

    sent: Sequence[Sent | Refusal]
    told: "asyncio.Future[list[Receipt]]"
    origin: observe.Origin | None  #: the request's own span


class Inbox:
    """One writer; requests wait for the transaction that holds their events, and no longer."""

    def __init__(self, desk: LiveDesk) -> None:
        self._desk = desk
        self._parcels: deque[_Parcel] = deque()
        self._waiting = 0
        self._arrived = asyncio.Event()

    async def put(self, sent: Sequence[Sent | Refusal]) -> list[Receipt]:
        """What came of each, once it is committed. Raises TryAgainError where nothing of it was kept."""
        if self._waiting + len(sent) > MOST_WAITING:
            raise TryAgainError("Too many events wait to be written. Nothing of this was kept; send it again.")
        parcel = _Parcel(sent, asyncio.get_running_loop().create_future(), observe.origin())
        self._parcels.append(parcel)
        self._waiting += len(sent)
        self._arrived.set()
        return await parcel.told

    async def work(self) -> None:
        """Until cancelled. What the first event would wait for is read before it comes."""
        await asyncio.to_thread(self._desk.open_door)
        await asyncio.to_thread(warm_up)
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._parcels:
                await self._together(self._next())

    def _next(self) -> list[_Parcel]:
        taken: list[_Parcel] = []
        size = 0
        while self._parcels and (not taken or size + len(self._parcels[0].sent) <= MOST_TOGETHER):
            taken.append(self._parcels.popleft())
            size += len(taken[-1].sent)
        self._waiting -= size
        return taken

    async def _together(self, parcels: Sequence[_Parcel]) -> None:
        """In one transaction; where that fails for a reason of its own making, each request's events alone."""
        try:
            receipts = await asyncio.to_thread(self._received, parcels)
        except TryAgainError as busy:
            _fail(parcels, busy)
        except Exception as broken:
            if len(parcels) == 1:
                _fail(parcels, broken)
                return
            log.warning("events_received_one_by_one", requests=len(parcels), exc_info=broken)
            for parcel in parcels:
                await self._together([parcel])
        else:
            _tell(parcels, receipts)

    def _received(self, parcels: Sequence[_Parcel]) -> list[Receipt]:
        """In a thread: checking and sealing take as long as writing."""
        with observe.span("take_in", caused_by=[parcel.origin for parcel in parcels]) as span:
            span.say(requests=len(parcels))
            sent = [self._looked_at(each) for parcel in parcels for each in parcel.sent]
            # A request may bring more than one transaction should hold; what is in when a later one fails is known when it comes again.
            cuts = range(0, len(sent), MOST_TOGETHER)
            return [receipt for at in cuts for receipt in receive(sent[at : at + MOST_TOGETHER], self._desk)]

    def _looked_at(self, each: Sent | Refusal) -> Arrival | Refusal:
        return each if isinstance(each, Refusal) else arrive(each, self._desk.open_door())


def _tell(parcels: Sequence[_Parcel], receipts: Sequence[Receipt]) -> None:
    at = 0
    for parcel in parcels:
        mine = list(receipts[at : at + len(parcel.sent)])
        at += len(parcel.sent)
        with suppress(asyncio.InvalidStateError):  # whoever sent it has gone; it is kept all the same
            parcel.told.set_result(mine)


def _fail(parcels: Sequence[_Parcel], why: Exception) -> None:
    for parcel in parcels:
        with suppress(asyncio.InvalidStateError):
            parcel.told.set_exception(why)
