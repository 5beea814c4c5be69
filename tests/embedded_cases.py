"""Embedded servers for the tests: a home, whoever uses it, and what is seen from outside."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from conftest import UNSAFE_BUT_QUICK, end_supervisor

from harken.kit import embedded_place as places
from harken.kit import embedded_postgres
from harken.kit.embedded_place import Account
from harken.kit.embedded_postgres import Running, start

PATIENCE_S = 30
CLIENT = """
import sys
from pathlib import Path
from harken.kit.embedded_postgres import start

running = start(Path(sys.argv[1]))
print(running.url, running.note, sep="|", flush=True)
sys.stdin.read()
"""


@pytest.fixture(name="home")
def home_to_be(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A home that does not exist yet, where every user may enter."""
    home = open_folder / request.node.name / "home"
    yield home
    end_supervisor(home / "postgres", signal.SIGKILL)
    shutil.rmtree(home.parent, ignore_errors=True)


def begin(home: Path) -> Running:
    return start(home, settings=UNSAFE_BUT_QUICK, elsewhere=home.parent / "elsewhere")


def until(holds: Callable[[], object]) -> None:
    waited = places.stopwatch()
    while not holds():
        assert waited() < PATIENCE_S
        time.sleep(places.POLL_S)


def supervisor_of(home: Path) -> int:
    return int((home / "postgres" / places.SUPERVISOR).read_text())


def is_served(home: Path) -> bool:
    """Whether a supervisor, or any process of a server, is left."""
    return any(places.is_locked(home / "postgres" / name) for name in (places.SUPERVISOR, places.SERVER))


def put(url: str, word: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS word (word text)")
        connection.execute("INSERT INTO word VALUES (%s)", [word])


@contextmanager
def client(
    home: Path, python: str = sys.executable, account: Account | None = None
) -> "Iterator[subprocess.Popen[str]]":
    """Another process that uses the server until its standard input is closed."""
    source = Path(embedded_postgres.__file__).parents[2]
    process = subprocess.Popen(
        [python, "-c", CLIENT, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join([str(source), *(path for path in sys.path if path.endswith("-packages"))])},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    with process:
        yield process
        process.kill()


def heard(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().partition("|")[0]
