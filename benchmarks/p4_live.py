"""P4: how long until an event that was sent is in the profile that others read, and how many a second one worker keeps.

    python -m benchmarks.p4_live [--json] [--rate N] [--seconds N] [--events N]

One event a request at a steady rate, over real HTTP: the answer comes when the transaction is committed, and another
connection counts them at the end. The yardsticks, in the same run: one committed row of this disk; and plain
rows, without checks, sealing or profiles, inserted in batches of the same size.
"""

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import psycopg

from benchmarks import measure, serving
from harken import bootstrap, settings
from harken.flow.door import Sent, arrive
from harken.flow.live import receive

CUSTOMERS, COMMITS, TOGETHER = 2_000, 300, 500
SAID = ("My card was declined again, this is urgent!", "How do I change my limit?", "Thanks, that worked.")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    asked.add_argument("--rate", type=int, default=500, help="events a second")
    asked.add_argument("--seconds", type=float, default=20)
    asked.add_argument("--events", type=int, default=20_000, help="for the batches")
    given = asked.parse_args()
    with measure.folder() as home:
        figures = compared(str(home), given.rate, given.seconds, given.events)
        measure.wait_until_stopped(home)
    measure.show("P4", figures, as_json=given.json)


def events(chance: Random, *, messages: bool) -> Iterator[dict[str, Any]]:
    """Endless, of a few thousand customers."""
    for number in itertools.count():
        body: dict[str, Any] = {"messageId": f"m{number}", "userId": str(chance.randrange(CUSTOMERS))}
        if messages and number % 5 == 0:
            said = {"direction": "inbound", "channel": "chat", "text": chance.choice(SAID)}
            yield body | {"type": "message", "properties": said}
        elif number % 2:
            yield body | {"type": "page", "name": "Cards"}
        else:
            amount = {"amount_minor": chance.randrange(90_000), "currency": "EUR"}
            yield body | {"type": "payment", "version": 2, "properties": amount}


def compared(home: str, rate: int, seconds: float, count: int) -> dict[str, Any]:
    store = settings.load().model_copy(update={"home": measure.Path(home)})
    with bootstrap.store_of(store) as running:
        port = serving.free_port()
        sent = (("POST /api/v1/events", json.dumps(each).encode()) for each in events(Random(1), messages=True))
        with serving.serving([sys.executable, "-m", "harken", "serve", "--port", str(port)], port, home):
            answers = asyncio.run(serving.measured(port, sent, rate, seconds))
        with psycopg.connect(running.url) as connection:
            [(kept,)] = connection.execute("SELECT count(*) FROM event").fetchall()
        disk_ms = commit_ms(running.url)
        plain = _plain(running.url, count)
    ours = serving.shares(answers)
    figures: dict[str, Any] = {
        "target": f"p50 <= one commit + 5 ms, p99 <= 50 ms at {rate} events a second; 5,000 a second in batches",
        "one commit, ms (yardstick)": round(disk_ms, 2),
        "sent -> committed and visible, ms": ours,
        "p50 less one commit, ms": round(ours["p50"] - disk_ms, 2),
        "not 202": sum(status != 202 for status, _ in answers),
        "events in the log": kept,
    }
    for name, messages in (("typed events", False), ("with a fifth of messages", True)):
        figures[f"batches of {TOGETHER}, {name}, events a second"] = round(_batches(store, count, messages=messages))
    figures["plain rows in batches, a second (yardstick)"] = round(plain)
    return figures


def commit_ms(url: str) -> float:
    took = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS one_commit (n int)")
        for number in range(COMMITS):
            started = time.perf_counter()
            connection.execute("INSERT INTO one_commit VALUES (%s)", [number])
            took.append((time.perf_counter() - started) * 1000)
    return measure.percentile(took, 0.5)


def _plain(url: str, count: int) -> float:
    rows = [(f"plain:{n}", "page", f"customer:{n % CUSTOMERS}", json.dumps({"name": "Cards"})) for n in range(count)]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE plain_event (id text PRIMARY KEY, kind text, identity text, body text)")
        connection.commit()
        started = time.perf_counter()
        for at in range(0, count, TOGETHER):
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany("INSERT INTO plain_event VALUES (%s, %s, %s, %s)", rows[at : at + TOGETHER])
    return count / (time.perf_counter() - started)


def _batches(store: settings.Settings, count: int, *, messages: bool) -> float:
    """By one worker, in this process, from the wire object on."""
    with bootstrap.desk_of(store) as desk:
        assert desk.live
        door, source = desk.live.open_door(), f"batch-{messages}"
        bodies = list(itertools.islice(events(Random(2), messages=messages), count))
        started = time.perf_counter()
        for at in range(0, count, TOGETHER):
            now = desk.live.clock()
            sent = [Sent(body=body, source=source, received_at=now) for body in bodies[at : at + TOGETHER]]
            receive([arrive(each, door) for each in sent], desk.live)
        return count / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
