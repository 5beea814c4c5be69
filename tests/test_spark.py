"""Spark: the other engines' plan and pieces on a real one, and what people are told where there is none."""

import base64
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from journey import TOWN, Steady, derived, desk_on, harken, one_of, take_in, write_csv
from spark_cases import defaults, free_port, spark_desk

from harken.adapters import frames
from harken.adapters.frames import on_spark
from harken.adapters.frames.on_spark import Cluster
from harken.errors import UnsuitableError
from harken.flow import pool, rebuild
from harken.kit.spool import batches, rows_in, slices, slices_by

pytestmark = pytest.mark.spark

LEAVES_A_PIPE_OPEN = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""PySpark does, to a Java that did not start."""
SHUFFLED_WITH_COPIES = [*reversed(TOWN), *TOWN[::3]]
PATIENCE_S = 600
KEY = base64.b64encode(bytes(range(32))).decode()


def test_an_ingest_comes_to_the_same(
    store_url: str, town_url: str, tmp_path: Path, cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    with spark_desk(store_url, tmp_path, cluster) as desk:
        report = take_in(desk, SHUFFLED_WITH_COPIES)
        checked = rebuild.check(desk, Steady())

    assert (report.rows_read, report.accepted, report.duplicates) == (15, 11, 4)
    assert derived(store_url) == derived(town_url)
    assert (checked.customers, checked.mismatches) == (5, 0)
    assert one_of(store_url, "SELECT engine FROM ingest_run") == "spark"
    assert capfd.readouterr() == ("", ""), "Spark keeps off our terminal"


def test_connect_comes_to_the_same(
    store_url: str, town_url: str, tmp_path: Path, cluster: Cluster, spark_port: int
) -> None:
    """The second half of the town after the first, so that stored trees grow."""
    there = frames.spark(tmp_path, master=f"sc://127.0.0.1:{spark_port}", memory="1g", workers=2)
    with desk_on(store_url, tmp_path) as desk:
        take_in(desk, TOWN[::2])
    with there, spark_desk(store_url, tmp_path, there) as desk:
        report = take_in(desk, TOWN[1::2], "rest.csv")

    assert report.accepted == len(TOWN[1::2])
    found = derived(store_url)
    for table, rows in derived(town_url).items():
        assert found[table] == rows, table


def test_what_it_writes_is_read_in_order(tmp_path: Path, cluster: Cluster) -> None:
    """Many files, of which the slices know nothing; a folder's name may have anything in it."""
    engine = cluster.engine(tmp_path)
    odd = tmp_path / "a [folder] of {odd,names} 100% *"
    odd.mkdir()
    keys = [f"k{(7 * at) % 60:02}" for at in range(240)]
    pq.write_table(pa.table({"key": keys, "n": range(240), "body": [b"\x00"] * 240}), odd / "rows.parquet")
    shards = engine.scan(odd / "rows.parquet").to_native().repartitionByRange(5, "key").sortWithinPartitions("key")
    path = engine.write(nw.from_native(shards), odd / "out.parquet")
    pieces = [*slices(path, 50), *slices_by(path, "key", 50), *slices(path, 7)]

    assert len(list(path.glob("*.parquet"))) == 5
    assert rows_in(path) == 240
    assert [key for batch in batches(path, 7) for key in batch["key"].to_pylist()] == sorted(keys)
    assert [key for piece in pieces for key in piece.read(["key"])["key"].to_pylist()] == 3 * sorted(keys)
    assert engine.collect(engine.scan(path).select(rows=nw.len())).to_pylist() == [{"rows": 240}]


def test_an_empty_frame_is_a_table_too(tmp_path: Path, cluster: Cluster) -> None:
    engine = cluster.engine(tmp_path)
    pq.write_table(pa.table({"key": ["a"]}), tmp_path / "rows.parquet")
    path = engine.write(engine.scan(tmp_path / "rows.parquet").filter(nw.col("key") == "b"), tmp_path / "none.parquet")

    assert (rows_in(path), slices(path, 5), slices_by(path, "key", 5)) == (0, [], [])
    assert engine.collect(engine.scan(path)).column_names == ["key"]


def test_pieces_are_done_elsewhere_and_refusals_come_back(tmp_path: Path, store_url: str, cluster: Cluster) -> None:
    with spark_desk(store_url, tmp_path, cluster) as desk, pool.crew_of(desk) as crew:
        places = set(crew.each(eval, ["__import__('os').getpid()"] * 6))

        with pytest.raises(UnsuitableError, match="no engine called abacus"):
            list(crew.each(frames.check, ["duckdb", "abacus"]))

    assert os.getpid() not in places
    assert len(places) <= 2, "a process is kept for the pieces that follow"


def test_a_seat_is_kept_until_another_run_comes(store_url: str, tmp_path: Path) -> None:
    """In a process of its own, as on an executor."""
    with desk_on(store_url, tmp_path) as desk:
        benches = [pickle.dumps(desk.bench), pickle.dumps(replace(desk.bench, clock=len))]
    code = (
        "import sys, pickle\n"
        "from harken.flow import pool\n"
        "benches = pickle.load(sys.stdin.buffer)\n"
        "def store(_): return pool.seat().warehouse\n"
        "one, same = (pool.Visit.do(benches[0], store, 0) for _ in range(2))\n"
        "other = pool.Visit.do(benches[1], store, 0)\n"
        "print(one is same, one is other, len(pool._seats))"
    )
    said = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(benches), capture_output=True, check=True)

    assert said.stdout.split() == [b"True", b"False", b"1"]


@contextmanager
def under_way(store_url: str, home: Path) -> Iterator[subprocess.Popen[str]]:
    """An ingest of the town as people start it."""
    command = ("ingest", str(write_csv(home / "town.csv", TOWN)), "--engine", "spark", "--store", store_url, "--json")
    ours = {"HARKEN_HOME": str(home), "HARKEN_MASTER_KEY": KEY, "HARKEN_SPARK_MASTER": "local[2]"}
    with subprocess.Popen(
        [sys.executable, "-m", "harken", *command],
        cwd=home,
        env=os.environ | ours | {"SPARK_CONF_DIR": str(defaults(home / "conf"))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def until(happens: Callable[[], object]) -> None:
    patience = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < patience
        time.sleep(0.1)


def java_of(process: subprocess.Popen[str]) -> list[int]:
    """The Java processes that it started and that still run."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            name, _, rest = (place / "stat").read_text().partition("(")[2].rpartition(")")
            state, parent = rest.split()[:2]
            if name == "java" and state != "Z" and int(parent) == process.pid:
                found.append(int(place.name))
    return found


def test_spark_is_killed_midway(store_url: str, town_url: str, tmp_path: Path, cluster: Cluster) -> None:
    """After a block is in and before it is settled; then the same again."""
    with under_way(store_url, tmp_path) as process:
        until(lambda: one_of(store_url, "SELECT count(*) FROM ingest_block"))
        [java] = java_of(process)
        os.kill(java, signal.SIGKILL)
        out, err = process.communicate(timeout=PATIENCE_S)
    with spark_desk(store_url, tmp_path, cluster) as desk:
        report = take_in(desk, TOWN)

    assert (process.returncode, out) == (1, "")
    assert err.startswith("harken: Spark or one of its processes ended midway")
    assert err.count("\n") == 1
    assert (report.resumed, report.accepted) == (True, len(TOWN))
    assert derived(store_url) == derived(town_url)
    assert not list((tmp_path / "spool").iterdir())


def test_ctrl_c_ends_spark_too(store_url: str, tmp_path: Path) -> None:
    with under_way(store_url, tmp_path) as process:
        until(lambda: list(tmp_path.glob("spool/run-*/normal.parquet")))
        [java] = java_of(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, out) == (1, "")
    assert err.strip() == "harken: Interrupted. What was committed is kept; the same command continues from there."
    assert not Path(f"/proc/{java}").exists()
    assert not list((tmp_path / "spool").iterdir())


@LEAVES_A_PIPE_OPEN
def test_more_memory_than_there_is(tmp_path: Path) -> None:
    greedy = frames.spark(tmp_path, master="local[2]", memory="900000g", workers=2)
    with greedy, pytest.raises(UnsuitableError, match="Spark did not start: Could not reserve"), greedy.executors():
        pass


def test_executors_that_share_no_folder(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as elsewhere, pytest.raises(UnsuitableError, match="set HARKEN_HOME to a folder that"):
        on_spark._meet(elsewhere, tmp_path / "not there")


@LEAVES_A_PIPE_OPEN
def test_without_java_it_says_what_to_do(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAVA_HOME", "")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))
    monkeypatch.setenv("HARKEN_MASTER_KEY", KEY)
    ended = harken("ingest", write_csv(tmp_path / "town.csv", TOWN), "--engine", "spark", "--store", store_url)

    assert "Java 17 or later" in ended.refusal
    assert "--engine duckdb" in ended.refusal
    assert one_of(store_url, "SELECT count(*) FROM event") == 0


@pytest.mark.parametrize("scheme", ["sc", "spark"])
def test_a_master_that_does_not_answer(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    master = f"{scheme}://127.0.0.1:{free_port()}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))
    monkeypatch.setenv("HARKEN_MASTER_KEY", KEY)
    monkeypatch.setenv("HARKEN_SPARK_MASTER", master)
    ended = harken("ingest", write_csv(tmp_path / "town.csv", TOWN), "--engine", "spark", "--store", store_url)

    assert f"Spark does not answer at {master}" in ended.refusal
