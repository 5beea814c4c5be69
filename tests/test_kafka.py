"""Kafka as a source, on a real broker: what is read is in once, whatever is killed."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import kafka_member
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from kafka_broker import Broker
from kafka_cases import (  # noqa: F401  fixtures among them
    Reader,
    empty_ledger,
    everything_in,
    fresh_topic,
    fresh_url,
    kafka_of_its_own,
    say,
    sink_to,
    taken,
    until,
)
from kafka_member import Ledger

from harken.adapters.kafka import Batch, Sink, read

pytestmark = pytest.mark.kafka


def test_two_partitions_are_read_in_batches_of_one_each(url: str, ledger: Path) -> None:
    said = say(url, range(300))
    with Reader(url, ledger) as reader:
        until(lambda: len(taken(ledger)) >= len(said))
        until(lambda: reader.source.lag() == {0: 0, 1: 0})

    assert Counter(taken(ledger)) == Counter(said)
    assert reader.lines == []
    assert {batch.partition for batch in reader.batches} == {0, 1}
    for partition in (0, 1):
        batches = [batch for batch in reader.batches if batch.partition == partition]
        records = [record for batch in batches for record in batch.records]
        assert [record.offset for record in records] == list(range(len(records)))
        assert [batch.after for batch in batches] == [None, *(batch.next_offset for batch in batches[:-1])]
        assert [batch.first_offset for batch in batches] == [batch.records[0].offset for batch in batches]
        assert max(len(batch.records) for batch in batches) <= 50
        assert all(record.key == record.value and record.timestamp_ms > 0 for record in records)


def test_two_members_share_the_partitions_and_take_over(url: str, ledger: Path) -> None:
    said = say(url, range(100))
    with Reader(url, ledger) as first:
        until(lambda: len(taken(ledger)) >= 100)
        with Reader(url, ledger) as second:
            until(lambda: len(first.mine) == len(second.mine) == 1)
            said += say(url, range(100, 300))
            until(lambda: len(taken(ledger)) >= 300)
            assert first.mine | second.mine == {0, 1}
            assert {batch.partition for batch in second.batches} == second.mine
        until(lambda: first.mine == {0, 1})
        said += say(url, range(300, 400))
        until(lambda: len(taken(ledger)) >= 400)

    assert Counter(taken(ledger)) == Counter(said)
    assert first.mine == second.mine == set()


def test_members_killed_at_any_moment_lose_and_double_nothing(url: str, ledger: Path) -> None:
    said = say(url, range(2_000))
    Ledger(str(ledger))
    for goal in (1, 500, 1_000, len(said)):
        command = [sys.executable, kafka_member.__file__, url, str(ledger)]
        with subprocess.Popen(command) as member:
            until(lambda goal=goal: len(taken(ledger)) >= goal)
            member.send_signal(signal.SIGKILL)
        assert member.returncode == -signal.SIGKILL

    assert Counter(taken(ledger)) == Counter(said)


def test_what_a_failed_transaction_left_is_read_again(url: str, ledger: Path) -> None:
    said, refused = say(url, range(200)), []

    def take(ledger: Ledger, batch: Batch) -> bool:
        if len(refused) < 4:
            refused.append(batch)
            return False
        return ledger.take(batch)

    with Reader(url, ledger, take=take):
        until(lambda: len(taken(ledger)) >= len(said))

    assert Counter(taken(ledger)) == Counter(said)


def test_a_zombie_that_moved_on_is_followed(url: str, ledger: Path) -> None:
    """Somebody who lost a partition unawares still handled its batch: the table decides, and we go on behind it."""
    said = say(url, range(200))

    def take(ledger: Ledger, batch: Batch) -> bool:
        if batch.after is None:
            assert ledger.take(batch)  # the other one, a moment before us
        return ledger.take(batch)

    with Reader(url, ledger, take=take):
        until(lambda: len(taken(ledger)) >= len(said))

    assert Counter(taken(ledger)) == Counter(said)


def test_aborted_records_are_not_seen(url: str, kafka: Broker, ledger: Path) -> None:
    topic = read(url).topic
    producer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": topic, "log_level": 0})
    producer.init_transactions(30)
    for number in range(6):
        producer.begin_transaction()
        for partition in (0, 1):
            producer.produce(topic, f"{number}", partition=partition)
        producer.flush(30)
        (producer.abort_transaction if number % 2 else producer.commit_transaction)(30)

    with Reader(url, ledger) as reader:
        until(lambda: len(taken(ledger)) >= 6)
        until(lambda: reader.source.lag() == {0: 0, 1: 0})

    assert sorted(taken(ledger)) == ["0", "0", "2", "2", "4", "4"]
    assert len(everything_in(url)) == 3  # of six in that partition


def test_a_broker_that_is_away_at_the_start_is_waited_for(own_kafka: Broker, ledger: Path) -> None:
    url = f"kafka://{own_kafka.bootstrap}/said?group=desk"
    with Reader(url, ledger) as reader:
        until(lambda: reader.lines)
        assert reader.source.lag() == {}
        own_kafka.start()
        until(lambda: len(reader.lines) == 3)
        sink_to(read(url)).ensure_topic("said", 2)
        said = say(url, range(50))
        until(lambda: len(taken(ledger)) >= len(said))

    assert Counter(taken(ledger)) == Counter(said)
    away, back, without_topic = sorted(reader.lines, key=lambda line: ("has no topic" in line, "again." in line))
    assert away.startswith(f"Kafka does not answer at {own_kafka.bootstrap}. Nothing was lost")
    assert back == f"Kafka at {own_kafka.bootstrap} answers again."
    assert "has no topic said" in without_topic


@pytest.mark.parametrize("end", [Broker.stop, Broker.kill])
def test_a_broker_that_is_restarted_midway_costs_nothing(own_kafka: Broker, ledger: Path, end: object) -> None:
    own_kafka.start()
    url = fresh_topic(own_kafka)
    lines: list[str] = []
    sink = Sink(read(url), lines.append)
    said = say(url, range(100))
    with Reader(url, ledger) as reader:
        until(lambda: len(taken(ledger)) >= len(said))
        assert callable(end)
        end(own_kafka)
        until(lambda: reader.lines)
        sink.publish(read(url).topic, b"meanwhile", b"meanwhile")
        [waiting] = sink.flush(0.1)
        assert (waiting.outgoing.value, waiting.reason) == (b"meanwhile", "waiting")

        own_kafka.start()
        assert sink.flush(60) == ()
        said += ["meanwhile", *say(url, range(100, 200))]
        until(lambda: len(taken(ledger)) >= len(said))

    assert Counter(taken(ledger)) == Counter(said)
    for told in (reader.lines, lines):
        assert [line.split(own_kafka.bootstrap)[0] for line in told] == ["Kafka does not answer at ", "Kafka at "]


def test_a_source_without_a_broker_stops_when_told(ledger: Path, own_kafka: Broker) -> None:
    with Reader(f"kafka://{own_kafka.bootstrap}/said", ledger) as reader:
        until(lambda: reader.lines)

    assert not reader.is_alive()


def test_what_kafka_deleted_is_said_and_the_rest_is_read(url: str, kafka: Broker, ledger: Path) -> None:
    said, found = say(url, range(200)), read(url)
    with Reader(url, ledger):
        until(lambda: len(taken(ledger)) >= len(said))
    more = say(url, range(200, 400))
    ends = {partition: Ledger(str(ledger)).offset_of(found.topic, partition) or 0 for partition in (0, 1)}
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    for deleted in admin.delete_records([TopicPartition(found.topic, 0, ends[0] + 10)]).values():
        deleted.result(30)

    with Reader(url, ledger) as reader:
        until(lambda: len(taken(ledger)) >= len(said) + len(more) - 10)

    assert set(taken(ledger)) < {*said, *more}
    [line] = reader.lines
    assert f"partition 0: we were at offset {ends[0]}, and Kafka has {ends[0] + 10} to" in line
    assert "deleted what lies between" in line


def test_a_topic_that_was_made_anew_is_read_from_its_beginning(url: str, ledger: Path) -> None:
    said, found = say(url, range(100)), read(url)
    with_old_places = Ledger(str(ledger))
    for partition in (0, 1):
        with_old_places._db.execute("INSERT INTO place VALUES (?, ?, ?)", (found.topic, partition, 5_000))

    with Reader(url, ledger) as reader:
        until(lambda: len(taken(ledger)) >= len(said))

    assert Counter(taken(ledger)) == Counter(said)
    assert len(reader.lines) == 2
    assert all("made anew or cut short. Reading goes on at 0." in line for line in reader.lines)
