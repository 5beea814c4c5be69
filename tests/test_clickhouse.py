"""What ClickHouse alone has: addresses, its lease, the embedded engine, and its lines for people."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import fresh_clickhouse
from journey import ADA, NOW, TOWN, derived, harken, one_of, quick, take_in, write_csv
from store_cases import block, request

from harken import bootstrap
from harken.adapters.warehouses import clickhouse
from harken.adapters.warehouses.clickhouse import address, migrating, turn
from harken.adapters.warehouses.clickhouse.address import Folder, Server
from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.errors import TryAgainError, UnsuitableError
from harken.kit.clock import wall_clock

HOLDS_IT = """
import sys
from harken.adapters.warehouses import clickhouse
from harken.kit.clock import wall_clock
with clickhouse.opened(sys.argv[1], wall_clock):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def embedded_url(tmp_path: Path) -> str:
    """A store in a folder of this test alone, which nobody has opened yet."""
    return f"chdb://{tmp_path / 'embedded'}"


def harken_anew(*words: object, **more: str) -> "subprocess.CompletedProcess[str]":
    """A command in a process of its own: an embedded engine belongs to one."""
    command = [sys.executable, "-m", "harken", *map(str, words)]
    return subprocess.run(command, env={**os.environ, **more}, capture_output=True, text=True, check=False)


# Addresses


def server(
    host: str, port: int, user: str = "default", password: str = "", database: str = "default", *, secure: bool = False
) -> Server:
    return Server(host=host, port=port, user=user, password=password, database=database, secure=secure)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("clickhouse://h", server("h", 8123)),
        ("clickhouse://u:p%40ss%2F@h:9000/d", server("h", 9000, "u", "p@ss/", "d")),
        ("clickhouse://u:p@h:8443/d", server("h", 8443, "u", "p", "d", secure=True)),
        ("clickhouse://h/d?secure=true", server("h", 8443, database="d", secure=True)),
    ],
)
def test_a_servers_url(url: str, meant: Server) -> None:
    assert address.read(url) == meant
    assert "p@ss" not in repr(address.read(url))


def test_a_folders_url() -> None:
    assert address.read("chdb:///var/lib/harken%20two") == Folder("/var/lib/harken two")


@pytest.mark.parametrize(
    "url", ["chdb://", "clickhouse://", "clickhouse://u:SECRET@h:port/d", "clickhouse://[u:SECRET@h"]
)
def test_a_url_that_means_nothing_is_not_repeated(url: str) -> None:
    with pytest.raises(UnsuitableError, match="clickhouse://USER:PASSWORD@HOST") as refused:
        address.read(url)

    assert "SECRET" not in str(refused.value)


# What people are told


def told(url: str) -> str:
    """The one line of a command that was refused."""
    ended = harken("ingest", "nothing.csv", "--store", url)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.count("\n") == 1
    assert "hush" not in ended.err
    assert "SECRET" not in ended.err
    return ended.err


def test_a_wrong_password(clickhouse_server: str) -> None:
    assert "does not know this user with this password" in told(clickhouse_server.replace(":hush@", ":SECRET@"))


def test_no_such_database(clickhouse_server: str) -> None:
    assert "has no such database" in told(clickhouse_server + "nowhere")


@pytest.mark.parametrize("host", ["127.0.0.1:1", "nowhere.invalid"])
def test_no_server(host: str) -> None:
    assert "ClickHouse did not answer" in told(f"clickhouse://harken:SECRET@{host}/d")


def test_somebody_elses_tables(clickhouse_server: str) -> None:
    with fresh_clickhouse(clickhouse_server) as url:
        store = ClickHouse(url)
        store.execute("DROP TABLE schema_migration")
        assert "not Harken's" in told(url)
        store.close()


@pytest.mark.parametrize(("name", "said"), [("9999_later.sql", "newer"), ("0001_first_tables.sql", "changed")])
def test_a_schema_of_another_version(clickhouse_url: str, name: str, said: str) -> None:
    store = ClickHouse(clickhouse_url)
    store.execute("TRUNCATE TABLE schema_migration")
    store.insert("schema_migration", pa.Table.from_pylist([{"name": name, "checksum": "other", "at": NOW}]))
    store.close()

    assert said in told(clickhouse_url)


def test_a_migration_that_was_killed_is_begun_again(clickhouse_url: str) -> None:
    store = ClickHouse(clickhouse_url)
    store.execute("DROP TABLE decision")
    store.execute("TRUNCATE TABLE schema_migration")
    migrating.apply(store, wall_clock)

    assert store.value("SELECT count() AS value FROM decision", pa.int64()) == 0
    assert list(migrating.applied(store)) == ["0001_first_tables.sql"]
    store.close()


def test_nothing_else_is_needed_until_somebody_asks_for_it(tmp_path: Path) -> None:
    code = "import sys; sys.modules['clickhouse_connect'] = None; sys.argv[0] = 'harken'\nfrom harken.cli.running import run; run()"
    command = [sys.executable, "-c", code, "ingest", "nothing.csv", "--store", f"chdb://{tmp_path / 'embedded'}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 1
    assert ended.stderr == (
        "harken: ClickHouse is not installed (clickhouse_connect is missing): pip install 'harken[clickhouse]'.\n"
    )


# One batch at a time


def test_a_lease_that_nobody_renews_is_over(clickhouse_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "LEASE_S", 1)
    monkeypatch.setattr(turn, "BEAT_S", 3600)
    with bootstrap.served(clickhouse_url) as killed, bootstrap.served(clickhouse_url) as next_one:
        killed.one_batch_at_a_time().__enter__()  # and never left
        with next_one.one_batch_at_a_time():
            assert next_one.is_empty()


def test_a_lost_turn_settles_nothing(clickhouse_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with quick(clickhouse_url, tmp_path) as desk:
        take_in(desk, ADA)
        monkeypatch.setattr(turn, "LEASE_S", 1)
        monkeypatch.setattr(turn, "BEAT_S", 3600)

        def is_out_of_reach_for_long() -> None:
            with desk.warehouse.one_batch_at_a_time(), desk.warehouse.settling() as store:
                store.forget_everything()
                threading.Event().wait(turn.LEASE_S + 0.2)

        with pytest.raises(TryAgainError, match="another batch may have begun"):
            is_out_of_reach_for_long()

        assert desk.warehouse.totals().conversations == 1


def test_two_attempts_never_share_a_position(clickhouse_url: str) -> None:
    """One of them lost its turn and does not know yet."""
    with bootstrap.served(clickhouse_url) as paused, bootstrap.served(clickhouse_url) as next_one:
        first, second = paused.begin(request("one")), next_one.begin(request("two"))
        next_one.append(second, "b", block("twitter:3", "twitter:4"), 0)
        paused.append(first, "a", block("twitter:1", "twitter:2"), 0)
        again = paused.begin(request("one"))
        paused.append(again, "c", block("twitter:5"), 0)

    assert one_of(clickhouse_url, "SELECT count(DISTINCT position) FROM event") == 5


def test_of_two_keys_of_one_subject_the_older_stays(clickhouse_url: str) -> None:
    subjects = pa.array(["twitter:1"])
    with bootstrap.served(clickhouse_url) as warehouse:
        for wrapped in (b"older", b"newer"):
            store = ClickHouse(clickhouse_url)
            store.insert("subject_key", pa.table({"subject": subjects, "wrapped": pa.array([wrapped])}))
            store.close()

        assert warehouse.keys(subjects)["wrapped"].to_pylist() == [b"older"]


# The embedded engine


def test_the_embedded_engine_gives_what_a_server_gives(
    embedded_url: str, clickhouse_town_url: str, tmp_path: Path
) -> None:
    with clickhouse.opened(embedded_url, wall_clock), quick(embedded_url, tmp_path) as desk:
        take_in(desk, TOWN)
        found = derived(embedded_url)

    assert found == derived(clickhouse_town_url)


@pytest.fixture
def held_url(embedded_url: str) -> Iterator[str]:
    """A folder that another process has open."""
    command = [sys.executable, "-c", HOLDS_IT, embedded_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        yield embedded_url


def test_a_second_process_on_one_folder(held_url: str) -> None:
    ended = harken_anew("ingest", "nothing.csv", "--store", held_url)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("\n") == 1
    assert "open in another process" in ended.stderr


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)

    assert "cannot be made" in told(f"chdb://{path}")


@pytest.mark.matrix
def test_a_whole_journey_in_several_processes(embedded_url: str, tmp_path: Path) -> None:
    store = ("--store", embedded_url)
    taken = harken_anew("ingest", write_csv(tmp_path / "town.csv", TOWN), *store, "--no-mood")
    checked = harken_anew("profile", "rebuild", "--check", *store)
    decided = harken_anew("predict", "--out", tmp_path / "actions.csv", *store)

    assert "11 accepted" in taken.stdout
    assert " 0 mismatches" in checked.stdout
    assert (tmp_path / "actions.csv").read_text().count("\n") > 1
    assert [ended.stderr for ended in (taken, checked, decided)] == ["", "", ""]
    assert [ended.returncode for ended in (taken, checked, decided)] == [0, 0, 0]
