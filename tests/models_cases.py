"""A tiny model for the tests: a shelf that has it, fetching it from there, and what is left."""

from pathlib import Path

import pytest
import tiny_bert

from harken.adapters.embedders import fetching, minilm
from harken.adapters.embedders.fetching import Release
from harken.cli.printing import Quiet

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(name="shelf")
def empty_shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    return folder


def fetch(home: Path, release: Release, *, index: str = NOBODY, given: Path | None = None) -> Path:
    return fetching.fetch(home, index=index, given=given, progress=Quiet(), release=release)


def left(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "models").iterdir() if path.name != ".fetching")


@pytest.fixture(name="tiny")
def tiny_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "DIMENSION", tiny_bert.WIDTH)
