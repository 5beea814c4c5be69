"""A name from the settings -> the embedder; and what people are told of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from harken.adapters.embedders import minilm
from harken.adapters.embedders.minilm import MiniLM
from harken.adapters.embedders.wordllama import WordLlama
from harken.errors import UnsuitableError
from harken.knowledge.ports import Embedder


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A server with OpenAI's `/embeddings`, and how it is asked."""

    url: str
    model: str
    key: SecretStr
    dimension: int | None
    timeout_s: float


def embedder(name: str, home: Path, endpoint: Endpoint) -> Embedder:
    """`wordllama`, `minilm` or `endpoint`. Nothing is loaded before the first text."""
    if name == "minilm":
        return MiniLM(home)
    if name == "endpoint":
        return _endpoint(endpoint)
    return WordLlama()


def here(home: Path, endpoint: Endpoint) -> list[Embedder]:
    """All that can be asked on this machine."""
    known: list[Embedder] = [WordLlama()]
    if minilm.folder(home).exists():
        known.append(MiniLM(home))
    if endpoint.url and endpoint.model:
        known.append(_endpoint(endpoint))
    return known


def of_model(model: str, home: Path, endpoint: Endpoint) -> Embedder | None:
    """Who made the vectors of this model, where it can still be asked."""
    return next((each for each in here(home, endpoint) if each.model == model), None)


def _endpoint(asked: Endpoint) -> Embedder:
    if not (asked.url and asked.model):
        raise UnsuitableError("HARKEN_EMBEDDER=endpoint needs HARKEN_EMBEDDINGS_URL and HARKEN_EMBEDDINGS_MODEL.")
    from harken.adapters.embedders.endpoint import EndpointEmbedder  # noqa: PLC0415  a second of imports

    return EndpointEmbedder(
        asked.key, url=asked.url, model=asked.model, dimension=asked.dimension, timeout_s=asked.timeout_s
    )


def described(home: Path, endpoint: Endpoint) -> Sequence[Mapping[str, Any]]:
    """For people: name, model, dimension, whether it can be used here, and what it is or lacks."""
    fetched, packages = minilm.folder(home).exists(), bool(find_spec("onnxruntime"))
    lacks = "harken models fetch minilm" if packages else minilm.MISSING_EXTRA
    asks = endpoint.url and endpoint.model
    return [
        _described("wordllama", WordLlama.model, WordLlama.dimension, ready=True, detail="part of the installation"),
        _described(
            "minilm",
            MiniLM.model,
            MiniLM.dimension,
            ready=fetched and packages,
            detail=str(minilm.folder(home)) if fetched and packages else lacks,
        ),
        _described(
            "endpoint",
            endpoint.model,
            endpoint.dimension,
            ready=bool(asks),
            detail=endpoint.url if asks else "HARKEN_EMBEDDINGS_URL and HARKEN_EMBEDDINGS_MODEL are not set",
        ),
    ]


def _described(name: str, model: str, dimension: int | None, *, ready: bool, detail: str) -> Mapping[str, Any]:
    return {"name": name, "model": model, "dimension": dimension, "ready": ready, "detail": detail}
