"""Tasks and schedules -> a worker that does them until it is stopped; any number of workers share the work.

A job that fails is tried again, a little later each time. One that cannot be done at all (or that kills its worker every
time) ends with its task's last resort, so that nothing circles and nothing is lost. What a schedule starts is not tried
again: the schedule does that.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from procrastinate import App, JobContext, PsycopgConnector, exceptions
from procrastinate.jobs import Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from psycopg import AsyncConnection, sql
from psycopg_pool import PoolTimeout

from harken.errors import TryAgainError
from harken.kit import db
from harken.kit.log import logger

ATTEMPTS = 5
LAST_RESORT = "last resort"
SUSPECTS = "suspects"
"""A lock: what was under way when a worker died is done one at a time, so that what kills workers costs its neighbours one try."""

RAISE, RAISE_EVERY = "raise the dead", "* * * * * */5"
POLL_S = 0.5
"""Jobs that fall due later announce themselves to nobody."""

HEARTBEAT_S, DEAD_AFTER_S = 1.0, 6.0
STOP_WITHIN_S = 30.0
MOST_WAIT_S = 300

log = logger(__name__)
logging.getLogger("procrastinate").setLevel(
    logging.CRITICAL
)  # what failed is logged here, with its task and without its arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """`do(about)`: a ticket's id, or "" for what a schedule starts."""

    name: str
    do: Callable[[str], Awaitable[object]]
    last_resort: Callable[[str], Awaitable[object]] | None = None  #: after `ATTEMPTS`; None: the schedule tries again
    every: str = ""  #: cron, with seconds as a sixth field; empty: only when asked for
    alone: bool = True  #: one of a schedule's runs waits for the one before


class _Patience(BaseRetryStrategy):
    def __init__(self, task: Task) -> None:
        self._task = task

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        last = job.queue == LAST_RESORT
        if not last and job.attempts + 1 >= ATTEMPTS:
            return RetryDecision(queue=LAST_RESORT) if self._task.last_resort else None
        wait_s = exception.after_s if isinstance(exception, TryAgainError) else 1.0
        return RetryDecision(retry_in={"seconds": min(MOST_WAIT_S, round(wait_s * 2**job.attempts))})


async def work(url: str, tasks: Sequence[Task], stopped: asyncio.Event, *, concurrency: int = 4) -> None:
    """Until `stopped` is set; what is under way then is finished first. Raises TryAgainError where the database is away."""
    app = _app(url, tasks, concurrency)
    try:
        async with app.open_async():
            working = asyncio.create_task(_run(app, concurrency))
            stopping = asyncio.create_task(stopped.wait())
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            working.cancel()  # procrastinate takes this as: finish what is under way, begin nothing
            [ended] = await asyncio.gather(working, return_exceptions=True)
            if not stopped.is_set():
                raise TryAgainError(
                    "The worker lost its database. What was committed is kept; it goes on when the database is back."
                ) from ended
    except (exceptions.ConnectorException, PoolTimeout) as away:
        raise TryAgainError(
            "The database did not answer the worker. Nothing was lost; it goes on when the database is back."
        ) from away


async def _run(app: App, concurrency: int) -> None:
    await app.run_worker_async(
        concurrency=concurrency,
        fetch_job_polling_interval=POLL_S,
        shutdown_graceful_timeout=STOP_WITHIN_S,
        delete_jobs="successful",
        install_signal_handlers=False,
        update_heartbeat_interval=HEARTBEAT_S,
        stalled_worker_timeout=DEAD_AFTER_S,
    )


def _app(url: str, tasks: Sequence[Task], concurrency: int) -> App:
    connector = PsycopgConnector(
        conninfo=url,
        configure=_serve,
        min_size=0,
        max_size=concurrency + 4,
        timeout=db.CONNECT_TIMEOUT_S,
        kwargs={"application_name": "harken work"},
    )
    app = App(connector=connector)
    known = {task.name: task for task in tasks}
    known[RAISE] = Task(
        name=RAISE,
        do=partial(_raise_the_dead, app, known),
        every=RAISE_EVERY,
        alone=False,  # one that died in it would otherwise keep all others from finding the dead
    )
    for task in known.values():
        _register(app, task)
    return app


async def _serve(connection: AsyncConnection[Any]) -> None:
    """The rights of the role that serves, whoever logged in."""
    await connection.set_autocommit(True)
    await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(db.SERVING_ROLE)))


def _register(app: App, task: Task) -> None:
    async def run(context: JobContext, timestamp: int = 0, about: str = "") -> None:
        last = context.job.queue == LAST_RESORT
        try:
            await (task.last_resort if last and task.last_resort else task.do)(about)
        except Exception as failure:
            log.warning(
                "job_failed",
                task=task.name,
                attempt=context.job.attempts + 1,
                error=type(failure).__name__,
                why=_why(failure),
            )
            if task.every:
                return
            await _make_room(app, context.job)
            raise

    known = app.task(name=task.name, queue="work", pass_context=True, retry=_Patience(task))(run)
    if task.every:
        app.periodic(cron=task.every, queueing_lock=task.name, lock=task.name if task.alone else None)(known)


def _why(failure: BaseException) -> str:
    """Our own lines are written for people to read; others' may hold anything."""
    return str(failure) if isinstance(failure, TryAgainError) else ""


async def _make_room(app: App, job: Job) -> None:
    """It waits again, beside another that was asked for after it began: both are done, one after the other."""
    await app.connector.execute_query_async(
        "UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = %(id)s", id=job.id
    )


async def _raise_the_dead(app: App, tasks: dict[str, Task], about: str) -> None:
    """A worker that was killed left its jobs marked as under way."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_S):
        log.warning("job_of_a_dead_worker", task=job.task_name, attempt=job.attempts + 1)
        task = tasks.get(job.task_name)
        if task and task.every:
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
            continue
        spent = job.attempts + 1 >= ATTEMPTS and task and task.last_resort
        await _make_room(app, job)
        await app.job_manager.retry_job(job, queue=LAST_RESORT if spent else None, lock=SUSPECTS)
