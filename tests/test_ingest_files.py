"""Events of our own format beside a file of tweets, and files that are none."""

from pathlib import Path

import pytest
from ingest_cases import nothing_differs
from journey import (
    ADA,
    BRAND,
    CLEO,
    DAN,
    Steady,
    derived,
    desk_on,
    one_of,
    quick,
    rows_of,
    said,
    take_in,
    take_in_events,
    write_events,
)

from harken.errors import UnsuitableError
from harken.flow import batch
from harken.flow.batch import Source


def test_events_of_every_kind(store_url: str, tmp_path: Path) -> None:
    events = [
        said(1, "zoe", 50, "My transfer of Monday has not arrived."),
        said(2, "zoe", 49, "We are looking into it.", kind="message_sent", in_reply_to="kb:1", author=BRAND),
        said(3, "zoe", 48, "", kind="issue_resolved", in_reply_to="kb:2"),
        said(4, "zoe", 47, "", kind="payment", attributes={"amount_minor": 1250}),
        said(5, "zoe", 46, "", kind="consent", attributes={"channel": "phone", "granted": True}),
        said(6, "zoe", 45, "", kind="login", attributes={"success": False}),
        said(7, "yan", 2, "Can you raise my limit?", channel="chat"),
    ]
    with desk_on(store_url, tmp_path) as desk:
        report = take_in_events(desk, events)
        nothing_differs(desk)

    assert (report.accepted, report.conversations, report.customers) == (7, 2, 2)
    assert one_of(store_url, "SELECT count(*) FROM turn") == 4


def test_a_mixed_store(store_url: str, tmp_path: Path) -> None:
    with desk_on(store_url, tmp_path) as desk:
        take_in(desk, [*ADA, *CLEO])
        take_in_events(desk, [said(1, "zoe", 50, "My transfer of Monday has not arrived.")])
        report = take_in(desk, DAN)
        nothing_differs(desk)

    assert (report.threads, report.customers) == (3, 4)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02binary", "binary"),
        (b"a,b,c\n1,2,3\n", "no column"),
        (b"no commas at all\n", "not CSV"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(
    store_url: str, tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with quick(store_url, tmp_path) as desk, pytest.raises(UnsuitableError, match=complaint) as refused:
        batch.ingest(Source(path=path, format="twcs"), desk, Steady())

    assert "\n" not in str(refused.value)


def test_a_file_without_a_row_is_an_empty_run(store_url: str, tmp_path: Path) -> None:
    with desk_on(store_url, tmp_path) as desk:
        report = take_in(desk, [])

    assert (report.rows_read, report.accepted, report.watermark) == (0, 0, None)


@pytest.mark.parametrize("what", ["a folder", "missing"])
def test_a_path_that_is_no_file(store_url: str, tmp_path: Path, what: str) -> None:
    path = tmp_path if what == "a folder" else tmp_path / "missing.csv"
    with quick(store_url, tmp_path) as desk, pytest.raises(UnsuitableError, match=r"folder|does not exist"):
        batch.ingest(Source(path=path, format="twcs"), desk, Steady())

    assert rows_of(store_url, "SELECT FROM ingest_run") == []


def test_the_first_line_of_an_events_file_must_be_an_object(store_url: str, tmp_path: Path) -> None:
    path = write_events(tmp_path / "events.jsonl", [])
    path.write_text("id,text\n")
    with quick(store_url, tmp_path) as desk, pytest.raises(UnsuitableError, match="not JSON Lines"):
        batch.ingest(Source(path=path, format="events"), desk, Steady())


def test_a_late_answer_takes_its_place_among_turns_that_time_had_linked(
    store_url: str, another_store_url: str, tmp_path: Path
) -> None:
    """What came after it on the channel goes on from it now, and so is in its thread."""
    early = [said(1, "ada", 9, "Where is my card?"), said(2, "ada", 7, "Hello?"), said(3, "ben", 20, "No statement.")]
    late = [said(4, "ada", 8, "Same here!", in_reply_to="kb:3")]

    with quick(store_url, tmp_path / "parts") as desk:
        take_in_events(desk, early, "early.jsonl")
        take_in_events(desk, late, "late.jsonl")
    with quick(another_store_url, tmp_path / "whole") as desk:
        take_in_events(desk, early + late)

    assert derived(store_url) == derived(another_store_url)
