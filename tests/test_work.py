"""`harken work` on a real Kafka: workers share partitions, are killed, lose the database, and every event counts once."""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from journey import derived, one_of, rows_of
from kafka_broker import Broker
from kafka_cases import fresh_topic, sink_to
from live_cases import DOOR, Event, live_desk, made_up, shuffled, wire

from harken.adapters.kafka import read
from harken.flow.door import Sent, arrive
from harken.flow.live import receive
from harken.profiles import fold, stored

pytestmark = pytest.mark.kafka

PATIENCE_S = 90


@pytest.fixture
def url(kafka: Broker) -> str:
    return fresh_topic(kafka)


def send(url: str, events: list[Event], *raw: bytes) -> None:
    """Each customer's events in one partition, as a source would key them."""
    address = read(url)
    sink = sink_to(address)
    for event in events:
        sink.publish(address.topic, str(event.get("userId", event["messageId"])).encode(), json.dumps(event).encode())
    for value in raw:
        sink.publish(address.topic, b"raw", value)
    assert sink.flush(60) == ()


@contextmanager
def worker(url: str, store: str, home: Path, *more: str) -> Iterator["subprocess.Popen[str]"]:
    key = base64.b64encode(bytes(range(32))).decode()
    env = {**os.environ, "HARKEN_HOME": str(home), "HARKEN_MASTER_KEY": key}
    command = [sys.executable, "-m", "harken", "work", "--from", url, "--store", store, *more]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def until(holds: Callable[[], bool]) -> None:
    last = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < last, "waited too long"
        time.sleep(0.1)


def count(store: str) -> int:
    found: int = one_of(store, "SELECT count(*) FROM event")
    return found


def taken(store: str) -> int:
    found = one_of(
        store, "SELECT coalesce(sum(next_offset), 0)::bigint AS n FROM source_offset WHERE stream NOT LIKE '%%:%%'"
    )
    return int(found)


def reference(store: str, topic: str, events: list[Event]) -> dict[str, list[dict[str, Any]]]:
    with live_desk(store) as desk:
        for event in events:
            receive([arrive(Sent(body=event, source=topic, received_at=desk.clock()), DOOR)], desk)
    return derived(store)


def test_two_workers_one_killed_leave_what_one_would(
    url: str, store_url: str, another_store_url: str, tmp_path: Path
) -> None:
    events = [wire(event) for event in made_up(400, seed=11, customers=20)]
    delivered = shuffled(events, seed=11, twice=0.1)
    send(url, delivered)

    with worker(url, store_url, tmp_path / "one") as one, worker(url, store_url, tmp_path / "two"):
        until(lambda: count(store_url) > 40)
        one.kill()
        until(lambda: taken(store_url) == len(delivered))

    assert count(store_url) == len(events)
    assert derived(store_url) == reference(another_store_url, read(url).topic, events)


def test_poison_goes_to_the_dead_and_the_rest_goes_on(url: str, store_url: str, tmp_path: Path) -> None:
    good = [wire(event) for event in made_up(5, seed=12)]
    poison = [b"\xff\xfe", b"{", b"\x00\x00", b'{"type": "sneeze", "messageId": "1"}', b"null", b""]
    send(url, good, *poison)

    with worker(url, store_url, tmp_path):
        until(lambda: taken(store_url) == len(good) + len(poison))
        dead = read_all(url, ".dead", len(poison))

    assert count(store_url) == len(good)
    assert {reason for _, _, reason in dead} == {"broken_row", "unknown_kind"}
    assert sorted(value for _, value, _ in dead) == sorted(poison)
    reasons = rows_of(store_url, "SELECT reason, count(*) AS n FROM rejected_event GROUP BY reason ORDER BY reason")
    assert [row["reason"] for row in reasons] == ["broken_row", "unknown_kind"]


def test_changed_profiles_are_told_the_newest_of_each_identity(url: str, store_url: str, tmp_path: Path) -> None:
    changes = f"{read(url).topic}-changes"
    said = {"direction": "inbound", "channel": "chat", "text": "Hello?"}
    first = [{"type": "message", "messageId": f"m{n}", "userId": "ada", "properties": said} for n in range(3)]
    tie = {"type": "identify", "messageId": "i1", "userId": "ada", "anonymousId": "d1"}

    with worker(url, store_url, tmp_path, "--changes", changes):
        send(url, first)
        until(lambda: "customer:ada" in newest(url, changes))
        send(url, [tie])
        until(lambda: "device:d1" in newest(url, changes))
        told = newest(url, changes)

    assert told["customer:ada"]["customer"] == told["device:d1"]["customer"] == "ada"
    assert told["customer:ada"]["features"]["messages"] == 3
    assert told["device:d1"]["identities"] == ["customer:ada", "device:d1"]


def test_the_log_is_told_as_another_engine_folds_it(url: str, store_url: str, tmp_path: Path) -> None:
    """A state made of the topic alone is the state in the store, byte for byte."""
    topic = f"{read(url).topic}-events"
    sent = [wire(event) for event in made_up(60, seed=14, customers=5)]
    send(url, sent)

    with worker(url, store_url, tmp_path, "--events", topic):
        until(lambda: taken(store_url) == len(sent))
        until(lambda: len(records(url, topic)) >= one_of(store_url, "SELECT count(identity) FROM event"))

    states: dict[str, fold.State] = {}
    for key, value in records(url, topic):
        event = json.loads(value)
        assert event["identity"] == key
        states[key] = fold.prune(fold.fold(states.get(key, {}), event))
    kept = {row["identity"]: row["state"] for row in rows_of(store_url, "SELECT identity, state FROM profile")}
    assert {who: stored.to_bytes(state).decode() for who, state in states.items()} == kept


def test_a_worker_ends_politely(url: str, store_url: str, tmp_path: Path) -> None:
    with worker(url, store_url, tmp_path) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("harken: Reading")
        process.terminate()
        out, err = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def read_all(url: str, ending: str, wanted: int) -> list[tuple[bytes | None, bytes | None, str]]:
    """(key, value, reason) of so many records of a topic beside this one."""
    address = read(url)
    consumer = Consumer({**address.client(), "group.id": f"look{ending}", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(address.topic + ending, 0, 0)])
    found = []
    last = time.monotonic() + PATIENCE_S
    while len(found) < wanted and time.monotonic() < last:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            headers = dict(message.headers() or [])
            found.append((message.key(), message.value(), headers["harken-reason"].decode()))
    consumer.close()
    return found


def newest(url: str, topic: str) -> dict[str, Any]:
    """What a listener that starts now would know."""
    return {key: json.loads(value) for key, value in records(url, topic)}


def records(url: str, topic: str) -> list[tuple[str, bytes]]:
    """(key, value) of all there is by now."""
    address = read(url)
    consumer = Consumer({**address.client(), "group.id": "changes", "enable.partition.eof": True})
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    told: list[tuple[str, bytes]] = []
    ended: set[int | None] = set()
    while len(ended) < len(partitions):
        message = consumer.poll(10)
        if message is None:
            break
        if message.error() is not None:
            ended.add(message.partition())
        else:
            told.append(((message.key() or b"").decode(), message.value() or b"null"))
    consumer.close()
    return told
