"""What lies in an outside stream: batches of it -> the log, each in one transaction with the offset it ends at."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from harken.errors import TryAgainError
from harken.eventlog import store as eventlog
from harken.eventlog.store import Advance, FencedError
from harken.flow.arriving import Arrival, Outcome, Receipt, Refusal
from harken.flow.desk import LiveDesk
from harken.flow.door import Sent, arrive, unreadable
from harken.flow.live import receive
from harken.intake.quality import Reason
from harken.kit.log import logger

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = logger(__name__)


class Record(Protocol):
    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp_ms(self) -> int: ...


class Batch(Protocol):
    """Records of one partition, in order."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def after(self) -> int | None: ...
    @property
    def records(self) -> Sequence[Record]: ...
    @property
    def next_offset(self) -> int: ...


class Stream(Protocol):
    """See `adapters.kafka.consumer.Source`."""

    def batches(self) -> Iterator[Any]: ...
    def again(self, partition: int) -> None: ...
    def lag(self) -> dict[int, int]: ...


class Outlet(Protocol):
    """See `adapters.kafka.producer.Sink`."""

    def dead_letter(self, topic: str, partition: int, record: Any, reason: str) -> None: ...
    def flush(self, within_s: float) -> Sequence[object]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a worker works with."""

    stream: Stream
    outlet: Outlet
    decoded: Callable[[bytes], Any]  #: a record's value -> the event in it; raises ValueError
    desk: LiveDesk
    report: Callable[[str], None]
    pause: Callable[[float], object]  #: seconds, or until somebody stops the worker


def place_of(desk: LiveDesk) -> Callable[[str, int], int | None]:
    """Topic and partition -> the next offset to take in; None: nothing was."""

    def place(topic: str, partition: int) -> int | None:
        with desk.database.statement() as tx:
            return eventlog.offset(tx, topic, partition)

    return place


def work(hands: Hands) -> None:
    """Until the stream is stopped. A batch is in the log with its offset, or it is asked for again."""
    for batch in hands.stream.batches():
        try:
            _take_in(batch, hands)
        except FencedError:
            hands.stream.again(batch.partition)
        except TryAgainError as busy:
            hands.report(str(busy))
            hands.stream.again(batch.partition)
            hands.pause(busy.after_s)


def _take_in(batch: Batch, hands: Hands) -> None:
    arrived = [_arrived(record, batch, hands) for record in batch.records]
    step = Advance(
        stream=batch.topic,
        partition=batch.partition,
        expected=batch.after,
        upto=batch.next_offset,
        newest=batch.next_offset + hands.stream.lag().get(batch.partition, 0),
    )
    receipts = _received(arrived, hands.desk, step)
    dead = [(each, receipt) for each, receipt in zip(batch.records, receipts, strict=True) if _is_dead(receipt)]
    for record, receipt in dead:
        hands.outlet.dead_letter(batch.topic, batch.partition, record, str(receipt.reason))
    if dead:
        hands.outlet.flush(10)


def _is_dead(receipt: Receipt) -> bool:
    return receipt.outcome is Outcome.QUARANTINED


def _arrived(record: Record, batch: Batch, hands: Hands) -> Arrival | Refusal:
    """The record's own time stands for the moment it came: the same whenever it is read."""
    received_at = (
        _EPOCH + timedelta(milliseconds=record.timestamp_ms) if record.timestamp_ms > 0 else hands.desk.clock()
    )
    try:
        body = hands.decoded(record.value or b"")
    except ValueError:
        return unreadable(record.value or b"", batch.topic, received_at)
    return arrive(Sent(body=body, source=batch.topic, received_at=received_at), hands.desk.open_door())


def _received(arrived: Sequence[Arrival | Refusal], desk: LiveDesk, step: Advance) -> list[Receipt]:
    """All at once; where one of them breaks something that nobody foresaw, each alone, and that one is kept aside."""
    try:
        return receive(arrived, desk, step)
    except TryAgainError:
        raise
    except Exception as broken:
        log.error("batch_received_one_by_one", topic=step.stream, partition=step.partition, exc_info=broken)
        return receive([_sound(each, desk) for each in arrived], desk, step)


def _sound(each: Arrival | Refusal, desk: LiveDesk) -> Arrival | Refusal:
    """Taken in alone, which the log's key makes harmless to repeat; or a refusal."""
    try:
        receive([each], desk)
    except TryAgainError:
        raise
    except Exception as broken:
        assert isinstance(each, Arrival), "a refusal was broken"
        log.error("record_kept_aside", exc_info=broken)
        return Refusal(
            id="",
            source=each.row["source"],
            reason=Reason.UNFIT.value,
            raw=each.same_as,
            received_at=each.received_at,
        )
    return each
