"""Events on a Kafka topic -> states on another, by the Flink job on a cluster of its own on this machine.

    python -m benchmarks.flink_profiles [--json] [--events N] [--customers N]

Two runs, of few events and of many: the difference leaves out what starting costs. Processor time is that of the
whole command: client, job manager, task manager. Kafka's own is not in it. The yardstick, on the same events: the same
functions in one Python process, with the states in a dictionary and nothing kept.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks import measure
from harken.domain.event import Channel, Kind
from harken.profiles.features import DAY_US, HOUR_US
from harken.profiles.keyed import Keeper, Kept, event_from

FEW = 2_000
START_US = 1_512_000_000_000_000
SPAN_DAYS, REMEMBERED_US, PATIENCE_S = 90, 400 * DAY_US, 120


class Ids(dict[str, int]):
    contains, put, remove = dict.__contains__, dict.__setitem__, dict.__delitem__


def events(size: int, customers: int) -> Iterator[tuple[str, str]]:
    """(identity, JSON), in the order of their times: mostly messages, as in support."""
    chance = Random(1)
    kinds = [Kind.MESSAGE_RECEIVED] * 6 + [Kind.MESSAGE_SENT] * 4 + list(Kind)
    for number in range(size):
        identity = f"bench:{chance.randrange(customers)}"
        row = {
            "id": f"bench:{number}",
            "identity": identity,
            "kind": chance.choice(kinds),
            "at": START_US + number * SPAN_DAYS * DAY_US // size + chance.randrange(HOUR_US),
            "channel": chance.choice(list(Channel)),
            "addressed_to": "bank",
            "language": chance.choice(["en", "en", "fr", "und"]),
            "sentiment": chance.randrange(-1000, 1001),
            "urgency": chance.randrange(4),
            "signals": chance.randrange(256),
            "attributes": None,
        }
        yield identity, json.dumps(row)


def alone(sent: list[tuple[str, str]]) -> float:
    """The yardstick's processor seconds."""
    keeper, states, seen = Keeper(REMEMBERED_US), dict[str, Kept | None](), dict[str, Any]()
    begun = time.process_time()
    for identity, line in sent:
        kept = states.get(identity)
        _, states[identity] = keeper.take(kept, event_from(line), seen.setdefault(identity, Ids()))
    return time.process_time() - begun


@contextmanager
def broker() -> Iterator[str]:
    command = [sys.executable, str(measure.ROOT / "tests" / "kafka_broker.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def by_flink(brokers: str, sent: list[tuple[str, str]], folder: Path) -> tuple[measure.Cost, float]:
    """The whole command, and the seconds that the job itself ran."""
    topics = [f"{name}-{len(sent)}" for name in ("events", "profiles", "aside")]
    admin = AdminClient({"bootstrap.servers": brokers})
    for made in admin.create_topics([NewTopic(topic, 2, 1) for topic in topics]).values():
        made.result(PATIENCE_S)
    producer = Producer({"bootstrap.servers": brokers, "queue.buffering.max.messages": len(sent) + 1})
    for identity, line in sent:
        producer.produce(topics[0], line, key=identity)
    assert producer.flush(PATIENCE_S) == 0
    words = ["--brokers", brokers, "--events", topics[0], "--profiles", topics[1], "--aside", topics[2], "--until-now"]
    words += ["--checkpoints", (folder / "checkpoints").as_uri(), "--name", f"bench-{len(sent)}"]
    cost = measure.run([sys.executable, "-m", "engines.submit", "run", "--local", *words])
    [runtime_ms] = re.findall(r"Job Runtime: (\d+) ms", cost.out)
    return cost, int(runtime_ms) / 1000


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    asked.add_argument("--events", type=int, default=100_000)
    asked.add_argument("--customers", type=int, default=5_000)
    given = asked.parse_args()
    many = list(events(given.events, given.customers))
    with broker() as brokers, tempfile.TemporaryDirectory(prefix="harken-bench-") as folder:
        start, start_s = by_flink(brokers, many[:FEW], Path(folder))
        whole, whole_s = by_flink(brokers, many, Path(folder))
    further = given.events - FEW
    figures = {
        "events": given.events,
        "events_a_second": round(further / (whole_s - start_s)),
        "cpu_s_per_1000_events": round((whole.cpu_s - start.cpu_s) / further * 1000, 3),
        "cpu_s_to_start_and_end": round(start.cpu_s, 1),
        "job_s": whole_s,
        "peak_mb_of_the_largest_process": whole.peak_mb,
        "yardstick_cpu_s_per_1000_events": round(alone(many) / given.events * 1000, 3),
    }
    measure.show("flink_profiles", figures, as_json=given.json)


if __name__ == "__main__":
    main()
