"""A Kafka for tests: one broker a session, a topic of its own for each test."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from kafka_broker import Broker, NotToBeHadError
from kafka_member import QUICK, Ledger, ignore

from harken.adapters.kafka import Address, Batch, Sink, Source, Watcher, read

Take: TypeAlias = Callable[[Ledger, Batch], bool]


def broker_in(folder: Path) -> Broker:
    """Not started. Without Java or the jars the test is skipped, but in CI it fails: there they have to be."""
    try:
        return Broker(folder)
    except NotToBeHadError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that stays up for the session; a test that stops one starts its own."""
    with broker_in(tmp_path_factory.mktemp("kafka")) as broker:
        yield broker


_numbers = itertools.count(1)


def fresh_topic(broker: Broker, partitions: int = 2) -> str:
    topic = f"said-{next(_numbers)}"
    found = read(f"kafka://{broker.bootstrap}/{topic}?group={topic}")
    sink_to(found).ensure_topic(topic, partitions)
    return f"kafka://{broker.bootstrap}/{topic}?group={topic}"


def sink_to(address: Address) -> Sink:
    return Sink(address, ignore)


def say(url: str, numbers: Iterable[int]) -> list[str]:
    """One record each, with a key of its own; returns when Kafka has them all."""
    found, said = read(url), [f"message {number}" for number in numbers]
    sink = sink_to(found)
    for text in said:
        sink.publish(found.topic, text.encode(), text.encode())
    assert sink.flush(60) == ()
    return said


class Reader(threading.Thread):
    """A member of the group, within this process: what it handles is in the ledger, what it was told in lists."""

    def __init__(self, url: str, ledger: Path, *, batch_records: int = 50, take: Take | None = None) -> None:
        super().__init__()
        self.batches: list[Batch] = []
        self.mine: set[int] = set()
        self.lines: list[str] = []
        self.wrong: BaseException | None = None
        self._take, self._ledger = take, ledger
        watcher = Watcher(
            offset_of=lambda topic, partition: Ledger(str(ledger)).offset_of(topic, partition),
            assigned=self.mine.update,
            revoked=self.mine.difference_update,
            report=self.lines.append,
        )
        self.source = Source(read(url), watcher, batch_records=batch_records, batch_ms=50, settings=QUICK)

    def run(self) -> None:
        ledger = Ledger(str(self._ledger))
        try:
            with self.source:
                for batch in self.source.batches():
                    self.batches.append(batch)
                    if not (self._take or Ledger.take)(ledger, batch):
                        self.source.again(batch.partition)
        except BaseException as wrong:  # noqa: BLE001  the test's thread raises it
            self.wrong = wrong

    def __enter__(self) -> "Reader":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.source.stop()
        self.join(60)
        assert not self.is_alive(), "a source that was told to stop goes on"
        if self.wrong is not None:
            raise self.wrong


def until(holds: Callable[[], object], *, within_s: float = 90) -> None:
    last = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < last, f"still not so after {within_s} s"
        time.sleep(0.02)


def taken(ledger: Path) -> list[str]:
    return Ledger(str(ledger)).values()


@pytest.fixture(name="url")
def fresh_url(kafka: Broker) -> str:
    """Of a topic of this test alone, with two partitions and nothing in it."""
    return fresh_topic(kafka)


@pytest.fixture(name="ledger")
def empty_ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture(name="own_kafka")
def kafka_of_its_own(tmp_path: Path) -> Iterator[Broker]:
    """A broker of this test alone, not started yet, to be stopped and killed."""
    broker = broker_in(tmp_path / "kafka")
    yield broker
    broker.kill()


def everything_in(url: str) -> list[Message]:
    """Each record of a topic's first partition that anybody may see, with its headers."""
    found = read(url)
    consumer = Consumer({"bootstrap.servers": found.brokers[0], "group.id": "all", "enable.partition.eof": True})
    consumer.assign([TopicPartition(found.topic, 0, OFFSET_BEGINNING)])
    seen: list[Message] = []
    while (message := consumer.poll(30)) is not None and message.error() is None:
        seen.append(message)
    consumer.close()
    return seen
