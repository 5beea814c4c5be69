"""Events on two partitions of a Kafka topic -> the log and the profiles, by one `harken work`, and by two that share them.

    python -m benchmarks.kafka_workers [--json] [--events N]

Counted from the first event that is in the log to the last, so that starting is left out. Processor time is that of the
workers; PostgreSQL's and Kafka's own are not in it. The yardstick for two is one, on the same events, in the same run.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from benchmarks import measure
from benchmarks.p4_live import events
from harken import bootstrap, settings
from harken.adapters.kafka import Sink, read

sys.path.insert(0, str(measure.ROOT / "tests"))
from kafka_broker import Broker

PARTITIONS, PATIENCE_S = 2, 600


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    asked.add_argument("--events", type=int, default=20_000)
    given = asked.parse_args()
    figures: dict[str, Any] = {
        "target": "two workers 1.6 x one, where there are cores to spare",
        "events": given.events,
    }
    with measure.folder() as folder, Broker(folder / "kafka") as broker:
        for workers in (1, 2):
            url = _sent(f"kafka://{broker.bootstrap}/bench-{workers}?group=bench-{workers}", given.events)
            seconds, cpu_s = _taken_in(url, folder / f"home-{workers}", workers, given.events)
            figures[f"{workers}: events a second"] = round(given.events / seconds)
            figures[f"{workers}: CPU ms an event"] = round(1000 * cpu_s / given.events, 3)
    figures["two / one"] = round(figures["2: events a second"] / figures["1: events a second"], 2)
    measure.show("Kafka workers", figures, as_json=given.json)


def _sent(url: str, count: int) -> str:
    address = read(url)
    sink = Sink(address, lambda line: print(line, file=sys.stderr), queued=count + 1)
    sink.ensure_topic(address.topic, PARTITIONS)
    for body in itertools.islice(events(Random(3), messages=True), count):
        sink.publish(address.topic, str(body["userId"]).encode(), json.dumps(body).encode())
    assert sink.flush(120) == ()
    return url


def _taken_in(url: str, home: Path, workers: int, count: int) -> tuple[float, float]:
    """Seconds from the first to the last, and what the workers used of the processors."""
    store = settings.load().model_copy(update={"home": home})
    with bootstrap.store_of(store) as running, psycopg.connect(running.url, autocommit=True) as connection:
        before = os.times()
        with _working(url, home, workers):
            _until(connection, 1)
            started = time.perf_counter()
            _until(connection, count)
            seconds = time.perf_counter() - started
        after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, used


@contextmanager
def _working(url: str, home: Path, workers: int) -> Iterator[None]:
    command = [sys.executable, "-m", "harken", "work", "--from", url]
    with ExitStack() as ended:
        for _ in range(workers):
            worker = subprocess.Popen(command, cwd=measure.ROOT, env={**os.environ, "HARKEN_HOME": str(home)})
            ended.callback(worker.wait)
            ended.callback(worker.terminate)
        yield


def _until(connection: psycopg.Connection[Any], events: int) -> None:
    last = time.perf_counter() + PATIENCE_S
    while _count(connection) < events:
        if time.perf_counter() > last:
            raise SystemExit(f"only {_count(connection)} of {events} events came")
        time.sleep(0.05)


def _count(connection: psycopg.Connection[Any]) -> int:
    found: Sequence[Any] | None = connection.execute("SELECT count(*) FROM event").fetchone()
    return int(found[0]) if found else 0


if __name__ == "__main__":
    main()
