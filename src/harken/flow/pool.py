"""Work for several processes, in order, a bounded number of pieces under way."""

import asyncio
import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cached_property, partial
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import TYPE_CHECKING, Protocol, TypeVar

from harken.decide.ports import Writer
from harken.errors import TryAgainError
from harken.flow.desk import Bench, Desk
from harken.flow.ports import Warehouse
from harken.kit import ctrl_c, without_pandas

if TYPE_CHECKING:
    from harken.decide.policy import Policy  # see `desk.py`

Task = TypeVar("Task")
Result = TypeVar("Result")

PIECES_AHEAD = 2
"""Pieces waiting per worker: enough to keep it busy, few enough to keep memory flat."""


OBJECTS_BEFORE_A_LOOK = 100_000
"""For the collector of circular garbage: the default is 700."""


class Seat:
    """Where a worker process sits: what it needs, opened once, when first used."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    @cached_property
    def warehouse(self) -> Warehouse:
        return self.bench.open_warehouse()

    @cached_property
    def policy(self) -> "Policy":
        return self.bench.load_policy()

    @cached_property
    def writer(self) -> Writer:
        return self.bench.open_writer()

    @cached_property
    def loop(self) -> asyncio.Runner:
        """One event loop for all the pieces of a process: a writer's connections live in it."""
        return asyncio.Runner()

    async def let_the_writer_go(self) -> None:
        """In the loop in which it wrote: its connections live there."""
        if "writer" in vars(self):
            await self.writer.close()

    def leave(self) -> None:
        """Close what was opened here."""
        opened = vars(self)
        if "loop" in opened:
            self.loop.run(self.let_the_writer_go())
            self.loop.close()
        if "warehouse" in opened:
            self.warehouse.close()


_seats: list[Seat] = []


def seat() -> Seat:
    """This process's seat."""
    assert _seats, "called outside a worker"
    return _seats[-1]


def _sit_down(at: Bench) -> None:
    attend()
    _seats.append(Seat(at))


def attend() -> None:
    """What every worker process begins with."""
    # Ctrl-C reaches the whole group of processes; the parent says it once and tells the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    without_pandas.spare_pandas()
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    """Who was killed tells nobody, and its workers would wait for work for ever."""
    parent = parent_process()
    assert parent is not None, "called outside a worker"
    parent.join()
    os._exit(1)  # open transactions roll back


class Visit:
    """A piece in a process that somebody else keeps: the first one takes the seat, and those that follow find it."""

    at: bytes = b""  #: the bench of this process's seat

    @classmethod
    def do(cls, bench: bytes, work: Callable[[Task], Result], task: Task) -> Result:
        """`bench` pickled: another one, of another run, has the seat cleared first."""
        if cls.at != bench:
            while _seats:
                _seats.pop().leave()
            without_pandas.spare_pandas()
            _seats.append(Seat(pickle.loads(bench)))
            cls.at = bench
        return work(task)


class Crew(Protocol):
    """Whoever does the pieces."""

    def each(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in the order of the tasks."""
        ...


class Alone:
    """Does every piece here: for one worker, and for a writer that asks a model, whose limits are one process's."""

    def __init__(self, at: Seat) -> None:
        self._seat = at

    def each(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        _seats.append(self._seat)
        try:
            yield from map(work, tasks)
        finally:
            _seats.remove(self._seat)


class Pool:
    def __init__(self, executor: Executor, workers: int, bench: bytes = b"") -> None:
        self._executor = executor
        self._bench = bench  # pickled, where the processes are not ours
        self._ahead = workers * PIECES_AHEAD

    def each(self, work: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        waiting: deque[Future[Result]] = deque()
        seated = partial(Visit.do, self._bench, work) if self._bench else work
        # Who leaves early leaves the rest to the executor: it cancels what waits when it is shut down. A piece that we
        # cancelled ourselves would make its thread stumble where the workers die in the same moment (Python 3.11).
        try:
            for task in tasks:
                with ctrl_c.held_back():  # from a process that is still being started
                    waiting.append(self._executor.submit(seated, task))
                ctrl_c.is_heard()
                if len(waiting) > self._ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as died:
            raise TryAgainError(
                "A worker process was killed (out of memory?). What was committed is kept; run the same command again, "
                "with fewer WORKERS or a smaller HARKEN_BLOCK_ROWS where memory is short."
            ) from died


@contextmanager
def crew_of(desk: Desk) -> Iterator[Crew]:
    """Those whom the desk's engine brings, or processes of this machine."""
    if desk.executors is None:
        with crew(desk.workers, desk.bench) as here:
            yield here
        return
    with desk.executors() as elsewhere:
        yield Pool(elsewhere, desk.workers, pickle.dumps(desk.bench))


@contextmanager
def crew(count: int, at: Bench) -> Iterator[Crew]:
    """`count` processes, each with its own bench; one is this process."""
    if count > 1:
        with _processes(count, at) as together:
            yield together
        return
    here = Seat(at)
    try:
        yield Alone(here)
    finally:
        here.leave()


@contextmanager
def _processes(count: int, at: Bench) -> Iterator[Pool]:
    """Spawned, never forked: engines and drivers keep threads."""
    executor = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_sit_down, initargs=(at,))
    try:
        yield Pool(executor, count)
    except BaseException:
        # Nobody wants the pieces under way any more; what they have not committed rolls back.
        for process in active_children():
            process.terminate()
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
