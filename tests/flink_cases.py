"""Flink and Kafka for tests: a job on a cluster of its own, events in, states out."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import kafka_broker
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from engines import cluster, environment
from profiles_events import Row, random_log

ROOT = Path(__file__).parent.parent
PATIENCE_S, LOOK_AGAIN_S, EVERY_S = 300, 0.2, 1
PARTITIONS = 2
FAILURES = 12  #: more than killed processes explain
TOPICS = {"events": {}, "profiles": {"cleanup.policy": "compact"}, "aside": {}}


def flink_and_kafka(folder: Path) -> tuple[environment.Environment, kafka_broker.Broker]:
    """Without Java or Maven Central the test is skipped, but in CI it fails: there they have to be."""
    try:
        said = command("set-up", expected=(0, 1))  # in a process of its own, which may use the network
        if said.returncode:
            raise environment.NotToBeHadError(said.stderr)
        return environment.made(), kafka_broker.Broker(folder)
    except (environment.NotToBeHadError, kafka_broker.NotToBeHadError) as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@dataclass(frozen=True)
class Flow:
    """A broker's topics and a job between them."""

    brokers: str
    folder: Path
    flink: cluster.Cluster

    def make_topics(self) -> None:
        made = [NewTopic(name, PARTITIONS, 1, config=config) for name, config in TOPICS.items()]
        admin = AdminClient({"bootstrap.servers": self.brokers})
        for done in admin.create_topics(made).values():
            done.result(PATIENCE_S)

    def send(self, lines: Iterable[tuple[str, str]]) -> None:
        """(identity, JSON) each."""
        producer = Producer({"bootstrap.servers": self.brokers})
        for identity, line in lines:
            producer.produce("events", line, key=identity)
            producer.poll(0)
        assert producer.flush(PATIENCE_S) == 0

    def submit(self, *words: str, source: Path = ROOT / "src", savepoint: str | None = None) -> str:
        """The job's id."""
        job = ["--brokers", self.brokers, "--events", "events", "--profiles", "profiles", "--aside", "aside"]
        job += ["--checkpoints", (self.folder / "checkpoints").as_uri(), "--every-s", str(EVERY_S), *words]
        start = ["--from", savepoint] if savepoint else []
        said = command("run", "--jobmanager", self.flink.address, "--source", str(source), *start, *job).stdout
        [found] = re.findall(r"JobID ([0-9a-f]{32})", said)
        return str(found)

    def stop(self, job: str) -> str:
        """Where the savepoint is."""
        into = (self.folder / "savepoints").as_uri()
        said = command("stop", job, "--jobmanager", self.flink.address, "--into", into).stdout
        [found] = re.findall(r"Path: (\S+)", said)
        return str(found)

    def checkpoints(self, job: str) -> dict[str, int]:
        counts: dict[str, int] = self.flink.ask(f"jobs/{job}/checkpoints")["counts"]
        return counts

    def failures_of(self, job: str) -> list[str]:
        """Why it had to start again, newest first."""
        return [
            failure["stacktrace"] for failure in self.flink.ask(f"jobs/{job}/exceptions")["exceptionHistory"]["entries"]
        ]

    def state_of(self, job: str) -> str:
        """Raises AssertionError with the last failure of a job that goes on failing."""
        failures = self.failures_of(job)
        assert len(failures) <= FAILURES, failures[0]
        return str(self.flink.ask(f"jobs/{job}")["state"])

    def received(self, topic: str) -> list[tuple[str | None, dict[str, Any]]]:
        """(key, value) of every committed record, partition by partition in order."""
        found = []
        for partition in range(PARTITIONS):
            for key, value in committed(self.brokers, topic, partition):
                found.append((key, json.loads(value)))
        return found


def committed(brokers: str, topic: str, partition: int) -> list[tuple[str | None, bytes]]:
    reading = {"bootstrap.servers": brokers, "group.id": "test", "isolation.level": "read_committed"}
    consumer = Consumer({**reading, "enable.auto.commit": False, "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, partition, 0)])
    found = []
    while True:
        message = consumer.poll(PATIENCE_S)
        assert message is not None
        if message.error():
            break
        key, value = message.key(), message.value()
        assert isinstance(value, bytes)
        found.append((key.decode() if isinstance(key, bytes) else None, value))
    consumer.close()
    return found


def command(*words: str, expected: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """`just flink …`, ended with one of the exit codes."""
    ran = [sys.executable, "-m", "engines.submit", *words]
    ended = subprocess.run(ran, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert ended.returncode in expected, ended.stdout + ended.stderr
    return ended


def until(happens: Callable[[], object]) -> None:
    patience = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < patience
        time.sleep(LOOK_AGAIN_S)


def log_of(size: int, identities: int, seed: int = 1) -> list[Row]:
    """Each event with an id of its own and an identity."""
    rows = random_log(size, seed, identities)
    return [row | {"id": f"web:{number}"} for number, row in enumerate(rows) if row["identity"]]


def shuffled_with_copies(rows: list[Row], seed: int = 1) -> list[tuple[str, str]]:
    sent = [*rows, *rows[::5]]
    Random(seed).shuffle(sent)
    return [(row["identity"], json.dumps(row)) for row in sent]
