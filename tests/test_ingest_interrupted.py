"""An ingestion that was stopped goes on where it stopped, and comes to the same."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_cases import nothing_differs, the_whole_town  # noqa: F401  a fixture among them
from journey import BEN, NOW, TOWN, Steady, Stops, derived, one_of, quick, take_in, tweet, write_csv

from harken.flow import batch
from harken.flow.batch import Source

STEPS = (
    "reading",
    "checking",
    "threads",
    "keys",
    "sealing and appending",
    "who is who",
    "conversations",
    "profiles",
    "counting",
)


def test_these_are_all_the_steps(store_url: str, tmp_path: Path) -> None:
    progress = Steady()
    with quick(store_url, tmp_path) as desk:
        report = batch.ingest(Source(path=write_csv(tmp_path / "ben.csv", BEN), format="twcs"), desk, progress)

    assert tuple(progress.steps) == tuple(report.steps) == STEPS


@pytest.mark.parametrize("step", ["keys", "who is who", "conversations", "profiles", "counting"])
def test_an_interrupted_run_goes_on_where_it_stopped(
    store_url: str, tmp_path: Path, expected: dict[str, Any], step: str
) -> None:
    source = Source(path=write_csv(tmp_path / "town.csv", TOWN), format="twcs")
    with quick(store_url, tmp_path, block_rows=4) as desk:
        with pytest.raises(KeyboardInterrupt):
            batch.ingest(source, desk, Stops(step))
        report = batch.ingest(source, desk, Steady())

    assert report.accepted in (11, 0)
    assert derived(store_url) == expected
    assert one_of(store_url, "SELECT count(*) FROM ingest_run WHERE state <> 'done'") == 0


def test_an_interrupted_retry_is_settled_by_the_next_one(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk:
        take_in(desk, [*BEN, tweet(92, "200", -48, "@KestrelBank and now it is gone again")])
    with quick(store_url, tmp_path, now=NOW + timedelta(hours=72)) as desk, pytest.raises(KeyboardInterrupt):
        batch.retry("twcs", desk, Stops("conversations"))
    with quick(store_url, tmp_path, now=NOW + timedelta(hours=73)) as desk:
        batch.retry("twcs", desk, Steady())
        nothing_differs(desk)

    assert one_of(store_url, "SELECT count(*) FROM turn") == 2


def test_another_file_between_the_halves_of_an_interrupted_one(
    store_url: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    first = Source(path=write_csv(tmp_path / "first.csv", TOWN[::2]), format="twcs")
    with quick(store_url, tmp_path) as desk:
        with pytest.raises(KeyboardInterrupt):
            batch.ingest(first, desk, Stops("conversations"))
        take_in(desk, TOWN[1::2])
        batch.ingest(first, desk, Steady())

    assert derived(store_url) == expected
