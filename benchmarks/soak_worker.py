"""One partition of a stream -> the log, by the live path, in a process that may be killed at any point."""

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson

from benchmarks.soak_events import NOW, SOURCE
from harken.errors import TryAgainError
from harken.eventlog import registry
from harken.eventlog import store as eventlog
from harken.eventlog.store import Advance, FencedError
from harken.flow.desk import LiveDesk
from harken.flow.door import Door, Sent, arrive
from harken.flow.live import receive
from harken.kit import db
from harken.kit.clock import stopped_at
from harken.privacy.keys import MasterKey

PAUSE_S = 0.05
READING, RECEIVING, LOGGED, WRITTEN, COMMITTED, ANYWHERE = (
    "before the next read",
    "between reading and the transaction",
    "inside the transaction, the log written",
    "inside the transaction, everything written",
    "right after the commit",
    "anywhere",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that befalls the worker of a partition when it comes to an offset."""

    number: int
    what: str  #: kill, crash (of the database) or replace (by another worker, while it lives)
    partition: int
    at: int
    point: str
    delay_s: float = 0.0
    signal: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    url: str
    folder: Path
    partition: int
    batch: int
    master: bytes
    faults: Sequence[Fault]


def write_partition(folder: Path, partition: int, lines: Sequence[bytes]) -> None:
    """A file of lines, and where each begins."""
    starts = array("Q", [0])
    with (folder / f"{partition}.jsonl").open("wb") as file:
        for line in lines:
            file.write(line + b"\n")
            starts.append(file.tell())
    (folder / f"{partition}.starts").write_bytes(starts.tobytes())


@dataclass(slots=True)
class Worker:
    task: Task
    parent: Connection
    desk: LiveDesk
    armed: Fault | None = None
    met: set[int] = field(default_factory=set)

    def run(self) -> None:
        starts = array("Q")
        starts.frombytes((self.task.folder / f"{self.task.partition}.starts").read_bytes())
        end, expected, moved = len(starts) - 1, self._offset(), False
        with (self.task.folder / f"{self.task.partition}.jsonl").open("rb") as file:
            while (here := expected or 0) < end:
                upto = min(here + self.task.batch, end)
                self._arm(upto)
                self.reach(READING)
                file.seek(starts[here])
                lines = file.read(starts[upto] - starts[here]).splitlines()
                self.reach(RECEIVING)
                step = Advance(stream=SOURCE, partition=self.task.partition, expected=expected, upto=upto, newest=end)
                expected = upto if self._receive(lines, step) else self._offset()
                self.reach(COMMITTED)
                if not moved:
                    self.parent.send(("moved", self.task.partition))
                    moved = True
        self.parent.send(("done", self.task.partition))

    def _receive(self, lines: Sequence[bytes], step: Advance) -> bool:
        """False where another worker was quicker, be it we ourselves before an answer was lost."""
        sent = (Sent(body=orjson.loads(line), source=SOURCE, received_at=NOW) for line in lines)
        arrived = [arrive(each, self.desk.open_door()) for each in sent]
        while True:
            try:
                receive(arrived, self.desk, step)
            except FencedError:
                self._told_of("fenced")
                return False
            except TryAgainError:
                time.sleep(PAUSE_S)
            else:
                self._told_of("not fenced")
                return True

    def _told_of(self, what: str) -> None:
        """Whoever was replaced must be kept out, and then has nothing left to do."""
        if self.armed and self.armed.what == "replace":
            self.parent.send((what, self.armed.number))
            raise SystemExit

    def _offset(self) -> int | None:
        while True:
            try:
                with self.desk.database.statement() as tx:
                    return eventlog.offset(tx, SOURCE, self.task.partition)
            except TryAgainError:
                time.sleep(PAUSE_S)

    def _arm(self, upto: int) -> None:
        due = (fault for fault in self.task.faults if fault.at < upto and fault.number not in self.met)
        self.armed = next(due, None)
        if self.armed and self.armed.point == ANYWHERE:
            self.reach(ANYWHERE)

    def reach(self, point: str) -> None:
        """Where a fault waits at this point, its author is told; but for ANYWHERE nothing goes on before the answer."""
        if self.armed and self.armed.point == point and self.armed.number not in self.met:
            self.met.add(self.armed.number)
            self.parent.send(("here", self.armed.number))
            if point != ANYWHERE:
                self.parent.recv()


def work(task: Task, parent: Connection) -> None:
    """What a process does."""
    database = db.Database(task.url, size=2)
    door = Door(master=MasterKey(task.master), registry=registry.load())
    worker = Worker(task, parent, LiveDesk(
        database=database, master=door.master, clock=stopped_at(NOW), open_door=lambda: door, with_mood=False))  # fmt: skip
    for name, point in (("append", LOGGED), ("advance", WRITTEN)):
        setattr(eventlog, name, _then(getattr(eventlog, name), lambda point=point: worker.reach(point)))
    try:
        worker.run()
    finally:
        database.close()


def _then(does: Callable[..., Any], what: Callable[[], None]) -> Callable[..., Any]:
    @wraps(does)
    def does_and_then(*given: Any) -> Any:
        found = does(*given)
        what()
        return found

    return does_and_then
