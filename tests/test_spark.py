"""Spark: the other engines' plan and pieces on a real one, and what people are told where there is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from journey import TOWN, Steady, derived, desk_on, take_in

from harken.adapters import frames
from harken.adapters.frames.on_spark import Cluster
from harken.flow import rebuild

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One Java process for all tests of this file."""
    home = tmp_path_factory.mktemp("spark")
    with frames.spark(home, master="local[2]", memory="1g", workers=2) as spark:
        yield spark


def test_an_ingest_comes_to_the_same(store_url: str, town_url: str, tmp_path: Path, cluster: Cluster) -> None:
    with desk_on(store_url, tmp_path, engine="spark", workers=2, cluster=cluster) as desk:
        report = take_in(desk, TOWN)
        checked = rebuild.check(desk, Steady())

    assert (report.rows_read, report.accepted, report.duplicates) == (11, 11, 0)
    assert derived(store_url) == derived(town_url)
    assert checked.mismatches == 0
