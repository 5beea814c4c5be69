"""The town for the tests of advice: asked for it, and read back from the file."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from journey import NOW, Steady, quick

from harken.flow import predict
from harken.flow.desk import Desk
from harken.flow.predict import Asked
from harken.flow.predicting import Tally

LAST = NOW - timedelta(hours=2)
"""The newest event of the town."""


@pytest.fixture(scope="module", name="town")
def the_town(town_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with quick(town_url, tmp_path_factory.mktemp("desk")) as desk:
        yield desk


@pytest.fixture(scope="module", name="advised")
def the_towns_file(town: Desk) -> dict[str, dict[str, str]]:
    """The town's file: customer -> row."""
    predict.predict(Asked(), town.home / "advised.csv", town, Steady())
    return {row["customer_id"]: row for row in read(town.home / "advised.csv")}


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


def asked(desk: Desk, **how: Any) -> tuple[Tally, list[dict[str, str]]]:
    out = desk.home / "asked.csv"
    tally = predict.predict(Asked(**how), out, desk, Steady())
    return tally, read(out)
