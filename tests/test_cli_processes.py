"""Commands in processes of their own: served, interrupted, read in part; and the demo, from nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_cases import free_port, home_of_its_own, whole_town  # noqa: F401  fixtures
from journey import DEFAULT, TOWN, Ended, harken, rows_of, write_csv

PATIENCE_S = 300
"""For what hangs; on a busy machine a server takes half a minute to come up."""


# Served


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "example.com"])
def test_only_loopback_is_served(host: str) -> None:
    assert "Refusing to listen" in harken("serve", "--host", host).refusal


@pytest.fixture
def server(town: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """`harken serve`, as people start it."""
    port = free_port()
    command = [sys.executable, "-m", "harken", "serve", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.communicate()


def asked(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    for _ in range(10 * PATIENCE_S):
        assert process.poll() is None, process.communicate()
        try:
            asked(url)
            return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")


def test_the_server_answers_and_ends_politely(server: tuple[str, subprocess.Popen[str]]) -> None:
    url, process = server
    wait_for(f"{url}/health", process)
    answer = asked(f"{url}/predict_nba", {"customer_id": "200"})
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE_S)

    assert answer["channel"] == "human_agent"
    assert process.returncode == 0
    assert out == ""
    assert err == f"{url}  (documentation: /docs, stop with Ctrl-C)\n"


def test_a_port_that_is_taken_is_one_line(town: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refusal = harken("serve", "--port", taken.getsockname()[1]).refusal

    assert "Address already in use" in refusal
    assert "--port" in refusal


# For real, in processes of their own


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_so_in_one_line(town: str, tmp_path: Path, number: int) -> None:
    """The file is a pipe: who opens it to write knows that the command reads, and it reads until it is stopped."""
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "harken", "ingest", "pipe"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    writing = opened_once_read(tmp_path / "pipe", process)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    os.close(writing)

    assert (process.returncode, out) == (1, "")
    assert err.strip() == "harken: Interrupted. What was committed is kept; the same command continues from there."


def opened_once_read(pipe: Path, process: subprocess.Popen[str]) -> int:
    for _ in range(10 * PATIENCE_S):
        assert process.poll() is None, process.communicate()
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("nobody opened the pipe")


def test_a_reader_who_has_seen_enough_is_no_error(town: str) -> None:
    command = [sys.executable, "-m", "harken", "profile", "show", "400"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=PATIENCE_S)

    assert err == ""


def test_nobody_waits_for_what_a_command_does_not_need(town: str) -> None:
    """Each of these takes a tenth of a second to a second to import, in every process."""
    dear = ["pandas", "polars", "duckdb", "rich", "structlog", "phonenumbers", "ftfy", "pydantic_ai", "fastapi"]
    code = (
        "import sys; from harken.cli.running import run\n"
        "try: run()\n"
        f"finally: print(*[name for name in {dear} if name in sys.modules], 'and no other', file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "profile", "show", "400"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "2 events" in ended.stdout
    assert ended.stderr == "and no other\n"


def test_a_whole_journey_in_several_processes(store_url: str, tmp_path: Path) -> None:
    write_csv(tmp_path / "town.csv", TOWN)
    environment = {**os.environ, "DATABASE_URL": store_url, "DATA_ENGINE": DEFAULT}

    def run(*words: str, workers: int = 1) -> dict[str, Any]:
        command = [sys.executable, "-m", "harken", *words, "--json"]
        environment["WORKERS"] = str(workers)
        ended = subprocess.run(
            command, capture_output=True, text=True, env=environment, timeout=PATIENCE_S, check=False
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr).json

    assert run("ingest", "town.csv")["accepted"] == 11
    assert run("predict", workers=2)["decisions"] == 4
    assert (tmp_path / "nba_predictions.csv").read_bytes().count(b"\r\n") == 5
    assert len(rows_of(store_url, "SELECT FROM decision")) == 4


@pytest.fixture
def newcomer(open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a folder and no settings, but for a store that the demo must not ask."""
    monkeypatch.setenv("HARKEN_HOME", str(open_folder / f"demo-{tmp_path.name}"))
    monkeypatch.delenv("HARKEN_MASTER_KEY")
    monkeypatch.delenv("DATA_ENGINE")
    monkeypatch.setenv("CLICKHOUSE_HOST", "nowhere.invalid")


@pytest.mark.usefixtures("newcomer")
def test_the_demo_needs_nothing() -> None:
    expect_demo(harken("demo", "--json"))


@pytest.mark.matrix
@pytest.mark.usefixtures("newcomer")
def test_the_demo_again_in_words() -> None:
    expect_demo(harken("demo", "--json"))
    told = harken("demo")

    assert told.code == 0
    assert told.out.count("Because: ") == 3
    assert "What was made, and where to look" in told.out


def expect_demo(shown: Ended) -> None:
    assert shown.code == 0, shown.err
    assert list(shown.json) == ["ingest", "predict", "agent", "files", "seconds"]
    assert shown.json["predict"]["decisions"] > 50
    assert all(Path(file).exists() for file in shown.json["files"])
