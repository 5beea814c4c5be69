"""Killed at any moment and run again, as often as one likes: nothing is lost, nothing is there twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from crash_cases import BLOCK_ROWS, kill, nothing_differs, quick, take_in, undisturbed, unread  # noqa: F401  a fixture among them
from journey import TOWN, Steady, derived, one_of, write_csv

from harken.adapters.warehouses import clickhouse
from harken.adapters.warehouses.clickhouse import turn as lease
from harken.flow import appending, batch, pool, rebuild
from harken.kit.clock import wall_clock


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """On ClickHouse a killed batch keeps its turn until its lease is over."""
    monkeypatch.setattr(lease, "LEASE_S", 1)
    monkeypatch.setattr(lease, "BEAT_S", 0.2)


STEPS = {
    "before the first block": ("sealing and appending", 0),
    "between two blocks": ("sealing and appending", 2),
    "between append and settle": ("conversations", 0),
    "inside settle, conversations": ("conversations", 1),
    "inside settle, profiles": ("profiles", 0),
    "between settle's commit and the end": ("counting", 0),
}


@pytest.mark.parametrize("moment", STEPS)
def test_killed_and_run_again(
    journey_url: str, short_lease: None, tmp_path: Path, expected: dict[str, Any], moment: str
) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)
    kill(journey_url, tmp_path, path, *STEPS[moment])

    with quick(journey_url, tmp_path) as desk:
        report = batch.ingest(unread(path), desk, Steady())

    assert report.resumed is (moment != "between settle's commit and the end")
    assert report.accepted + report.duplicates == len(TOWN)
    assert derived(journey_url) == expected
    assert one_of(journey_url, "SELECT count(*) FROM ingest_run WHERE state <> 'done'") == 0
    assert list((tmp_path / "spool").iterdir()) == []


@pytest.mark.parametrize("ask_first", [False, True])
def test_a_block_that_is_done_twice_is_in_once(journey_url: str, tmp_path: Path, *, ask_first: bool) -> None:
    """As when an executor is lost after the commit and before it could report: the second report is the first."""
    blocks: list[Any] = []

    class Twice(pool.Alone):
        def each(self, work: Callable[[Any], Any], tasks: Any) -> Iterator[Any]:
            for task in tasks:
                again = replace(task, ask_first=ask_first) if work is appending.append_block else task
                blocks.append(task)
                list(super().each(work, [again]))
                yield from super().each(work, [again])

    with quick(journey_url, tmp_path) as desk, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "Alone", Twice)
        report = take_in(desk, TOWN)
        checked = rebuild.check(desk, Steady())

    assert blocks
    assert (report.accepted, report.duplicates) == (len(TOWN), 0)
    assert checked.mismatches == 0


@pytest.mark.matrix
@pytest.mark.parametrize("moment", ["between two blocks", "inside settle, profiles"])
def test_an_embedded_clickhouse_killed_and_run_again(tmp_path: Path, expected: dict[str, Any], moment: str) -> None:
    url, path = f"chdb://{tmp_path / 'embedded'}", write_csv(tmp_path / "town.csv", TOWN)
    with clickhouse.opened(url, wall_clock):
        pass  # migrated, and left to the process that is killed
    kill(url, tmp_path, path, *STEPS[moment])
    with clickhouse.opened(url, wall_clock), quick(url, tmp_path) as desk:
        assert batch.ingest(unread(path), desk, Steady()).rows_read == len(TOWN)
        nothing_differs(desk)
        assert derived(url) == expected


def test_killed_again_and_again(journey_url: str, short_lease: None, tmp_path: Path, expected: dict[str, Any]) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)
    for step, advances in (("sealing and appending", 1), ("sealing and appending", 2), ("profiles", 0)):
        kill(journey_url, tmp_path, path, step, advances)

    with quick(journey_url, tmp_path) as desk:
        report = batch.ingest(unread(path), desk, Steady())
        nothing_differs(desk)

    assert (report.accepted, report.duplicates, report.resumed) == (len(TOWN), 0, True)
    assert derived(journey_url) == expected


def test_a_file_that_grew_after_the_kill_settles_what_was_left(
    store_url: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    """The old content never comes again, so nobody resumes its run: the next batch folds it in."""
    short = write_csv(tmp_path / "short.csv", TOWN[:7])
    kill(store_url, tmp_path, short, "conversations")

    with quick(store_url, tmp_path) as desk:
        report = take_in(desk, TOWN, "grown.csv")
        nothing_differs(desk)
        again = batch.ingest(unread(short), desk, Steady())

    assert (report.accepted, report.duplicates, report.resumed) == (len(TOWN) - 7, 7, False)
    assert (again.accepted, again.duplicates) == (0, 7)
    assert derived(store_url) == expected


def test_the_same_file_read_in_another_way_is_another_run(store_url: str, tmp_path: Path) -> None:
    swapped = {"tweet_id": "in_response_to_tweet_id", "in_response_to_tweet_id": "tweet_id"}
    path = write_csv(tmp_path / "town.csv", TOWN)
    kill(store_url, tmp_path, path, "conversations")

    with quick(store_url, tmp_path) as desk:
        report = batch.ingest(replace(unread(path), columns=swapped), desk, Steady())
        nothing_differs(desk)

    assert report.resumed is False


def test_a_rebuild_between_the_kill_and_the_second_run_counts_nothing_twice(
    store_url: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)
    kill(store_url, tmp_path, path, "sealing and appending", 2)

    with quick(store_url, tmp_path) as desk:
        rebuild.rebuild(desk, Steady())
        report = batch.ingest(unread(path), desk, Steady())
        nothing_differs(desk)

    assert report.duplicates == 2 * BLOCK_ROWS
    assert derived(store_url) == expected
