"""Killed, crowded out or cut off at any moment, and run again: nothing is lost, nothing is there twice."""

import base64
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import fresh_store
from journey import TOWN, Row, Steady, derived, one_of, rows_of, write_csv
from journey import quick as quick_desk
from store_cases import crowd_of

from harken.adapters.warehouses import clickhouse
from harken.adapters.warehouses.clickhouse import turn as lease
from harken.adapters.warehouses.postgres import warehouse
from harken.domain.run import IngestReport
from harken.errors import TryAgainError
from harken.flow import appending, batch, pool, predict, rebuild
from harken.flow.batch import Source
from harken.flow.desk import Desk
from harken.flow.predict import Asked
from harken.kit.clock import wall_clock

BLOCK_ROWS = 4
KEY = base64.b64encode(bytes(range(32))).decode()
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


@pytest.fixture(scope="module")
def expected(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The tables after an undisturbed run."""
    with fresh_store(postgres_url, _template) as url, quick(url, tmp_path_factory.mktemp("calm")) as desk:
        take_in(desk, TOWN)
        return derived(url)


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """On ClickHouse a killed batch keeps its turn until its lease is over."""
    monkeypatch.setattr(lease, "LEASE_S", 1)
    monkeypatch.setattr(lease, "BEAT_S", 0.2)


STEPS = {
    "before the first block": ("sealing and appending", 0),
    "between two blocks": ("sealing and appending", 2),
    "between append and settle": ("conversations", 0),
    "inside settle, conversations": ("conversations", 1),
    "inside settle, profiles": ("profiles", 0),
    "between settle's commit and the end": ("counting", 0),
}


@pytest.mark.parametrize("moment", STEPS)
def test_killed_and_run_again(
    journey_url: str, short_lease: None, tmp_path: Path, expected: dict[str, Any], moment: str
) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)
    kill(journey_url, tmp_path, path, *STEPS[moment])

    with quick(journey_url, tmp_path) as desk:
        report = batch.ingest(unread(path), desk, Steady())

    assert report.resumed is (moment != "between settle's commit and the end")
    assert report.accepted + report.duplicates == len(TOWN)
    assert derived(journey_url) == expected
    assert one_of(journey_url, "SELECT count(*) FROM ingest_run WHERE state <> 'done'") == 0
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize("ask_first", [False, True])
def test_a_block_that_is_done_twice_is_in_once(journey_url: str, tmp_path: Path, *, ask_first: bool) -> None:
    """As when an executor is lost after the commit and before it could report: the second report is the first."""
    blocks: list[Any] = []

    class Twice(pool.Alone):
        def each(self, work: Callable[[Any], Any], tasks: Any) -> Iterator[Any]:
            for task in tasks:
                again = replace(task, ask_first=ask_first) if work is appending.append_block else task
                blocks.append(task)
                list(super().each(work, [again]))
                yield from super().each(work, [again])

    with quick(journey_url, tmp_path) as desk, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "Alone", Twice)
        report = take_in(desk, TOWN)
        checked = rebuild.check(desk, Steady())

    assert blocks
    assert (report.accepted, report.duplicates) == (len(TOWN), 0)
    assert checked.mismatches == 0


@pytest.mark.matrix
@pytest.mark.parametrize("moment", ["between two blocks", "inside settle, profiles"])
def test_an_embedded_clickhouse_killed_and_run_again(tmp_path: Path, expected: dict[str, Any], moment: str) -> None:
    url, path = f"chdb://{tmp_path / 'embedded'}", write_csv(tmp_path / "town.csv", TOWN)
    with clickhouse.opened(url, wall_clock):
        pass  # migrated, and left to the process that is killed
    kill(url, tmp_path, path, *STEPS[moment])
    with clickhouse.opened(url, wall_clock), quick(url, tmp_path) as desk:
        assert batch.ingest(unread(path), desk, Steady()).rows_read == len(TOWN)
        nothing_differs(desk)
        assert derived(url) == expected


def test_killed_again_and_again(journey_url: str, short_lease: None, tmp_path: Path, expected: dict[str, Any]) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)
    for step, advances in (("sealing and appending", 1), ("sealing and appending", 2), ("profiles", 0)):
        kill(journey_url, tmp_path, path, step, advances)

    with quick(journey_url, tmp_path) as desk:
        report = batch.ingest(unread(path), desk, Steady())
        nothing_differs(desk)

    assert (report.accepted, report.duplicates, report.resumed) == (len(TOWN), 0, True)
    assert derived(journey_url) == expected


def test_a_file_that_grew_after_the_kill_settles_what_was_left(
    store_url: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    """The old content never comes again, so nobody resumes its run: the next batch folds it in."""
    short = write_csv(tmp_path / "short.csv", TOWN[:7])
    kill(store_url, tmp_path, short, "conversations")

    with quick(store_url, tmp_path) as desk:
        report = take_in(desk, TOWN, "grown.csv")
        nothing_differs(desk)
        again = batch.ingest(unread(short), desk, Steady())

    assert (report.accepted, report.duplicates, report.resumed) == (len(TOWN) - 7, 7, False)
    assert (again.accepted, again.duplicates) == (0, 7)
    assert derived(store_url) == expected


def test_the_same_file_read_in_another_way_is_another_run(store_url: str, tmp_path: Path) -> None:
    swapped = {"tweet_id": "in_response_to_tweet_id", "in_response_to_tweet_id": "tweet_id"}
    path = write_csv(tmp_path / "town.csv", TOWN)
    kill(store_url, tmp_path, path, "conversations")

    with quick(store_url, tmp_path) as desk:
        report = batch.ingest(replace(unread(path), columns=swapped), desk, Steady())
        nothing_differs(desk)

    assert report.resumed is False


def test_a_rebuild_between_the_kill_and_the_second_run_counts_nothing_twice(
    store_url: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)
    kill(store_url, tmp_path, path, "sealing and appending", 2)

    with quick(store_url, tmp_path) as desk:
        rebuild.rebuild(desk, Steady())
        report = batch.ingest(unread(path), desk, Steady())
        nothing_differs(desk)

    assert report.duplicates == 2 * BLOCK_ROWS
    assert derived(store_url) == expected


def test_one_batch_at_a_time_and_decisions_meanwhile(
    store_url: str, tmp_path: Path, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warehouse, "TURN_WAIT_S", 0.2)
    refused: list[str] = []
    decided: list[int] = []

    def crowd() -> None:
        with quick(store_url, tmp_path / "another") as other:
            for attempt in (
                lambda: take_in(other, TOWN[:3], "other.csv"),
                lambda: rebuild.rebuild(other, Steady()),
                lambda: rebuild.check(other, Steady()),
            ):
                with pytest.raises(TryAgainError) as told:
                    attempt()
                refused.append(str(told.value))
            decided.append(predict.predict(Asked(), tmp_path / "meanwhile.csv", other, Steady()).decisions)

    with quick(store_url, tmp_path) as desk:
        take_in(desk, TOWN[:5], "first.csv")
        path = write_csv(tmp_path / "town.csv", TOWN)
        batch.ingest(unread(path), desk, Does("profiles", crowd))

    assert len(refused) == 3
    assert all(line.startswith("Another batch is writing to this store.") for line in refused)
    assert decided[0] >= 1
    assert derived(store_url) == expected


def end_connections(url: str, application: str = "harken%") -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE %s",
            (application,),
        )


@pytest.mark.parametrize("step", ["sealing and appending", "profiles", "counting"])
def test_the_database_went_away_for_a_moment(
    store_url: str, tmp_path: Path, expected: dict[str, Any], step: str
) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)
    with quick(store_url, tmp_path) as desk:
        with contextlib.suppress(TryAgainError):  # where it was between two transactions, nobody noticed
            batch.ingest(unread(path), desk, Does(step, lambda: end_connections(store_url, "%")))
        batch.ingest(unread(path), desk, Steady())

    assert derived(store_url) == expected


def test_a_lost_turn_settles_nothing(store_url: str, tmp_path: Path, expected: dict[str, Any]) -> None:
    """A server that was restarted has forgotten whose turn it is: another batch may have settled meanwhile."""
    path = write_csv(tmp_path / "town.csv", TOWN)
    lose = Does("profiles", lambda: end_connections(store_url, "harken batch"))
    with quick(store_url, tmp_path) as desk:
        with pytest.raises(TryAgainError, match="restarted meanwhile"):
            batch.ingest(unread(path), desk, lose)
        assert derived(store_url)["profile"] == []
        batch.ingest(unread(path), desk, Steady())

    assert derived(store_url) == expected


# Real processes


@contextlib.contextmanager
def ingesting(url: str, home: Path, path: Path) -> Iterator["subprocess.Popen[str]"]:
    """`harken ingest` with two workers, in a session of its own."""
    settings = {"HARKEN_HOME": str(home), "HARKEN_MASTER_KEY": KEY, "HARKEN_BLOCK_ROWS": "100", "WORKERS": "2"}
    process = subprocess.Popen(
        [sys.executable, "-m", "harken", "ingest", str(path), "--store", url, "--json", "--no-mood"],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_until(what: Callable[[], Any]) -> Any:
    until = time.monotonic() + PATIENCE_S
    while not (found := what()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
    return found


def blocks(url: str) -> int:
    return int(one_of(url, "SELECT count(*) FROM ingest_block"))


@contextlib.contextmanager
def standing_still(url: str, after: int) -> Iterator[None]:
    """An ingestion that has committed so many blocks waits with its next one, however fast it is."""
    with psycopg.connect(url, autocommit=True) as holds:
        holds.execute(
            f"CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" IF (SELECT count(*) FROM ingest_block) = {after} THEN PERFORM pg_advisory_xact_lock(1); END IF;"
            f" RETURN NEW; END $$"
        )
        holds.execute(
            "CREATE OR REPLACE TRIGGER waits BEFORE INSERT ON ingest_block FOR EACH ROW EXECUTE FUNCTION wait()"
        )
        holds.execute("SELECT pg_advisory_lock(1)")
        yield


def waits(url: str) -> bool:
    """Somebody does, for the lock of `standing_still`."""
    waiting = (
        "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE d.datname = current_database() AND locktype = 'advisory' AND objid = 1 AND NOT granted"
    )
    return int(one_of(url, waiting)) > 0


def workers_of(process: "subprocess.Popen[str]") -> list[int]:
    """The processes of its session that work; in the order in which they began."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            session = folder.joinpath("stat").read_text().rpartition(")")[2].split()[3]
            if int(session) == process.pid and b"spawn_main" in folder.joinpath("cmdline").read_bytes():
                found.append(int(folder.name))
    return sorted(found)


only_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")


@pytest.fixture(scope="module")
def expected_crowd(
    postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Row], dict[str, Any]]:
    rows = crowd_of(2_500)
    with fresh_store(postgres_url, _template) as url, quick(url, tmp_path_factory.mktemp("calm"), 1000) as desk:
        take_in(desk, rows)
        return rows, derived(url)


@only_linux
def test_real_kills(store_url: str, expected_crowd: tuple[list[Row], dict[str, Any]], tmp_path: Path) -> None:
    rows, expected = expected_crowd
    path = write_csv(tmp_path / "crowd.csv", rows)

    with standing_still(store_url, after=2), ingesting(store_url, tmp_path, path) as parent:
        wait_until(lambda: waits(store_url))
        os.kill(parent.pid, signal.SIGKILL)
        wait_until(lambda: not workers_of(parent))  # orphans would wait for work for ever
    assert blocks(store_url) == 2

    goes_on = contextlib.ExitStack()
    goes_on.enter_context(standing_still(store_url, after=4))
    with goes_on, ingesting(store_url, tmp_path, path) as worker_lost:
        wait_until(lambda: waits(store_url))
        os.kill(workers_of(worker_lost)[0], signal.SIGKILL)
        goes_on.close()
        out, err = worker_lost.communicate(timeout=PATIENCE_S)
        assert (worker_lost.returncode, out) == (1, "")
        assert "harken: A worker process was killed" in err
        assert len(err.splitlines()) == 1
        assert not workers_of(worker_lost)

    with quick(store_url, tmp_path, 100) as desk:
        report = batch.ingest(unread(path), desk, Steady())
        nothing_differs(desk)
    assert derived(store_url) == expected
    assert report.accepted + report.duplicates == len(rows)
    assert rows_of(store_url, "SELECT sum(inserted) AS n FROM ingest_block")[0]["n"] == len(rows)


@only_linux
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_with_its_workers(store_url: str, tmp_path: Path, number: signal.Signals) -> None:
    """The signal reaches the whole group, workers that are still importing among them."""
    path = write_csv(tmp_path / "crowd.csv", crowd_of(600))

    with ingesting(store_url, tmp_path, path) as process:
        wait_until(lambda: workers_of(process))
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert not workers_of(process)

    assert (process.returncode, out) == (1, "")
    assert err.strip() == "harken: Interrupted. What was committed is kept; the same command continues from there."
    assert list((tmp_path / "spool").iterdir()) == []
    assert one_of(store_url, "SELECT state FROM ingest_run") == "failed"
