"""From a file to threads, cases and profiles: what counts, what is kept apart, and that order never matters."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from journey import (
    ADA,
    BEN,
    BRAND,
    CLEO,
    DAN,
    DEFAULT,
    EVE,
    MASTER,
    NOW,
    TOWN,
    Row,
    Steady,
    Stops,
    derived,
    desk_on,
    one_of,
    quick,
    rows_of,
    said,
    take_in,
    take_in_events,
    threads_of,
    tweet,
    write_csv,
    write_events,
)

from harken.errors import UnsuitableError
from harken.flow import batch, rebuild
from harken.flow.batch import Source
from harken.flow.desk import Desk
from harken.privacy.ring import KeyRing

Store = Callable[[], str]


@pytest.fixture(scope="module")
def expected(town_url: str) -> dict[str, list[dict[str, Any]]]:
    """What the town comes to, ingested at once and in order."""
    return derived(town_url)


def nothing_differs(desk: Desk) -> None:
    report = rebuild.check(desk, Steady())
    assert report.mismatches == 0
    assert report.values > 0


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


# What is wrong with a row

WRONG = [
    ("bad_id", {**tweet(1, "1", 5, "An id that a spreadsheet has spoiled"), "tweet_id": "1.2E+17"}),
    ("empty_text", tweet(90, "1", 5, "   ")),
    ("unreadable_time", {**tweet(91, "1", 5, "When was this?"), "created_at": "yesterday"}),
    ("time_in_future", tweet(92, "1", -48, "@KestrelBank I write from the day after tomorrow")),
    ("bad_inbound", {**tweet(93, "1", 5, "Whose is this?"), "inbound": "perhaps"}),
    ("bad_author", tweet(94, "", 5, "Nobody said this")),
    ("conflicting_duplicate", tweet(10, "200", 3, "The same number and other words")),
]


def test_every_row_is_accepted_a_duplicate_or_in_quarantine(journey_url: str, tmp_path: Path) -> None:
    mojibake = tweet(95, "600", 5, "@KestrelBank I canâ€™t log in")
    path = write_csv(tmp_path / "mixed.csv", [*TOWN, *(row for _, row in WRONG), TOWN[0], mojibake])
    with path.open("a") as file:
        file.write("96,600,True\n")
    with desk_on(journey_url, tmp_path) as desk:
        report = batch.ingest(Source(path=path, format="twcs"), desk, Steady())
        again = batch.ingest(Source(path=path, format="twcs"), desk, Steady())
    kept = rows_of(journey_url, "SELECT line, reason, format, released_at FROM quarantine ORDER BY line")

    assert report.rows_read == report.accepted + report.duplicates + sum(report.quarantined.values()) == 21
    assert report.quarantined == {**{reason: 1 for reason, _ in WRONG}, "broken_row": 1}
    assert report.duplicates == 1
    assert report.repaired["mojibake"] == 1
    assert [(row["line"], row["reason"]) for row in kept] == [
        *[(line, reason) for line, (reason, _) in enumerate(WRONG, start=13)],
        (22, "broken_row"),
    ]
    assert (again.accepted, again.duplicates) == (0, 13)
    assert one_of(journey_url, "SELECT count(*) FROM quarantine") == len(kept), "kept once, however often it is read"


def test_the_raw_text_is_kept_beside_what_was_recognised(town_url: str) -> None:
    [row] = rows_of(
        town_url, "SELECT subject, id, body, wrapped FROM event JOIN subject_key USING (subject) WHERE id = 'twitter:2'"
    )
    body = KeyRing(MASTER).open(row["subject"], row["wrapped"], row["id"], row["body"])

    assert body.text == ADA[1]["text"]
    assert {body.text[start:end] for start, end, _ in body.spans} == {"@100", "https://kestrel.example/limits"}


def test_an_answer_is_sealed_with_the_key_of_the_customer_it_answers(town_url: str) -> None:
    subjects = rows_of(town_url, "SELECT id, subject FROM event WHERE kind = 'message_sent' ORDER BY id")

    assert {row["id"]: row["subject"] for row in subjects} == {
        "twitter:2": "twitter:100",
        "twitter:21": "twitter:300",
        "twitter:23": "twitter:400",
        "twitter:32": "twitter:500",
    }


def test_no_word_of_a_customer_is_readable_in_the_database(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk:
        take_in(desk, [*TOWN, tweet(91, "700", -48, "@KestrelBank a blank page, the day after tomorrow")])
    tables = rows_of(
        store_url, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    assert {"event", "quarantine", "conversation", "decision"} <= {table["relname"] for table in tables}

    for table in tables:
        for word in ("February", "blank", "Cards, then Limits", "tomorrow"):
            hits = one_of(
                store_url,
                f"SELECT count(*) FROM {table['relname']} AS t WHERE position(%s in t::text) > 0 "
                f"OR position(encode(convert_to(%s, 'UTF8'), 'hex') in t::text) > 0",
                (word, word),
            )
            assert hits == 0, f"{word} in {table['relname']}"
    assert not list(tmp_path.glob("spool/*")), "the working folder is empty again"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE event SET author = 'x'",
        "DELETE FROM event",
        "TRUNCATE event",
        "DELETE FROM decision",
        "DELETE FROM subject_key",
    ],
)
def test_the_serving_role_cannot_change_the_log(town_url: str, change: str) -> None:
    with psycopg.connect(town_url) as connection:
        connection.execute("SET ROLE harken_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(change)  # type: ignore[arg-type]


@pytest.mark.parametrize("change", ["UPDATE event SET author = 'x'", "DELETE FROM event"])
def test_not_even_the_owner_changes_the_log_by_accident(town_url: str, change: str) -> None:
    with psycopg.connect(town_url) as connection, pytest.raises(psycopg.Error, match="the log only grows"):
        connection.execute(change)  # type: ignore[arg-type]


# Quarantine, tried again


def test_a_row_from_the_future_is_taken_once_its_time_has_come(store_url: str, tmp_path: Path) -> None:
    future = tweet(92, "200", -48, "@KestrelBank and now it is gone again")
    with quick(store_url, tmp_path) as desk:
        first = take_in(desk, [*BEN, future])
        still = batch.retry("twcs", desk, Steady())
    with quick(store_url, tmp_path, now=NOW + timedelta(hours=72)) as desk:
        later = batch.retry("twcs", desk, Steady())
        nothing = batch.retry("twcs", desk, Steady())
        nothing_differs(desk)

    assert first.quarantined == still.quarantined == {"time_in_future": 1}
    assert (still.rows_read, still.accepted) == (1, 0)
    assert (later.rows_read, later.accepted, later.quarantined) == (1, 1, {})
    assert nothing.rows_read == 0
    assert one_of(store_url, "SELECT count(*) FROM event") == 2
    assert one_of(store_url, "SELECT released_at FROM quarantine") == NOW + timedelta(hours=72)


def test_what_stays_wrong_stays_in_quarantine(store_url: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "wrong.csv", [*BEN, *(row for _, row in WRONG)])
    with path.open("a") as file:
        file.write("96,600,True\n")
    with desk_on(store_url, tmp_path) as desk:
        batch.ingest(Source(path=path, format="twcs"), desk, Steady())
    with desk_on(store_url, tmp_path, now=NOW + timedelta(hours=72)) as desk:
        retried = batch.retry("twcs", desk, Steady())

    assert retried.accepted == 1, "the one from the future has come true"
    assert retried.rows_read == len(WRONG) + 1
    waiting = rows_of(store_url, "SELECT reason FROM quarantine WHERE released_at IS NULL")
    assert {row["reason"] for row in waiting} == {reason for reason, _ in WRONG} - {"time_in_future"} | {"broken_row"}


@pytest.mark.parametrize("format", ["twcs", "events"])
def test_the_quarantine_of_one_format_is_not_read_as_another(store_url: str, tmp_path: Path, format: str) -> None:
    late = NOW + timedelta(hours=72)
    with quick(store_url, tmp_path) as desk:
        take_in(desk, [*BEN, tweet(92, "200", -48, "@KestrelBank and now it is gone again")])
        take_in_events(desk, [said(1, "zoe", 1, "Hello?"), said(2, "zoe", -48, "Hello again?")])
    with quick(store_url, tmp_path, now=late) as desk:
        report = batch.retry(format, desk, Steady())

    assert report.accepted == 1
    assert rows_of(store_url, "SELECT format FROM quarantine WHERE released_at IS NOT NULL") == [{"format": format}]


# Interrupted

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


# Our own events


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
