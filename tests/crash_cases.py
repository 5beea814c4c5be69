"""What the tests of crashes share: processes that can be killed, progress that kills, and the town as it is when nothing happens."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import fresh_store
from journey import TOWN, Row, Steady, derived, write_csv
from journey import quick as quick_desk

from harken.domain.run import IngestReport
from harken.flow import batch, rebuild
from harken.flow.batch import Source
from harken.flow.desk import Desk

BLOCK_ROWS = 4
PATIENCE_S = 60

# What is killed is a process of its own, forked from one that has imported all this once and opened nothing.
processes = get_context("forkserver")
processes.set_forkserver_preload(
    ["pytest", "harken.bootstrap", "harken.flow.rebuild", "harken.adapters.frames.on_polars", "pandas", "act_worker"]
)


class Dies:
    """Progress that ends the process as kill -9 does: when a step begins, or so many advances into it."""

    def __init__(self, step: str, advances: int) -> None:
        self._wanted = step
        self._left = advances
        self._step = ""

    def step(self, name: str, total: int | None = None) -> None:
        self._step = name
        self._die(0)

    def advance(self, rows: int) -> None:
        self._left -= self._step == self._wanted
        self._die(1)

    def _die(self, least: int) -> None:
        if self._step == self._wanted and self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Does:
    """Progress that does something once, when a step begins."""

    def __init__(self, step: str, what: Callable[[], None]) -> None:
        self._wanted: str | None = step
        self._what = what

    def step(self, name: str, total: int | None = None) -> None:
        if name == self._wanted:
            self._wanted = None
            self._what()

    def advance(self, rows: int) -> None: ...


def quick(url: str, home: Path, block_rows: int = BLOCK_ROWS) -> AbstractContextManager[Desk]:
    """What is killed when does not depend on the engine."""
    return quick_desk(url, home, block_rows=block_rows)


def unread(path: Path) -> Source:
    """Without language and sentiment, whose models every killed process would load anew."""
    return Source(path=path, format="twcs", with_mood=False)


def take_in(desk: Desk, rows: list[Row], name: str = "town.csv") -> IngestReport:
    desk.home.mkdir(parents=True, exist_ok=True)
    return batch.ingest(unread(write_csv(desk.home / name, rows)), desk, Steady())


def ingest_until_killed(url: str, home: Path, path: Path, step: str, advances: int) -> None:
    with quick(url, home) as desk:
        batch.ingest(unread(path), desk, Dies(step, advances))


def kill(url: str, home: Path, path: Path, step: str, advances: int = 0) -> None:
    """Ingest in a process that is killed at this step."""
    process = processes.Process(target=ingest_until_killed, args=(url, home, path, step, advances))
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL, f"{step}: ended with {process.exitcode}"


def nothing_differs(desk: Desk) -> None:
    assert rebuild.check(desk, Steady()).mismatches == 0


@pytest.fixture(name="expected", scope="module")
def undisturbed(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The tables after an undisturbed run."""
    with fresh_store(postgres_url, _template) as url, quick(url, tmp_path_factory.mktemp("calm")) as desk:
        take_in(desk, TOWN)
        return derived(url)


def end_connections(url: str, application: str = "harken%") -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE %s",
            (application,),
        )
