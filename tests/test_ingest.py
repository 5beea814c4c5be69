"""From a file to threads, cases and profiles: once, whole, and in whatever order."""

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_cases import nothing_differs, the_whole_town  # noqa: F401  a fixture among them
from journey import (
    ADA,
    BEN,
    BRAND,
    CLEO,
    DAN,
    DEFAULT,
    EVE,
    NOW,
    TOWN,
    Row,
    Steady,
    derived,
    desk_on,
    one_of,
    quick,
    rows_of,
    take_in,
    threads_of,
    tweet,
    write_csv,
)

from harken.errors import UnsuitableError
from harken.flow import batch
from harken.flow.batch import Source


def test_threads_and_cases(journey_url: str, tmp_path: Path) -> None:
    with desk_on(journey_url, tmp_path) as desk:
        report = take_in(desk, TOWN)
        nothing_differs(desk)

    assert (report.rows_read, report.accepted, report.duplicates) == (11, 11, 0)
    assert (report.threads, report.largest_thread) == (4, 5)
    assert (report.conversations, report.customers) == (5, 5)
    assert report.watermark == NOW - timedelta(hours=2)
    assert threads_of(journey_url) == {
        "twitter:1": {"1", "2", "3"},
        "twitter:10": {"10"},
        "twitter:20": {"20", "21", "22", "23", "24"},
        "twitter:30": {"31", "32"},
    }


def test_a_tree_with_two_customers_has_a_case_for_each(town_url: str) -> None:
    cases = rows_of(town_url, "SELECT identity, brand FROM conversation WHERE thread = 'twitter:20' ORDER BY identity")

    assert cases == [{"identity": "twitter:300", "brand": BRAND}, {"identity": "twitter:400", "brand": BRAND}]


def test_the_run_is_on_record(store_url: str, tmp_path: Path) -> None:
    with desk_on(store_url, tmp_path, engine=DEFAULT) as desk:
        report = take_in(desk, TOWN)
    [run] = rows_of(store_url, "SELECT * FROM ingest_run")

    assert (run["id"], run["state"], run["who"], run["engine"]) == (report.run_id, "done", "somebody", "duckdb")
    assert run["started_at"] == run["finished_at"] == NOW
    assert run["counts"]["accepted"] == 11
    assert run["watermark"] == report.watermark
    assert run["error"] is None


def test_the_second_run_adds_nothing(journey_url: str, tmp_path: Path, expected: dict[str, Any]) -> None:
    with desk_on(journey_url, tmp_path) as desk:
        take_in(desk, TOWN)
        again = take_in(desk, TOWN)

    assert (again.rows_read, again.accepted, again.duplicates) == (11, 0, 11)
    assert (again.conversations, again.customers, again.threads) == (5, 5, 4)
    assert derived(journey_url) == expected


def test_a_shuffled_file_is_the_same_file(store_url: str, tmp_path: Path, expected: dict[str, Any]) -> None:
    shuffled = random.Random(7).sample(TOWN, len(TOWN))
    with desk_on(store_url, tmp_path) as desk:
        take_in(desk, shuffled)

    assert derived(store_url) == expected


SPLITS: dict[str, Sequence[Sequence[Row]]] = {
    "child before parent": (TOWN[6:], TOWN[:6]),
    "every other row": (TOWN[::2], TOWN[1::2]),
    "answers before questions": (
        [row for row in TOWN if row["inbound"] == "False"],
        [row for row in TOWN if row["inbound"] == "True"],
    ),
    "a tree from its leaves": [DAN[2:], DAN[:1], [*CLEO[1:], *ADA, *BEN, *EVE], [CLEO[0], DAN[1]]],
    "overlapping": (TOWN[:8], TOWN[3:]),
}


@pytest.mark.parametrize("parts", SPLITS.values(), ids=SPLITS)
def test_several_files_are_one_file(
    store_url: str, tmp_path: Path, expected: dict[str, Any], parts: Sequence[Sequence[Row]]
) -> None:
    with desk_on(store_url, tmp_path) as desk:
        reports = [take_in(desk, part) for part in parts]

    assert sum(report.accepted for report in reports) == len(TOWN)
    found = derived(store_url)
    for table, rows in expected.items():
        assert found[table] == rows, table


def test_a_parent_that_arrives_late_gives_the_thread_its_name(journey_url: str, tmp_path: Path) -> None:
    parent = tweet(30, "500", 21, "@KestrelBank the app shows a blank page since the update")
    with desk_on(journey_url, tmp_path) as desk:
        take_in(desk, EVE[:1])
        assert threads_of(journey_url) == {"twitter:30": {"31"}}
        take_in(
            desk, [tweet(29, BRAND, 22, "@500 Hello, how can we help?"), {**parent, "in_response_to_tweet_id": "29"}]
        )
        take_in(desk, EVE[1:])
        nothing_differs(desk)

    assert threads_of(journey_url) == {"twitter:29": {"29", "30", "31", "32"}}


def test_two_orphans_of_one_missing_parent_meet_in_its_thread(store_url: str, tmp_path: Path) -> None:
    other = tweet(33, "500", 18, "@KestrelBank and the second phone shows the same", 30)
    with desk_on(store_url, tmp_path) as desk:
        take_in(desk, EVE[:1])
        take_in(desk, [other])
        nothing_differs(desk)

    assert threads_of(store_url) == {"twitter:30": {"31", "33"}}


def test_a_row_far_below_the_watermark_is_taken(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk:
        before = take_in(desk, BEN)
        after = take_in(desk, ADA)

    assert after.accepted == 3
    assert after.watermark == before.watermark


@pytest.mark.parametrize("engine", ["polars", "pandas"])
def test_the_engines_give_identical_tables(
    store_url: str, tmp_path: Path, expected: dict[str, Any], engine: str
) -> None:
    with desk_on(store_url, tmp_path, engine=engine) as desk:
        take_in(desk, TOWN[::2])
        take_in(desk, TOWN[1::2])

    assert derived(store_url) == expected


def test_several_processes_give_what_one_gives(journey_url: str, tmp_path: Path, expected: dict[str, Any]) -> None:
    with desk_on(journey_url, tmp_path, workers=2, block_rows=3) as desk:
        take_in(desk, TOWN)

    assert derived(journey_url) == expected


def test_other_column_names(store_url: str, tmp_path: Path, expected: dict[str, Any]) -> None:
    names = {"tweet_id": "id", "author_id": "user", "in_response_to_tweet_id": "parent"}
    path = write_csv(tmp_path / "other.csv", TOWN, names)
    with desk_on(store_url, tmp_path) as desk:
        batch.ingest(Source(path=path, format="twcs", columns=names), desk, Steady())
        with pytest.raises(UnsuitableError, match="no column tweet_id"):
            batch.ingest(Source(path=path, format="twcs"), desk, Steady())

    assert derived(store_url) == expected
    [_, refused] = rows_of(store_url, "SELECT state, error FROM ingest_run ORDER BY id")
    assert refused["state"] == "failed"
    assert "no column tweet_id" in refused["error"]


def test_without_mood_nothing_is_read_but_signals(store_url: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "town.csv", TOWN)
    with quick(store_url, tmp_path) as desk:
        batch.ingest(Source(path=path, format="twcs", with_mood=False), desk, Steady())

    assert one_of(store_url, "SELECT count(*) FROM event WHERE sentiment IS NOT NULL OR language <> 'und'") == 0
    assert one_of(store_url, "SELECT count(*) FROM event WHERE signals <> 0") > 0
