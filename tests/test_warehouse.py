"""The promises of `flow.ports.Warehouse`, kept by every store."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from journey import ADA, BEN, NOW, TOWN, quick, rows_of, said, take_in, take_in_events, tweet
from store_cases import block, request

from harken import bootstrap
from harken.domain.ids import CustomerId, IdentityId
from harken.domain.run import Run
from harken.errors import TryAgainError
from harken.flow.ports import Warehouse
from harken.flow.tables import DECISIONS


@pytest.fixture
def warehouse(either_url: str) -> Iterator[Warehouse]:
    with bootstrap.served(either_url) as opened:
        yield opened


@pytest.fixture(scope="module")
def town(either_town_url: str) -> Iterator[Warehouse]:
    with bootstrap.served(either_town_url) as opened:
        yield opened


# Runs


def test_one_batch_at_a_time(warehouse: Warehouse, either_url: str) -> None:
    with bootstrap.served(either_url) as other:
        with warehouse.one_batch_at_a_time(), pytest.raises(TryAgainError, match="Another batch"):
            other.one_batch_at_a_time().__enter__()
        with other.one_batch_at_a_time():
            assert other.is_empty()


def test_an_unfinished_run_is_resumed_with_what_it_has_done(warehouse: Warehouse) -> None:
    run = warehouse.begin(request())
    warehouse.append(run, "digest", block("twitter:1", "twitter:2"), 0)
    warehouse.fail(run, "the light went out", NOW)
    again = warehouse.begin(request())

    assert not run.resumed
    assert (again.id, again.resumed) == (run.id, True)
    assert {digest: (done.inserted, done.duplicates) for digest, done in again.done.items()} == {"digest": (2, 0)}


def test_a_finished_run_is_not_resumed_and_cannot_fail_any_more(warehouse: Warehouse, either_url: str) -> None:
    run = warehouse.begin(request())
    warehouse.finish(run, {"accepted": 1}, NOW, NOW)
    warehouse.fail(run, "too late", NOW)

    assert warehouse.begin(request()).id != run.id
    assert rows_of(either_url, "SELECT state, error FROM ingest_run WHERE id = %s", (run.id,)) == [
        {"state": "done", "error": None}
    ]


def test_another_file_is_another_run(warehouse: Warehouse) -> None:
    runs = [warehouse.begin(one) for one in (request("one"), request("two"), request("one", columns="tweet_id=id"))]

    assert len({run.id for run in runs}) == 3, "nor is the same file read with other columns the same run"


def test_what_is_set_aside_is_kept_once_and_released_once(warehouse: Warehouse) -> None:
    run = warehouse.begin(request())
    rows = pa.table({"line": [3, 4], "reason": ["bad_id", "empty_text"], "sealed": [b"x", b"y"]})

    assert warehouse.quarantine(run, "abc", "twcs", rows) == 2
    assert warehouse.quarantine(run, "abc", "twcs", rows) == 0
    [first, second] = warehouse.quarantined(0, 10)
    assert (first["line"], first["sealed"], second["reason"]) == (3, b"x", "empty_text")
    assert [row["id"] for row in warehouse.quarantined(first["id"], 10)] == [second["id"]]
    warehouse.release([first["id"]], NOW)
    assert [row["line"] for row in warehouse.quarantined(0, 10)] == [4]


# The log


def test_a_block_is_in_once_whatever_is_delivered_twice(warehouse: Warehouse, either_url: str) -> None:
    run = warehouse.begin(request())
    first = warehouse.append(run, "one", block("twitter:1", "twitter:2"), 0)
    overlapping = warehouse.append(run, "two", block("twitter:2", "twitter:3"), 2)

    assert (first.inserted, first.duplicates) == (2, 0)
    assert (overlapping.inserted, overlapping.duplicates) == (1, 1)
    assert warehouse.known(pa.array(["twitter:3", "twitter:9"])).to_pylist() == ["twitter:3"]
    assert [row["id"] for row in rows_of(either_url, "SELECT id FROM event ORDER BY position")] == [
        "twitter:1", "twitter:2", "twitter:3",
    ]  # fmt: skip


def test_the_first_key_of_a_subject_stays(warehouse: Warehouse) -> None:
    names = ["twitter:1", "twitter:2"]
    warehouse.add_keys(pa.table({"subject": names[:1], "wrapped": [b"first"]}))
    warehouse.add_keys(pa.table({"subject": names, "wrapped": [b"second", b"other"]}))
    found = warehouse.keys(pa.array([*names, "twitter:3"]))

    assert dict(zip(found["subject"].to_pylist(), found["wrapped"].to_pylist(), strict=True)) == {
        "twitter:1": b"first", "twitter:2": b"other",
    }  # fmt: skip


def test_thin_events_of_all_of_a_run_of_a_customer(town: Warehouse) -> None:
    def numbers(**which: Any) -> list[str]:
        return sorted(id_ for batch in town.thin(**which) for id_ in batch["id"].to_pylist())

    assert len(numbers()) == len(TOWN)
    assert len(numbers(run=Run(id=1, resumed=False))) == len(TOWN)  # type: ignore[arg-type]
    assert numbers(run=Run(id=99, resumed=False)) == []  # type: ignore[arg-type]
    assert numbers(identities=[IdentityId("twitter:100"), IdentityId("twitter:200")]) == [
        "twitter:1", "twitter:10", "twitter:3",
    ]  # fmt: skip


def test_neighbours_are_the_trees_that_new_events_may_join(town: Warehouse) -> None:
    def trees(ids: list[str], parents: list[str], identities: list[str]) -> set[str]:
        text = pa.string()
        found = town.neighbours(pa.array(ids, text), pa.array(parents, text), pa.array(identities, text))
        return set(found["thread"].to_pylist())

    assert trees(["twitter:99"], [], []) == set()
    assert trees(["twitter:99"], ["twitter:24"], []) == {"twitter:20"}
    assert trees(["twitter:30"], [], []) == {"twitter:30"}, "somebody's missing parent"
    assert trees(["twitter:99"], ["twitter:30"], []) == {"twitter:30"}, "missing the same parent"
    assert trees([], [], ["twitter:100"]) == {"twitter:1"}


def test_a_settling_is_all_or_nothing(either_url: str, tmp_path: Path) -> None:
    with quick(either_url, tmp_path) as desk:
        take_in(desk, ADA)

        def fails_midway() -> None:
            with desk.warehouse.one_batch_at_a_time(), desk.warehouse.settling() as store:
                store.forget_everything()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fails_midway()

        assert desk.warehouse.totals().conversations == 1


# Reading


def test_totals(town: Warehouse) -> None:
    totals = town.totals()

    assert (totals.events, totals.threads, totals.largest_thread) == (11, 4, 5)
    assert (totals.conversations, totals.customers) == (5, 5)
    assert totals.watermark == NOW - timedelta(hours=2)
    assert totals.position >= 11


def test_an_empty_store(warehouse: Warehouse) -> None:
    totals = warehouse.totals()

    assert warehouse.is_empty()
    assert (totals.events, totals.watermark, totals.position) == (0, None, 0)
    assert warehouse.spans(10) == [("", None)]
    assert warehouse.people(CustomerId("1")) == {}
    assert list(warehouse.dossiers(("", None), 10)) == []


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6])
@pytest.mark.parametrize("most", [None, 1, 2, 4, 5, 9])
def test_spans_cover_the_first_customers_each_once(town: Warehouse, size: int, most: int | None) -> None:
    spans = town.spans(size, most)
    found = [row["identity"] for span in spans for rows in town.dossiers(span, 100) for row in rows]

    assert found == [f"twitter:{number}" for number in (100, 200, 300, 400, 500)][:most]
    assert all(stop == start for (_, stop), (start, _) in pairwise(spans))


def test_a_customer_is_never_parted(either_url: str, tmp_path: Path) -> None:
    rows = [tweet(number, str(100 + number // 3), 40 + number, "Where is my card?") for number in range(12)]
    with quick(either_url, tmp_path) as desk:
        take_in(desk, rows)
        for batch in (1, 2, 3, 100):
            pieces = [[row["identity"] for row in piece] for piece in desk.warehouse.dossiers(("", None), batch)]

            assert sum(map(len, pieces)) == 12
            seen = [identity for piece in pieces for identity in dict.fromkeys(piece)]
            assert len(seen) == len(set(seen)) == 4


def test_names_at_several_sources(either_url: str, tmp_path: Path) -> None:
    with quick(either_url, tmp_path) as desk:
        take_in(desk, BEN)
        take_in_events(
            desk, [said(1, "crm:200", 2, "Hello?"), said(2, "crm:9", 2, "Hello?"), said(3, "a:b:9", 2, "Yes?")]
        )
        store = desk.warehouse

        assert list(store.people(CustomerId("200"))) == ["crm:200", "twitter:200"]
        assert store.people(CustomerId("crm:200")) == {"crm:200": ["crm:200"]}
        assert store.people(CustomerId("b:9")) == {"a:b:9": ["a:b:9"]}
        assert store.shared_names() == ["200"]


def test_a_decision_is_kept_once_alone_or_among_others(warehouse: Warehouse, either_url: str) -> None:
    def decisions(*ids: str) -> pa.Table:
        row = {"customer": "1", "conversation": "t/1/b", "as_of": NOW, "recorded_at": NOW, "record": "{}"}
        return pa.Table.from_pylist([{**row, "id": id_} for id_ in ids], schema=DECISIONS)

    for given in (
        decisions(),
        decisions("a"),
        decisions("a"),
        decisions("a", "b"),
        decisions("c", "d"),
        decisions("d"),
    ):
        warehouse.record(given)

    assert [row["id"] for row in rows_of(either_url, "SELECT id FROM decision ORDER BY id")] == ["a", "b", "c", "d"]
