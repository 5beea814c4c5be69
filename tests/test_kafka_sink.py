"""Kafka as a sink, on a real broker: what could not be read is set aside, what could not be delivered is said."""

import json
from collections import Counter
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from kafka_broker import Broker
from kafka_cases import (  # noqa: F401  fixtures among them
    Reader,
    empty_ledger,
    everything_in,
    fresh_topic,
    fresh_url,
    kafka_of_its_own,
    sink_to,
    taken,
    until,
)
from kafka_member import Ledger
from schema_shelf import client_of, shelf

from harken.adapters.kafka import Batch, Record, Sink, read, registry
from harken.errors import TryAgainError, UnsuitableError

pytestmark = pytest.mark.kafka


def test_a_record_that_cannot_be_read_goes_to_the_dead_letters(kafka: Broker, ledger: Path) -> None:
    url = fresh_topic(kafka, partitions=1)
    found = read(url)
    sink = sink_to(found)
    sink.ensure_topic(f"{found.topic}.dead", 1)
    for value in (b'{"text": "one"}', b'{"text": "my card is 4929', b'{"text": "two"}'):
        sink.publish(found.topic, b"ada", value)
    assert sink.flush(30) == ()

    def take(ledger: Ledger, batch: Batch) -> bool:
        for record in batch.records:
            try:
                json.loads(record.value or b"")
            except ValueError:
                sink.dead_letter(batch.topic, batch.partition, record, "unreadable_json")
        return sink.flush(30) == () and ledger.take(batch)

    with Reader(url, ledger, take=take):
        until(lambda: len(taken(ledger)) >= 3)

    [dead] = everything_in(url.replace(found.topic, f"{found.topic}.dead", 1))
    assert (dead.key(), dead.value()) == (b"ada", b'{"text": "my card is 4929')
    assert dict(dead.headers() or []) == {
        "harken-topic": found.topic.encode(),
        "harken-partition": b"0",
        "harken-offset": b"1",
        "harken-reason": b"unreadable_json",
    }
    with pytest.raises(ValueError, match="is a code"):
        sink.dead_letter(found.topic, 0, Record(0, None, None, 0), "my card is 4929")


def test_a_compacted_topic_is_made_once(url: str, kafka: Broker) -> None:
    found = read(url)
    sink, profiles = sink_to(found), f"{found.topic}-profiles"
    for _ in range(2):
        sink.ensure_topic(profiles, 3, compacted=True)

    asked = ConfigResource(ResourceType.TOPIC, profiles)
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    assert admin.describe_configs([asked])[asked].result(30)["cleanup.policy"].value == "compact"
    assert len(admin.list_topics(profiles, timeout=30).topics[profiles].partitions) == 3
    sink.ensure_topic(found.topic, 2)
    with pytest.raises(UnsuitableError, match="is there, but is not compacted"):
        sink.ensure_topic(found.topic, 2, compacted=True)
    with pytest.raises(UnsuitableError, match="does not create the topic"):
        sink.ensure_topic("no such name", 2)


def test_a_sink_says_what_it_could_not_deliver(own_kafka: Broker) -> None:
    found = read(f"kafka://{own_kafka.bootstrap}/said")
    quick = {"message.timeout.ms": 300}
    sink = Sink(found, [].append, queued=2, room_s=0.1, settings={**quick, "linger.ms": 0})
    for key in (b"1", b"2"):
        sink.publish("said", key, b"hello")
    with pytest.raises(TryAgainError, match="2 records wait for Kafka"):
        sink.publish("said", b"3", b"hello")

    failed = sink.flush(30)

    assert [(each.outgoing.key, each.reason) for each in failed] == [(b"1", "_MSG_TIMED_OUT"), (b"2", "_MSG_TIMED_OUT")]
    assert "hello" not in repr(failed)
    assert sink.flush(1) == ()
    with pytest.raises(UnsuitableError, match="MSG_SIZE_TOO_LARGE"):
        sink.publish("said", b"4", bytes(2_000_000))


def test_records_with_and_without_a_schema_are_read(url: str, ledger: Path) -> None:
    found, body = read(url), b'{"text": "hello"}'
    sink, decoded = sink_to(found), []

    def take(ledger: Ledger, batch: Batch) -> bool:
        decoded.extend(registry.decode(record.value or b"") for record in batch.records)
        return ledger.take(batch)

    with shelf() as server:
        schemas = client_of(server)
        number = schemas.register("said/here-value", '{"type": "object"}')
        for value in (registry.encode(number, body), body):
            sink.publish(found.topic, None, value)
        assert sink.flush(30) == ()
        with Reader(url, ledger, take=take):
            until(lambda: len(taken(ledger)) >= 2)

        assert Counter(decoded) == Counter([(number, body), (None, body)])
        assert schemas.schema(number) == '{"type": "object"}'
