"""The compacted topic of states -> the table `stream_profile` in PostgreSQL, each row guarded by its version.

A batch is committed before its offsets are: after a crash it comes again and changes nothing. Several may run.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import client_settings
import psycopg
from confluent_kafka import Consumer, KafkaError, KafkaException, Message

from harken.kit import sql

QUERIES = sql.parse(Path(__file__).with_name("queries.sql").read_text("utf-8"))
BATCH, WAIT_S = 1_000, 1.0


def write(connection: psycopg.Connection, values: Iterable[bytes], generation: int = 1) -> int:
    """One transaction; returns how many identities it changed. Of one identity's states the highest version counts."""
    newest: dict[str, dict[str, Any]] = {}
    for value in map(json.loads, values):
        held = newest.get(value["identity"])
        if held is None or held["version"] < value["version"]:
            newest[value["identity"]] = value
    rows = [newest[identity] for identity in sorted(newest)]  # two sinks that lock in one order never wait in a ring
    columns = {f"{name}s": [row[name] for row in rows] for name in ("state", "layout", "version")}
    columns |= {"identities": sorted(newest), "generations": [generation] * len(rows)}
    with connection.transaction():
        return connection.execute(QUERIES["upsert"], columns).rowcount


def drain(consumer: Consumer, connection: psycopg.Connection, generation: int, *, until_now: bool) -> int:
    """Until stopped, or to the end of the topic. Returns how many rows were changed."""
    changed, ended = 0, set()
    while not (until_now and ended and len(ended) == len(consumer.assignment())):
        messages = consumer.consume(BATCH, WAIT_S)
        ended |= {message.partition() for message in messages if _is_end(message)}
        values = [value for message in messages if not _is_end(message) and (value := message.value())]
        if values:
            changed += write(connection, values, generation)
            consumer.commit(asynchronous=False)
    return changed


def _is_end(message: Message) -> bool:
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return error is not None


def consumer_of(brokers: str, topic: str, group: str, client: dict[str, str]) -> Consumer:
    ours = {"bootstrap.servers": brokers, "group.id": group, "isolation.level": "read_committed"}
    ours |= {"auto.offset.reset": "earliest", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({**client, **ours})
    consumer.subscribe([topic])
    return consumer


def options(words: Sequence[str]) -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="just flink upserts", description=__doc__)
    asked.add_argument("--brokers", required=True, help="host:port,host:port")
    asked.add_argument("--topic", required=True, help="the compacted topic of states")
    asked.add_argument("--database", default=os.environ.get("HARKEN_DATABASE_URL", ""), help="or HARKEN_DATABASE_URL")
    asked.add_argument("--generation", type=int, default=1, help="one more for each job that was started afresh")
    asked.add_argument("--group", default="harken-upserts", help="consumers of one group share the partitions")
    asked.add_argument("--until-now", action="store_true", help="end at the end of the topic")
    asked.add_argument(
        "--client", type=client_settings.read, default={}, help="a file of librdkafka settings, key=value"
    )
    return asked.parse_args(words)


def main(words: Sequence[str]) -> int:
    given = options(words)
    consumer = consumer_of(given.brokers, given.topic, f"{given.group}-{given.generation}", given.client)
    try:
        with psycopg.connect(given.database, autocommit=True) as connection:
            connection.execute(QUERIES["make_table"])
            changed = drain(consumer, connection, given.generation, until_now=given.until_now)
    except (psycopg.OperationalError, KafkaException) as wrong:
        print(f"upserts: {str(wrong).splitlines()[0]}. What was committed is kept; start it again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        consumer.close()
    print(f"{changed} rows changed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
