"""What happened here -> a topic, for those who listen; and records that cannot be used -> the topic of dead letters."""

import itertools
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from harken.adapters.kafka.address import Address
from harken.adapters.kafka.consumer import Record
from harken.adapters.kafka.trouble import Troubles
from harken.errors import TryAgainError, UnsuitableError

WAITING = "waiting"
DEAD = ".dead"
_CODE = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_ADMIN_S = 15.0
_SETTINGS: Mapping[str, str | int | bool] = {
    "enable.idempotence": True,  # and with it acks=all, and the order of each partition
    "compression.type": "lz4",
    "linger.ms": 10,
    "message.timeout.ms": 120_000,
    "reconnect.backoff.max.ms": 5_000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    topic: str
    key: bytes | None
    value: bytes | None = field(repr=False)
    headers: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undelivered:
    outgoing: Outgoing
    reason: str
    """Kafka's name for it. `waiting`: it is still tried, and may arrive after all."""


class Sink:
    """Each record arrives once and in order while this process lives; one that is published anew arrives anew.

    For one thread. `report` gets one line when Kafka goes away, and one when it is there again.
    """

    def __init__(
        self,
        address: Address,
        report: Callable[[str], None],
        *,
        queued: int = 10_000,
        room_s: float = 10,
        settings: Mapping[str, str | int | bool] | None = None,
    ) -> None:
        """`queued` records may wait here, and `publish` for room among them. `settings` are librdkafka's, over ours."""
        self._address, self._troubles = address, Troubles(address, report)
        self._numbers = itertools.count()
        self._under_way: dict[int, Outgoing] = {}
        self._failed: list[Undelivered] = []
        self._room_s = room_s
        told = {**address.client(), **_SETTINGS, "queue.buffering.max.messages": queued, **(settings or {})}
        self._producer = Producer({**told, "error_cb": self._troubles.heard})

    def publish(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes] | None = None
    ) -> None:
        """Into the queue; where that is full, waits for room. Raises TryAgainError when there is none for `room_s`.

        UnsuitableError: Kafka would not take it, for example because it is too large.
        """
        outgoing = Outgoing(topic=topic, key=key, value=value, headers=dict(headers or {}))
        last = time.monotonic() + self._room_s
        while not self._queue(outgoing):
            if time.monotonic() > last:
                raise TryAgainError(
                    f"{len(self._under_way)} records wait for Kafka at {self._address.where}: no room for more."
                )
            self._producer.poll(0.1)
        self._producer.poll(0)

    def flush(self, within_s: float) -> tuple[Undelivered, ...]:
        """Waits until all is delivered, or so long. What was not, in the order of publishing; what failed is said once."""
        self._producer.flush(within_s)
        failed, self._failed = self._failed, []
        return (*failed, *(Undelivered(outgoing, WAITING) for outgoing in self._under_way.values()))

    def dead_letter(self, topic: str, partition: int, record: Record, reason: str) -> None:
        """Key and value as they came, to TOPIC.dead; where from and why in headers, the reason a code and no content."""
        if not _CODE.fullmatch(reason):
            raise ValueError("the reason of a dead letter is a code, like unreadable_json")
        place = {"topic": topic, "partition": str(partition), "offset": str(record.offset), "reason": reason}
        headers = {f"harken-{name}": value.encode() for name, value in place.items()}
        self.publish(topic + DEAD, record.key, record.value, headers)

    def ensure_topic(self, name: str, partitions: int, *, compacted: bool = False) -> None:
        """Creates it with as many replicas as the brokers are set to; one that is there stays as it is.

        Raises UnsuitableError when it is there without the compaction that was asked for, or may not be created;
        TryAgainError when Kafka does not answer.
        """
        admin = AdminClient(dict(self._address.client()))
        policy = {"cleanup.policy": "compact"} if compacted else {}
        wanted = NewTopic(name, num_partitions=partitions, replication_factor=-1, config=policy)
        try:
            admin.create_topics([wanted], operation_timeout=_ADMIN_S, request_timeout=_ADMIN_S)[name].result()
        except KafkaException as refusal:
            if refusal.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise self._refused(name, refusal.args[0]) from None
            if compacted and not self._is_compacted(admin, name):
                raise UnsuitableError(
                    f"The topic {name} is there, but is not compacted. Nothing was changed: set its cleanup.policy to compact."
                ) from None

    def _is_compacted(self, admin: AdminClient, name: str) -> bool:
        asked = ConfigResource(ResourceType.TOPIC, name)
        try:
            found = admin.describe_configs([asked], request_timeout=_ADMIN_S)[asked].result()
        except KafkaException as refusal:
            raise self._refused(name, refusal.args[0]) from None
        return "compact" in str(found["cleanup.policy"].value).split(",")

    def _refused(self, name: str, error: KafkaError) -> TryAgainError | UnsuitableError:
        if error.retriable() or error.code() in {KafkaError._TIMED_OUT, KafkaError._TRANSPORT}:
            return TryAgainError(f"Kafka does not answer at {self._address.where}: the topic {name} was not looked at.")
        return UnsuitableError(f"Kafka at {self._address.where} does not create the topic {name}: {error.name()}.")

    def _queue(self, outgoing: Outgoing) -> bool:
        """False: the queue is full."""
        number = next(self._numbers)
        self._under_way[number] = outgoing

        def delivered(error: KafkaError | None, _: Message) -> None:
            self._settle(number, error)

        try:
            self._producer.produce(
                outgoing.topic, outgoing.value, outgoing.key, headers=dict(outgoing.headers), on_delivery=delivered
            )
        except BufferError:
            del self._under_way[number]
            return False
        except KafkaException as refusal:
            del self._under_way[number]
            raise UnsuitableError(
                f"Kafka does not take a record for {outgoing.topic}: {refusal.args[0].name()}."
            ) from None
        return True

    def _settle(self, number: int, error: KafkaError | None) -> None:
        outgoing = self._under_way.pop(number)
        if error is None:
            self._troubles.over()
        else:
            self._failed.append(Undelivered(outgoing, error.name()))
