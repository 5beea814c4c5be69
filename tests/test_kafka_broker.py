"""The tests' own Kafka: it goes with whoever started it, and without Java or with other jars the reason is said."""

import os
import subprocess
import sys
from pathlib import Path

import kafka_broker
import pytest
from kafka_broker import Broker
from kafka_cases import broker_in, until

pytestmark = pytest.mark.kafka


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
