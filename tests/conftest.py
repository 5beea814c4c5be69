"""A real PostgreSQL for each run -> an empty, migrated database for each test that asks; and no network."""

import base64
import contextlib
import gc
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import examples  # noqa: F401  its profiles
import psycopg
import pytest
import spark_cases
from clickhouse_server import USER as clickhouse_user
from journey import DEFAULT, QUICKEST, TOWN, desk_on, take_in
from kafka_cases import kafka  # noqa: F401  a fixture
from no_network import no_network  # noqa: F401  a fixture
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import AliasChoices

from harken.adapters import frames
from harken.adapters.warehouses import clickhouse
from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.kit import embedded_place, embedded_postgres
from harken.kit.clock import wall_clock
from harken.kit.migrate import migrate
from harken.settings import Settings

if TYPE_CHECKING:
    from harken.adapters.frames.on_spark import Cluster

NOON = datetime(2026, 3, 16, 12, tzinfo=UTC)

UNSAFE_BUT_QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "scram_iterations": "1",
}
"""A test's data need not outlive the power, but what was committed outlives a kill; and nobody guesses its passwords."""


MEMORY, ROOM_BYTES = Path("/dev/shm"), 2_000_000_000


def in_memory() -> Path | None:
    """Where files never wait for a disk; None, for the usual place, when there is no such folder or little room in it."""
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOM_BYTES else None


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter: pytest's own are closed, and as root the server runs as somebody else."""
    folder = Path(tempfile.mkdtemp(prefix="harken-tests-", dir=in_memory()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(open_folder: Path) -> Iterator[str]:
    """The owner's URL of this run's server (with pytest-xdist: of this worker's)."""
    home = open_folder / "run"
    with embedded_postgres.start(home, settings=UNSAFE_BUT_QUICK, elsewhere=open_folder / "elsewhere") as running:
        _administer(running.url, f"ALTER ROLE owner PASSWORD '{conninfo_to_dict(running.url)['password']}'")
        yield running.url
        _administrator(running.url).close()
    end_supervisor(running.folder)


@pytest.fixture(scope="session")
def _template(postgres_url: str) -> str:
    """The name of a database that has all migrations and no rows."""
    _administer(postgres_url, "CREATE DATABASE {}", "freshly_migrated")
    migrate(named(postgres_url, "freshly_migrated"))
    return "freshly_migrated"


_numbers = itertools.count(1)


@pytest.fixture
def store_url(postgres_url: str, _template: str) -> Iterator[str]:
    """The owner's URL of a database of this test alone, migrated and empty."""
    with fresh_store(postgres_url, _template) as url:
        yield url


@pytest.fixture
def another_store_url(postgres_url: str, _template: str) -> Iterator[str]:
    """A second one, to compare with."""
    with fresh_store(postgres_url, _template) as url:
        yield url


@contextlib.contextmanager
def fresh_store(url: str, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _administer(url, "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
    yield named(url, name)
    _administer(url, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def town_url(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A store that has the interactions of `journey.TOWN`, for tests that only read and decide."""
    with fresh_store(postgres_url, _template) as url:
        with desk_on(url, tmp_path_factory.mktemp("town"), engine=DEFAULT) as desk:
            take_in(desk, TOWN)
        yield url


@pytest.fixture(scope="session")
def clickhouse_server(open_folder: Path) -> Iterator[str]:
    """The URL of this run's ClickHouse, up to the database's name: the embedded engine behind HTTP."""
    password = "hush"
    command = [sys.executable, str(Path(__file__).with_name("clickhouse_server.py")), str(open_folder / "ch"), password]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"clickhouse://{clickhouse_user}:{password}@127.0.0.1:{process.stdout.readline().strip()}/"


@pytest.fixture
def clickhouse_url(clickhouse_server: str) -> Iterator[str]:
    """A database of this test alone, migrated and empty."""
    with fresh_clickhouse(clickhouse_server) as url:
        yield url


@contextlib.contextmanager
def fresh_clickhouse(server: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    owner = ClickHouse(server + "default")
    owner.execute(f"CREATE DATABASE {name}")
    with clickhouse.opened(server + name, wall_clock):
        yield server + name
    owner.execute(f"DROP DATABASE {name}")
    owner.close()


@pytest.fixture(params=["postgres", "clickhouse"])
def either_url(request: pytest.FixtureRequest) -> str:
    """An empty store of each kind."""
    return empty_store(request, request.param)


@pytest.fixture(params=["postgres", pytest.param("clickhouse", marks=pytest.mark.matrix)])
def journey_url(request: pytest.FixtureRequest) -> str:
    """The same, for whole journeys: those on ClickHouse are not among the quick tests."""
    return empty_store(request, request.param)


def empty_store(request: pytest.FixtureRequest, kind: str) -> str:
    url: str = request.getfixturevalue({"postgres": "store_url", "clickhouse": "clickhouse_url"}[kind])
    return url


@pytest.fixture(scope="session")
def clickhouse_town_url(clickhouse_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """As `town_url`, on ClickHouse."""
    with fresh_clickhouse(clickhouse_server) as url:
        with desk_on(url, tmp_path_factory.mktemp("town"), engine=DEFAULT) as desk:
            take_in(desk, TOWN)
        yield url


@pytest.fixture(scope="session", params=["postgres", "clickhouse"])
def either_town_url(request: pytest.FixtureRequest) -> str:
    """The town in each kind of store."""
    url: str = request.getfixturevalue({"postgres": "town_url", "clickhouse": "clickhouse_town_url"}[request.param])
    return url


@pytest.fixture(scope="session")
def spark_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of a Spark Connect server, which lives in the Java process of `cluster`."""
    found = spark_cases.free_port()
    server = {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": found,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_CONF_DIR", str(spark_cases.defaults(tmp_path_factory.mktemp("conf"), server)))
        yield found


@pytest.fixture(scope="session")
def cluster(spark_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Cluster"]:
    """One Java process for all tests."""
    home = tmp_path_factory.mktemp("spark")
    with frames.spark(home, master="local[2]", memory="1g", workers=2) as spark, spark.executors():
        yield spark


@pytest.fixture
def command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of this test have the key of `journey.MASTER`, a folder of their own and the engine that is quickest here."""
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HARKEN_MASTER_KEY", base64.b64encode(bytes(range(32))).decode())
    monkeypatch.setenv("DATA_ENGINE", QUICKEST)


@pytest.fixture
def empty_url(postgres_url: str) -> Iterator[str]:
    """The owner's URL of a database with nothing in it, for tests of migrations themselves."""
    name = f"test_{next(_numbers)}"
    _administer(postgres_url, "CREATE DATABASE {}", name)
    yield named(postgres_url, name)
    _administer(postgres_url, "DROP DATABASE {} WITH (FORCE)", name)


def end_supervisor(folder: Path, number: int = signal.SIGTERM) -> None:
    """Signal the supervisor of this folder, if there is one, and wait until it is gone."""
    lock = folder / embedded_place.SUPERVISOR
    while embedded_place.is_locked(lock):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(lock.read_text()), number)
        time.sleep(embedded_place.POLL_S)


def named(url: str, database: str, **changes: str) -> str:
    """The same server's URL for another database, or user, or password."""
    parts = {**conninfo_to_dict(url), "dbname": database, **changes}
    return "postgresql://{user}:{password}@{host}:{port}/{dbname}".format(**parts)


@cache
def _administrator(url: str) -> psycopg.Connection[Any]:
    """One for all databases that this run makes and drops."""
    return psycopg.connect(make_conninfo(url, dbname="postgres"), autocommit=True)


def _administer(url: str, statement: str, *names: str) -> None:
    _administrator(url).execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


def pytest_collection_finish() -> None:
    """What is imported and collected by now stays: the garbage collector need not look through it again and again."""
    gc.freeze()


def pytest_unconfigure() -> None:
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _fresh_machine() -> Iterator[None]:
    """The settings of whoever runs the tests, keys above all, are not the tests' settings."""
    with pytest.MonkeyPatch.context() as patch:
        for field in Settings.model_fields.values():
            assert isinstance(field.validation_alias, AliasChoices)
            for name in field.validation_alias.choices:
                patch.delenv(str(name), raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Python may not keep compiled modules, each process that a test starts would compile thousands anew."""
    if not sys.dont_write_bytecode:
        yield
        return
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONDONTWRITEBYTECODE", "")
        patch.setenv("PYTHONPYCACHEPREFIX", str(shared / "compiled"))
        yield
