"""R1: events, a tenth of them twice and in no order, received live by processes that are killed, by a database that crashes.

    python -m benchmarks.soak [--seed N] [--events N] [--kills N] [--crashes N] [--json]

Afterwards every event must be in the log once and in every profile once, by an oracle that shares no code with what it
judges; and everything derived must be what a rebuild would make of the log. What befalls whom when, and all that is not
asked for by an option, follows from the seed: a seed that fails, with the same options, fails again.
"""

import argparse
import os
import secrets
import signal
import sys
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from pydantic import SecretStr

from benchmarks import measure
from benchmarks.soak_events import NAMES, NOW_US, Oracle, made_up
from benchmarks.soak_plan import Plan, delivered, planned
from benchmarks.soak_worker import (
    ANYWHERE,
    Fault,
    Task,
    work,
)
from harken import bootstrap
from harken.cli.printing import Quiet
from harken.flow import rebuild
from harken.flow.desk import Desk
from harken.kit import embedded_place, embedded_postgres, embedded_supervisor
from harken.profiles import read, stored
from harken.profiles.fold import State
from harken.settings import Settings

MASTER = bytes(range(32))
OWN = {"database_url": SecretStr(""), "clickhouse_host": "", "supabase_url": ""}  #: nobody else's database crashes

processes = get_context("forkserver")
processes.set_forkserver_preload(["benchmarks.soak_worker", "harken.bootstrap", "harken.flow.rebuild"])


@dataclass(slots=True)
class Hand:
    """A process at work, and the line to it."""

    process: Any
    line: connection.Connection
    partition: int
    waits: bool = False


@dataclass(slots=True)
class Story:
    """What happened."""

    done: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)
    last_part_s: float = 0.0


class Soak:
    """Starts workers, lets faults befall them, and starts others in their place."""

    def __init__(self, plan: Plan, home: Path, folder: Path, url: str) -> None:
        self._plan, self._home, self._folder, self._url = plan, home, folder, url
        self._left = {fault.number: fault for fault in plan.faults}
        self._hands: dict[int, Hand] = {}
        self._replaced: list[Hand] = []
        self._finished: set[int] = set()
        self._quiet_since = 0.0
        self.story = Story()

    def run(self, patience_s: float) -> Story:
        """Until every partition is through, or is not so long after the last fault."""
        for partition in range(self._plan.partitions):
            self._start(partition)
        try:
            while len(self._finished) < self._plan.partitions or self._replaced:
                if time.perf_counter() - self._quiet_since > patience_s:
                    self.story.failed.append(f"not through {patience_s:.0f} s after the last fault")
                    break
                for hand, word, number in self._heard():
                    self._answer(hand, word, number)
        finally:
            for hand in [*self._hands.values(), *self._replaced]:
                _end(hand)
        self.story.last_part_s = round(time.perf_counter() - self._quiet_since, 1)
        if self._left:
            self.story.failed.append(f"{len(self._left)} faults never came")
        return self.story

    def _start(self, partition: int) -> None:
        ours, theirs = processes.Pipe()
        left = [fault for fault in self._left.values() if fault.partition == partition]
        task = Task(
            url=self._url, folder=self._folder, partition=partition, batch=self._plan.batch, master=MASTER, faults=left
        )
        process = processes.Process(target=work, args=(task, theirs))
        process.start()
        theirs.close()
        self._hands[partition] = Hand(process, ours, partition)
        self._quiet_since = time.perf_counter()

    def _heard(self) -> Iterator[tuple[Hand, str, int]]:
        by_line = {hand.line: hand for hand in [*self._hands.values(), *self._replaced]}
        for line in connection.wait(list(by_line), timeout=1):
            hand = by_line[line]
            try:
                word, number = hand.line.recv()
            except (EOFError, ConnectionResetError):
                hand.process.join()
                word, number = "gone", hand.process.exitcode
            yield hand, word, number

    def _answer(self, hand: Hand, word: str, number: int) -> None:
        if word == "here":
            fault = self._left.pop(number)
            self.story.done[f"{fault.what} {fault.point}"] += 1
            {"kill": self._kill, "crash": self._crash, "replace": self._replace}[fault.what](hand, fault)
        elif word == "moved":
            for other in self._replaced:
                if other.partition == number and other.waits:
                    other.waits = False
                    other.line.send("go on")
        elif word == "done":
            self._finished.add(number)
        elif word == "fenced":
            self.story.done["kept out after it was replaced"] += 1
        elif word == "gone":
            self._forget(hand, number)
        else:
            self.story.failed.append(f"a worker of partition {hand.partition} was {word}")

    def _forget(self, hand: Hand, code: int) -> None:
        """Whoever is through ends by itself; an end of another kind is nobody's doing here, so it is a failure."""
        if code:
            self.story.failed.append(f"a worker of partition {hand.partition} ended with {code}")
            self._finished.add(hand.partition)
        if hand in self._replaced:
            self._replaced.remove(hand)
        elif self._hands.get(hand.partition) is hand:
            del self._hands[hand.partition]

    def _kill(self, hand: Hand, fault: Fault) -> None:
        if fault.point == ANYWHERE:
            time.sleep(fault.delay_s)
        _end(hand)
        self._start(hand.partition)

    def _replace(self, hand: Hand, fault: Fault) -> None:
        hand.waits = True
        self._replaced.append(hand)
        self._start(hand.partition)

    def _crash(self, hand: Hand, fault: Fault) -> None:
        """As `pg_ctl stop -m immediate`, or as the system does it when memory is short."""
        pid = embedded_supervisor.postmaster(embedded_place.Place(self._home / "postgres", None))
        if not pid:
            raise SystemExit("The database was not there to crash.")
        os.kill(pid, fault.signal)
        began = time.perf_counter()
        while _lives(pid):
            time.sleep(embedded_place.POLL_S)
        hand.line.send("go on")
        while not _answers(self._url):
            with embedded_postgres.start(self._home):  # its supervisor starts it a few times by itself, then gives up
                time.sleep(embedded_place.POLL_S)
        self.story.recoveries_s.append(round(time.perf_counter() - began, 1))
        self._quiet_since = time.perf_counter()


def _end(hand: Hand) -> None:
    with suppress(ProcessLookupError):
        os.kill(hand.process.pid, signal.SIGKILL)
    hand.process.join()
    hand.line.close()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def judged(desk: Desk, url: str, oracle: Oracle) -> dict[str, int]:
    """What is not as it must be, and how much was looked at."""
    found: Counter[str] = Counter(lost=0, doubled=0, wrong_values=0, wrong_members=0, values=0)
    with psycopg.connect(url) as connection:
        ids = [id_ for (id_,) in connection.execute("SELECT id FROM event")]
        states = dict(connection.execute("SELECT identity, state FROM profile").fetchall())
        members = dict(connection.execute("SELECT identity, customer FROM identity_member").fetchall())
    found["lost"] += len(oracle.ids.difference(ids))
    found["doubled"] += len(ids) - len(oracle.ids.intersection(ids))
    for who in oracle.values.keys() | states.keys():
        _compare(oracle.values.get(who, {}), stored.from_bytes(states.get(who, "{}")), found)
    wanted = oracle.members()
    found["values"] += len(wanted)
    found["wrong_members"] += len(wanted.items() ^ members.items())
    checked = rebuild.check(desk, Quiet())
    return {
        **found,
        "values_checked_against_a_rebuild": checked.values,
        "mismatches": checked.mismatches,
        "backlog": desk.warehouse.backlog().events,
    }


def _compare(wanted: Mapping[str, Any], state: State, found: Counter[str]) -> None:
    values = read.read([state], NOW_US + 1)
    more = int(values["events"] or 0) - wanted.get("events", 0)
    found["lost"] += max(0, -more)
    found["doubled"] += max(0, more)
    for name in NAMES:
        found["values"] += 1
        found["wrong_values"] += values[name] != wanted[name] if name in wanted else values[name] not in (None, 0)


def run(given: argparse.Namespace) -> dict[str, Any]:
    chance = Random(given.seed)
    plan = planned(given, chance)
    with measure.folder() as scratch:
        home = scratch / "home"
        ours = Settings(_env_file=None, home=home, master_key=SecretStr(b64encode(MASTER).decode())).model_copy(
            update=OWN
        )
        bodies = list(made_up(given.events, plan.customers, chance))
        sent = delivered(bodies, plan, chance, scratch)
        with bootstrap.store_of(ours) as running:
            began = time.perf_counter()
            story = Soak(plan, home, scratch, running.url).run(given.patience)
            seconds = time.perf_counter() - began
            with bootstrap.desk_of(ours) as desk:
                found = judged(desk, running.url, Oracle(bodies))
        measure.wait_until_stopped(home)
    return {
        "seed": given.seed,
        "events": given.events,
        "deliveries": sent,
        "customers": plan.customers,
        "partitions": plan.partitions,
        "batch": plan.batch,
        "seconds": round(seconds, 1),
        "deliveries_a_second": round(sent / seconds),
        "faults": dict(sorted(story.done.items())),
        "slowest_recovery_s": max(story.recoveries_s, default=0),
        "last_part_s": story.last_part_s,
        **found,
        "failed": story.failed,
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument(
        "--seed", type=int, default=secrets.randbelow(10**9), help="default: a new one, which is printed"
    )
    asked.add_argument("--events", type=int, default=1_000_000)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--crashes", type=int, default=10)
    asked.add_argument(
        "--patience", type=float, default=0, help="seconds for the rest after the last fault; 0: by the size"
    )
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    given = asked.parse_args()
    given.patience = given.patience or 60 + given.events / 500
    print(f"seed {given.seed}", file=sys.stderr)
    figures = run(given)
    measure.show("soak", figures, as_json=given.json)
    wrong = ("lost", "doubled", "wrong_values", "wrong_members", "mismatches", "backlog", "failed")
    if any(figures[name] for name in wrong):
        raise SystemExit(f"Not exactly once. The same again: --seed {given.seed}")


if __name__ == "__main__":
    main()
