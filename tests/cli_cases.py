"""What the tests of commands share: a folder, a key and a town."""

import base64
import socket
from pathlib import Path

import pytest
from journey import QUICKEST, Ended

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture(autouse=True, name="home")
def home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of the test's own, the key of the town, one process and the engine that is quickest here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HARKEN_MASTER_KEY", KEY)
    monkeypatch.setenv("WORKERS", "1")
    monkeypatch.setenv("DATA_ENGINE", QUICKEST)
    return tmp_path


@pytest.fixture(name="town")
def whole_town(town_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Commands use the town's store, by its setting."""
    monkeypatch.setenv("DATABASE_URL", town_url)
    return town_url


def expect_usage(ended: Ended, *words: str) -> None:
    assert ended.code == 2
    assert ended.out == ""
    for word in words:
        assert word in ended.err
    assert "Traceback" not in ended.err


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
