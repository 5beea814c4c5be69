"""Kafka as a source and a sink, on a real broker: what is read is in once, whatever is killed."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import kafka_broker
import kafka_member
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType
from kafka_broker import Broker
from kafka_cases import Reader, broker_in, fresh_topic, say, sink_to, taken, until
from kafka_member import Ledger
from schema_shelf import client_of, shelf

from harken.adapters.kafka import Batch, Record, Sink, read, registry
from harken.errors import TryAgainError, UnsuitableError

pytestmark = pytest.mark.kafka


@pytest.fixture
def url(kafka: Broker) -> str:
    """Of a topic of this test alone, with two partitions and nothing in it."""
    return fresh_topic(kafka)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Broker]:
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


def test_whoever_started_a_broker_takes_it_along(kafka: Broker, tmp_path: Path) -> None:
    """Killed with -9, from the command line as `just kafka` does it."""
    command = [sys.executable, kafka_broker.__file__, str(tmp_path / "kafka")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        bootstrap = starter.stdout.readline().strip()
        brokers = [pid for pid in processes() if str(tmp_path / "kafka") in command_of(pid) and pid != starter.pid]
        starter.kill()

    assert bootstrap.startswith("127.0.0.1:")
    assert len(brokers) == 1
    until(lambda: not any(command_of(pid) for pid in brokers))


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def command_of(pid: int) -> str:
    """Empty when there is none, or nothing of it is left but its exit code."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_a_jar_that_is_not_the_one_is_not_run(kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jars = kafka_broker.jars()
    for jar in jars.glob("*.jar"):
        (tmp_path / jar.name).symlink_to(jar)
    monkeypatch.setenv(kafka_broker.JARS_SETTING, str(tmp_path))
    assert kafka_broker.jars() == tmp_path

    [clients] = tmp_path.glob("kafka-clients-*.jar")
    clients.unlink()
    with pytest.raises(ValueError, match=r"kafka-clients-\S+ is missing, which is in sha256.txt: nothing was started"):
        kafka_broker.jars()
    clients.write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"kafka-clients-\S+ differs from sha256.txt: nothing was started"):
        kafka_broker.jars()
    clients.unlink()
    (tmp_path / "extra.jar").touch()
    with pytest.raises(ValueError, match=r"extra.jar is not named in sha256.txt"):
        kafka_broker.jars()


def test_without_java_or_maven_the_reason_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv(kafka_broker.JARS_SETTING, str(tmp_path / "jars"))
    for ask, says in ((kafka_broker.java, "needs Java 17 or later: none"), (kafka_broker.jars, "no Maven")):
        with pytest.raises(kafka_broker.NotToBeHadError, match=says):
            ask()

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs Java"):
        broker_in(tmp_path)
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="needs Java"):
        broker_in(tmp_path)
