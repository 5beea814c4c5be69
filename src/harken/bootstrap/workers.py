"""The desk -> workers that run beside a server, or alone."""

import asyncio
import threading
from collections.abc import Callable

from harken.adapters.jobs.working import Task, work
from harken.errors import TryAgainError
from harken.flow.agent_desk import AgentDesk
from harken.flow.agent_work import works
from harken.flow.audit_desk import AuditDesk


def run(url: str, desk: AgentDesk, audit: AuditDesk, stopped: threading.Event, say: Callable[[str], None]) -> None:
    """Until `stopped`; what is under way is finished first. A database that goes away is waited for."""
    tasks = [
        Task(name=each.name, do=each.do, last_resort=each.last_resort, every=each.every) for each in works(desk, audit)
    ]
    while not stopped.is_set():
        try:
            asyncio.run(_until(url, tasks, stopped))
        except TryAgainError as away:
            say(str(away))
            stopped.wait(away.after_s)


async def _until(url: str, tasks: list[Task], stopped: threading.Event) -> None:
    ended = asyncio.Event()
    waiting = asyncio.create_task(_watch(stopped, ended))
    try:
        await work(url, tasks, ended)
    finally:
        waiting.cancel()


async def _watch(stopped: threading.Event, ended: asyncio.Event) -> None:
    while not stopped.is_set():  # noqa: ASYNC110  the event is another thread's
        await asyncio.sleep(0.2)
    ended.set()
