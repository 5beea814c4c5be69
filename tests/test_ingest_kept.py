"""What is kept of a file: each row has its place, what is wrong is tried again, words are sealed, and the log only grows."""

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from ingest_cases import nothing_differs
from journey import (
    ADA,
    BEN,
    MASTER,
    NOW,
    TOWN,
    Steady,
    desk_on,
    one_of,
    quick,
    rows_of,
    said,
    take_in,
    take_in_events,
    tweet,
    write_csv,
)

from harken.flow import batch
from harken.flow.batch import Source
from harken.privacy.ring import KeyRing

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
