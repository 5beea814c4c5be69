"""Jobs on a real database: asked for in a transaction, done once, tried again, and never lost."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from journey import one_of

from harken.adapters.jobs import ask, working
from harken.adapters.jobs.working import Task, work
from harken.errors import TryAgainError
from harken.kit.db import Database

LONG_AGO = datetime(2026, 3, 2, tzinfo=UTC)
MOST_S = 60

KILLED = """
import asyncio, os, signal, sys
from harken.adapters.jobs.working import Task, work

async def die(about: str) -> None:
    print(about, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(work(sys.argv[1], [Task(name="answer", do=die)], asyncio.Event()))
"""

KILLED_AT_TWO = """
import asyncio, os, signal, sys
from harken.adapters.jobs.working import Task, work

begun = []

async def die(about: str) -> None:
    begun.append(about)
    while len(begun) < 2:
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(work(sys.argv[1], [Task(name="answer", do=die)], asyncio.Event()))
"""

KILLED_WHILE_IT_LOOKED = """
import asyncio, os, signal, sys
from harken.adapters.jobs import working

began = asyncio.Event()

async def wait(about: str) -> None:
    print(about, flush=True)
    began.set()
    await asyncio.Event().wait()

async def die(*given: object) -> None:
    await began.wait()
    os.kill(os.getpid(), signal.SIGKILL)

working._raise_the_dead, working.RAISE_EVERY = die, "* * * * * *"
asyncio.run(working.work(sys.argv[1], [working.Task(name="answer", do=wait)], asyncio.Event()))
"""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "HEARTBEAT_S", 0.3)
    monkeypatch.setattr(working, "DEAD_AFTER_S", 2.0)
    monkeypatch.setattr(working, "RAISE_EVERY", "* * * * * *")
    monkeypatch.setattr("harken.kit.db.CONNECT_TIMEOUT_S", 2.0)


def asked(url: str, about: str, at: datetime = LONG_AGO) -> None:
    database = Database(url)
    with database.transaction() as tx:
        ask(tx, "answer", about, at)
    database.close()


async def until(url: str, done: Callable[[], bool], do: Callable[[str], Awaitable[object]], **more: Any) -> None:
    """Works until `done`."""
    stopped = asyncio.Event()
    working_ = asyncio.create_task(work(url, [Task(name="answer", do=do, **more)], stopped))
    async with asyncio.timeout(MOST_S):
        while not done() and not working_.done():  # noqa: ASYNC110  what is waited for is not all in this loop
            await asyncio.sleep(0.02)
    stopped.set()
    await working_


async def test_what_is_asked_for_twice_before_it_begins_is_done_once(store_url: str) -> None:
    for about in ("one", "one", "two", "one"):
        asked(store_url, about)
    seen: list[str] = []

    async def do(about: str) -> None:
        seen.append(about)

    await until(store_url, lambda: len(seen) >= 2, do)

    assert sorted(seen) == ["one", "two"]
    assert one_of(store_url, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'answer'") == 0


async def test_what_is_undone_was_never_asked_for(store_url: str) -> None:
    database = Database(store_url)

    def undone() -> None:
        with database.transaction() as tx:
            ask(tx, "answer", "one", LONG_AGO)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    with database.transaction() as tx:
        ask(tx, "answer", "two", LONG_AGO)
        ask(tx, "answer", "two", LONG_AGO)
        assert tx.execute("SELECT 1").fetchone(), "the transaction goes on after a second asking"
    database.close()

    assert one_of(store_url, "SELECT array_agg(args->>'about') FROM procrastinate_jobs") == ["two"]


async def test_two_jobs_about_one_thing_never_run_side_by_side(store_url: str) -> None:
    asked(store_url, "one")
    under_way, most, done = 0, 0, 0

    async def do(about: str) -> None:
        nonlocal under_way, most, done
        under_way += 1
        most = max(most, under_way)
        if done == 0:
            await asyncio.to_thread(asked, store_url, "one")  # the customer spoke again
        await asyncio.sleep(0.3)
        under_way -= 1
        done += 1

    await until(store_url, lambda: done == 2, do)
    assert most == 1


async def test_about_nothing_in_particular_what_is_slow_holds_up_nothing(store_url: str) -> None:
    asked(store_url, "")
    begun, second = 0, asyncio.Event()

    async def do(about: str) -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            await asyncio.to_thread(asked, store_url, "")
            await asyncio.wait_for(second.wait(), MOST_S)
        second.set()

    await until(store_url, lambda: begun == 2, do)


async def test_what_fails_is_tried_again_and_ends_with_its_last_resort(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "MOST_WAIT_S", 0)
    asked(store_url, "one")
    tried: list[str] = []
    given_up: list[str] = []

    async def do(about: str) -> None:
        tried.append(about)
        raise TryAgainError("Not now.") if len(tried) % 2 else ValueError("a bug")

    async def last_resort(about: str) -> None:
        given_up.append(about)
        if len(given_up) == 1:
            raise TryAgainError("The database was away.")

    await until(store_url, lambda: len(given_up) == 2, do, last_resort=last_resort)

    assert tried == ["one"] * working.ATTEMPTS
    assert one_of(store_url, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'answer'") == 0


async def test_what_fails_while_it_is_asked_for_anew_is_tried_again_and_the_new_one_is_done_too(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "MOST_WAIT_S", 0)
    asked(store_url, "one")
    tried = 0

    async def do(about: str) -> None:
        nonlocal tried
        tried += 1
        if tried == 1:
            await asyncio.to_thread(asked, store_url, "one")  # the customer spoke again
            raise TryAgainError("Not now.")

    await until(store_url, lambda: tried == 3, do)
    assert one_of(store_url, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'answer'") == 0


@pytest.mark.parametrize("every", ["", "* * * * * *"], ids=["asked for", "scheduled"])
async def test_the_job_of_a_killed_worker_that_waits_a_second_time(store_url: str, every: str) -> None:
    """Of a schedule only the new one is done; what was asked for is owed twice. The dead of other tasks are found all the same."""
    asked(store_url, "one")
    asked(store_url, "two")
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED_AT_TWO, store_url, stdout=subprocess.DEVNULL
    )
    assert await asyncio.wait_for(killed.wait(), MOST_S) == -signal.SIGKILL
    asked(store_url, "one")
    asked(store_url, "two")
    seen: list[str] = []

    async def do(about: str) -> None:
        seen.append(about)

    def done() -> bool:
        left = one_of(store_url, "SELECT count(*) FROM procrastinate_jobs WHERE args->>'about' IN ('one', 'two')")
        return int(left) == 0

    await until(store_url, done, do, every=every)
    assert sorted(filter(None, seen)) == (["one", "two"] if every else ["one", "one", "two", "two"])


@pytest.mark.parametrize("script", [KILLED, KILLED_WHILE_IT_LOOKED], ids=["at work", "while it looked for the dead"])
async def test_the_job_of_a_killed_worker_is_done_by_another(store_url: str, script: str) -> None:
    asked(store_url, "one")
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", script, store_url, stdout=subprocess.PIPE)
    printed, _ = await asyncio.wait_for(killed.communicate(), MOST_S)
    assert (killed.returncode, printed) == (-signal.SIGKILL, b"one\n")
    seen: list[str] = []

    async def do(about: str) -> None:
        seen.append(about)

    await until(store_url, lambda: bool(seen), do)
    assert seen == ["one"]


async def test_a_worker_that_is_stopped_finishes_what_it_began(store_url: str) -> None:
    asked(store_url, "one")
    began, ended = asyncio.Event(), asyncio.Event()

    async def do(about: str) -> None:
        began.set()
        await asyncio.sleep(0.5)
        ended.set()

    await until(store_url, began.is_set, do)
    assert ended.is_set()


async def test_a_schedule_runs_and_what_lies_ahead_waits(store_url: str) -> None:
    asked(store_url, "tomorrow", datetime.now(UTC) + timedelta(days=1))
    seen: list[str] = []

    async def do(about: str) -> None:
        seen.append(about)

    await until(store_url, lambda: len(seen) >= 2, do, every="* * * * * *")
    assert set(seen) == {""}


async def test_without_its_database_a_worker_says_so(store_url: str) -> None:
    async def do(about: str) -> None:
        raise AssertionError

    with pytest.raises(TryAgainError, match="database"):
        await work(store_url.replace("@127.0.0.1", "@127.0.0.9"), [Task(name="answer", do=do)], asyncio.Event())
