"""The whole interface as its description says, asked by Schemathesis: all its checks, in all its phases."""

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from access_cases import ED, bearing, guarded_desk, issuer_of
from fastapi import FastAPI

from harken.web.app import app_of
from harken.web.auth.access import Rules

CONFIG = Path(__file__).with_name("schemathesis.toml")


@contextmanager
def application(url: str, home: Path) -> Iterator[FastAPI]:
    """A clock that stands still: no token expires, and nobody's bucket fills."""
    with guarded_desk(url, home) as desk:
        yield app_of(desk, Rules(issuer=issuer_of(ED), local_admin=False, per_minute=1_000_000))


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def fuzzed(url: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", f"{url}/openapi.json",
        "--header", f"Authorization: {bearing('admin')['Authorization']}", *more,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=CONFIG.parent)


def cases(said: str) -> int:
    [count] = re.findall(r"([\d,]+) generated", said)
    return int(count.replace(",", ""))


@pytest.mark.fuzz
@pytest.mark.parametrize("examples", [pytest.param(20, id="quick"), pytest.param(1_200, id="long")])
def test_every_answer_is_as_described(store_url: str, tmp_path: Path, examples: int) -> None:
    """The long form is `just fuzz`: twenty thousand cases and more."""
    with application(store_url, tmp_path) as app, served(app) as url:
        ended = fuzzed(url, "--checks", "all", "--max-examples", str(examples))

    assert ended.returncode == 0, ended.stdout[-20_000:] + ended.stderr
    assert cases(ended.stdout) >= 30 * examples
