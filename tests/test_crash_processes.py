"""Real processes with workers of their own, killed or interrupted: nothing is lost, and no worker is left behind."""

import base64
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from conftest import fresh_store
from crash_cases import PATIENCE_S, nothing_differs, quick, take_in, unread
from journey import Row, Steady, derived, one_of, rows_of, write_csv
from store_cases import crowd_of

from harken.flow import batch

KEY = base64.b64encode(bytes(range(32))).decode()


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
