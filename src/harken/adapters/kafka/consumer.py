"""A topic's partitions -> batches, each to be handled in one transaction together with the offset it ends at.

How far a partition was read is kept by whoever handles the batches, never by Kafka.
"""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from harken.adapters.kafka.address import Address
from harken.adapters.kafka.trouble import Troubles

_MAX_BATCH_BYTES = 8_000_000
_POLL_S, _MEASURE_S, _PROBE_S, _FIRST_BACKOFF_S, _LONGEST_BACKOFF_S = 0.1, 0.5, 0.5, 0.5, 8.0
_SETTINGS: Mapping[str, str | int | bool] = {
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "isolation.level": "read_committed",
    "auto.offset.reset": "error",  # a place that is gone is said, never passed over
    "partition.assignment.strategy": "cooperative-sticky",  # who joins stops nobody whose partitions stay
    "enable.partition.eof": True,
    "allow.auto.create.topics": False,
    "topic.metadata.refresh.interval.ms": 10_000,
    "session.timeout.ms": 10_000,
    "reconnect.backoff.max.ms": 5_000,
    "queued.max.messages.kbytes": 16_384,
}


@dataclass(frozen=True, slots=True)
class Record:
    offset: int
    key: bytes | None
    value: bytes | None
    """None: the key is deleted, in a compacted topic."""

    timestamp_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records of one partition in their order. Offsets have holes: compaction and the marks of transactions leave them."""

    topic: str
    partition: int
    after: int | None
    """What the table says if this batch is the next: compare with it and swap for `next_offset`, in one statement."""

    records: tuple[Record, ...]

    @property
    def first_offset(self) -> int:
        return self.records[0].offset

    @property
    def next_offset(self) -> int:
        """Where to go on when this batch is in."""
        return self.records[-1].offset + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """What a source asks and tells, always from within `batches`. What one of these raises comes out there."""

    offset_of: Callable[[str, int], int | None]
    """Topic and partition -> the next offset to read; None: the beginning."""

    assigned: Callable[[Sequence[int]], None]
    revoked: Callable[[Sequence[int]], None]
    """These partitions are somebody else's now, or about to be."""

    report: Callable[[str], None]
    """One line for people: Kafka is away, or there again."""


@dataclass(slots=True)
class _Held:
    """A partition of ours, and what was read of it and not handed out yet."""

    after: int | None
    reached: int
    """The offset after the last that was handed out."""

    end: int = 0
    """Where Kafka said last that there is nothing more: behind the marks of transactions, which are no records."""

    ends: tuple[int, int] | None = None
    """The first offset that Kafka has, and the one after its last, as heard with the records."""

    records: list[Record] = field(default_factory=list)
    size: int = 0
    due: float = math.inf

    @property
    def next(self) -> int:
        return self.records[-1].offset + 1 if self.records else max(self.reached, self.end)

    @property
    def lag(self) -> int:
        low, high = self.ends or (0, 0)
        return max(0, high - max(low, self.reached if self.records else self.next))


class Source:
    """A member of the group. Whatever happens to Kafka, it waits, says so, and goes on; only `stop` ends `batches`."""

    def __init__(
        self,
        address: Address,
        watcher: Watcher,
        *,
        batch_records: int = 500,
        batch_ms: int = 200,
        settings: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        self._address, self._watcher = address, watcher
        self._batch_records, self._batch_s = batch_records, batch_ms / 1_000
        self._held: dict[int, _Held] = {}
        self._adrift: set[int] = set()
        self._stopping = threading.Event()
        self._troubles = Troubles(address, watcher.report)
        self._first_due, self._measure_at = math.inf, 0.0
        self._probe_at, self._backoff_s = 0.0, _FIRST_BACKOFF_S
        told = {**address.client(), **_SETTINGS, "group.id": address.group, **(settings or {})}
        self._consumer = Consumer({**told, "error_cb": self._troubles.heard})
        self._consumer.subscribe(
            [address.topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def batches(self) -> Iterator[Batch]:
        """At most `batch_records` each, none kept longer than `batch_ms`; asking for the next says that this one is in."""
        while not self._stopping.is_set():
            wait_s = min(_POLL_S, self._first_due - time.monotonic())
            self._take(self._consumer.poll(max(0.0, wait_s)))
            self._look_after()
            for partition in self._due(time.monotonic()):
                yield self._hand_out(partition)

    def again(self, partition: int) -> None:
        """Go on from where the table says: its transaction failed, or somebody else had moved it on."""
        if partition in self._held:
            self._go_to(partition, self._hold(partition))

    def lag(self) -> dict[int, int]:
        """Partition of ours -> offsets that were not handed out yet, as of a second ago; left out while its end is unknown."""
        return {number: held.lag for number, held in tuple(self._held.items()) if held.ends is not None}

    def stop(self) -> None:
        """From any thread, or a signal's handler: `batches` ends within a second, the batch under way handled."""
        self._stopping.set()

    def close(self) -> None:
        """Leave the group, so that others take over at once."""
        self.stop()
        self._consumer.close()

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for given in partitions:
            given.offset = self._hold(given.partition)
        consumer.incremental_assign(partitions)
        self._watcher.assigned(sorted(given.partition for given in partitions))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """What was read ahead is dropped: whoever has them next reads it again."""
        gone = sorted(given.partition for given in partitions)
        for partition in gone:
            self._held.pop(partition, None)
            self._adrift.discard(partition)
        consumer.incremental_unassign(partitions)
        self._watcher.revoked(gone)

    def _hold(self, partition: int) -> int:
        """The offset that reading begins at, which the table knows."""
        at = self._watcher.offset_of(self._address.topic, partition)
        self._held[partition] = _Held(at, at or 0)
        return OFFSET_BEGINNING if at is None else at

    def _take(self, message: Message | None) -> None:
        if message is None:
            return
        held = self._held.get(-1 if (number := message.partition()) is None else number)
        if (error := message.error()) is not None:
            self._take_error(error, held, message)
        elif held is not None and (offset := message.offset()) is not None:
            self._troubles.over()
            if not held.records:
                held.due = time.monotonic() + self._batch_s
            held.records.append(Record(offset, message.key(), message.value(), message.timestamp()[1]))
            held.size += len(message)
            if len(held.records) >= self._batch_records or held.size >= _MAX_BATCH_BYTES:
                held.due = 0.0
            self._first_due = min(self._first_due, held.due)

    def _take_error(self, error: KafkaError, held: _Held | None, message: Message) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            self._troubles.over()
            if held is not None:
                held.end = message.offset() or 0
        elif error.code() == KafkaError._AUTO_OFFSET_RESET and (partition := message.partition()) in self._held:
            self._adrift.add(partition)
        else:
            self._troubles.heard(error)

    def _due(self, now: float) -> list[int]:
        if now < self._first_due:
            return []
        self._first_due = min((held.due for held in self._held.values() if held.due > now), default=math.inf)
        return [partition for partition, held in self._held.items() if held.due <= now]

    def _hand_out(self, partition: int) -> Batch:
        held = self._held[partition]
        batch = Batch(topic=self._address.topic, partition=partition, after=held.after, records=tuple(held.records))
        held.after = held.reached = batch.next_offset
        held.records, held.size, held.due = [], 0, math.inf
        return batch

    def _look_after(self) -> None:
        for partition in tuple(self._adrift):
            self._find_back(partition)
        if (now := time.monotonic()) >= self._measure_at:
            self._measure_at = now + _MEASURE_S
            self._measure()
        if not self._troubles.cut_off:
            self._backoff_s = _FIRST_BACKOFF_S
        elif now >= self._probe_at:
            self._probe()

    def _measure(self) -> None:
        """In this thread: asked from another while this one polls, the client answers after a minute, all Python waiting."""
        for partition, held in self._held.items():
            ends = self._consumer.get_watermark_offsets(self._place(partition), cached=True)
            held.ends = ends if ends is not None and ends[1] >= 0 else None

    def _probe(self) -> None:
        """An idle topic would not show that Kafka is there again."""
        try:
            self._consumer.list_topics(self._address.topic, timeout=_PROBE_S)
        except KafkaException:
            self._probe_at = time.monotonic() + self._backoff_s
            self._backoff_s = min(2 * self._backoff_s, _LONGEST_BACKOFF_S)
        else:
            self._troubles.connected()

    def _find_back(self, partition: int) -> None:
        """Kafka has no such offset (any more): what is there from the beginning is read, which no id lets in twice."""
        try:
            ends = self._consumer.get_watermark_offsets(self._place(partition), timeout=_PROBE_S)
        except KafkaException:
            ends = None
        if ends is None:
            return  # and is asked again
        at, (low, high) = self._held[partition].next, ends
        if not self._go_to(partition, at if low <= at <= high else low) or low <= at <= high:
            return
        why = "it deleted what lies between before it was read" if at < low else "the topic was made anew or cut short"
        self._watcher.report(
            f"{self._address.topic}, partition {partition}: we were at offset {at}, and Kafka has {low} to {high}: {why}. "
            f"Reading goes on at {low}."
        )

    def _go_to(self, partition: int, offset: int) -> bool:
        """Takes the partition anew: the client refuses to seek in one that it stopped reading. False: not now, but soon."""
        try:
            with contextlib.suppress(KafkaException):  # given up by the attempt before
                self._consumer.incremental_unassign([self._place(partition)])
            self._consumer.incremental_assign([self._place(partition, offset)])
        except KafkaException:
            self._adrift.add(partition)
            return False
        self._adrift.discard(partition)
        return True

    def _place(self, partition: int, offset: int = OFFSET_BEGINNING) -> TopicPartition:
        return TopicPartition(self._address.topic, partition, offset)
