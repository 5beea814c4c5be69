"""Keys, tokens and servers as people start them: processes of their own, and an address that is not this machine's own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

ANYWHERE, MOST_S = "0.0.0.0", 120
PUBLIC = "desk.example"


def command(home: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harken", *words], env=given(home, settings), capture_output=True, text=True, check=False
    )


def given(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "HARKEN_HOME": str(home),
        **{f"HARKEN_{name.upper()}": value for name, value in settings.items()},
    }


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


@contextmanager
def serving(home: Path, url: str, host: str, **settings: str) -> Iterator[str]:
    port = free_port()
    words = [sys.executable, "-m", "harken", "serve", "--host", host, "--port", str(port), "--store", url]
    with subprocess.Popen(words, env=given(home, settings), stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=MOST_S)


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + MOST_S
    while time.monotonic() < ends and process.poll() is None:
        try:
            if asked(f"http://127.0.0.1:{port}/health")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not come up")


def asked(url: str, token: str = "", host: str = "") -> tuple[int, dict[str, Any]]:
    headers = {name: value for name, value in (("Authorization", token and f"Bearer {token}"), ("Host", host)) if value}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def test_on_this_machine_nobody_needs_a_token_and_elsewhere_nothing_starts_without_one(
    store_url: str, tmp_path: Path
) -> None:
    refused = command(tmp_path, "serve", "--host", ANYWHERE, "--store", store_url)
    assert refused.returncode == 1
    [line] = refused.stderr.splitlines()
    assert "HARKEN_AUTH_KEYS" in line

    with serving(tmp_path, store_url, "127.0.0.1") as url:
        assert asked(f"{url}/api/v1/segments") == (200, {"segments": []})
        assert asked(f"{url}/api/v1/segments", host="evil.example")[0] == 403


def test_keys_tokens_and_taking_one_back_as_processes(store_url: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    made = json.loads(command(tmp_path, "token", "key", "--out", str(keys), "--json").stdout)
    assert (made["file"], keys.stat().st_mode & 0o777) == (str(keys), 0o600)
    configured = {"auth_keys": str(keys), "auth_algorithm": "EdDSA"}
    nameless = command(tmp_path, "serve", "--host", ANYWHERE, "--store", store_url, **configured)
    assert (nameless.returncode, "HARKEN_PUBLIC_HOSTS" in nameless.stderr) == (1, True)
    agent = json.loads(
        command(tmp_path, "token", "make", "--role", "agent", "--subject", "lena", "--json", **configured).stdout
    )

    with serving(tmp_path, store_url, ANYWHERE, public_hosts=PUBLIC, **configured) as url:
        segments = partial(asked, f"{url}/api/v1/segments", host=PUBLIC)
        assert segments()[0] == 401
        assert segments(token="x.y.z")[0] == 401
        assert segments(token=agent["token"])[0] == 200
        assert asked(f"{url}/metrics", token=agent["token"], host=PUBLIC)[0] == 403
        assert asked(f"{url}/api/v1/segments", token=agent["token"], host="elsewhere.example")[0] == 403
        revoked = command(tmp_path, "token", "revoke", agent["id"], "--store", store_url, **configured)
        assert revoked.returncode == 0, revoked.stderr
        assert segments(token=agent["token"])[0] == 401
