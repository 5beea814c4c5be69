"""The made-up bank: the same seed gives the same bytes, and every kind of trouble is in it."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.cli import demo_bank
from harken.domain.event import Channel

START = datetime(2026, 3, 2, tzinfo=UTC)
KINDS = {"message_received", "message_sent", "issue_resolved", "payment", "transaction", "login", "consent"}
CHANNELS = {channel.value for channel in Channel} - {"web", "system"}  # those of customers who talk to a bank


@pytest.fixture(scope="module")
def rows() -> list[demo_bank.Row]:
    return list(demo_bank.generate(7, start=START))


def sound(rows: list[demo_bank.Row]) -> list[demo_bank.Row]:
    """The rows that nothing is wrong with, once each."""
    end = "2026-03-16"
    return list(
        {
            r["id"]: r for r in rows if r["id"] and r["kind"] in KINDS and START.isoformat() < r["happened_at"] < end
        }.values()
    )


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = tmp_path / "first", tmp_path / "second", tmp_path / "other"

    count = demo_bank.write(first, 7, start=START)
    demo_bank.write(second, 7, start=START)
    demo_bank.write(other, 8, start=START)

    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes() != other.read_bytes()
    assert count == len(first.read_text().splitlines())
    assert all(json.loads(line)["brand"] == "KestrelBank" for line in first.read_text().splitlines())


def test_it_is_the_size_of_a_demo(rows: list[demo_bank.Row]) -> None:
    assert 2_500 <= len(rows) <= 4_000
    assert 280 <= len({row["customer"] for row in rows}) <= 320


def test_every_channel_and_kind_occurs(rows: list[demo_bank.Row]) -> None:
    assert {row["channel"] for row in rows} == CHANNELS
    assert {row["kind"] for row in rows} >= KINDS


def test_replies_point_to_something_earlier_of_the_same_customer(rows: list[demo_bank.Row]) -> None:
    by_id = {row["id"]: row for row in sound(rows)}
    replies = [row for row in by_id.values() if "in_reply_to" in row]

    assert len(replies) > 500
    for row in replies:
        parent = by_id[row["in_reply_to"]]
        assert parent["happened_at"] <= row["happened_at"]
        assert parent["customer"] == row["customer"]


def test_the_bank_keeps_its_hours_and_sundays_are_quiet(rows: list[demo_bank.Row]) -> None:
    moments = [(r["kind"], datetime.fromisoformat(r["happened_at"])) for r in sound(rows)]
    answers = [at for kind, at in moments if kind == "message_sent"]
    asked = Counter(at.weekday() for kind, at in moments if kind == "message_received")

    assert all(at.weekday() < 6 and 8 <= at.hour < 20 for at in answers)
    assert asked[6] < asked[0] / 2


@pytest.mark.parametrize(
    "words",
    [
        "stolen", "ombudsman", "Ignore all previous instructions", "real person", "expiry 09/29", "@example.com",
        "funktioniert", "extranjero", "virement", "twice", "Still not working", "works now", "mortgage", "KB-",
    ],
)  # fmt: skip
def test_the_stories_are_told(rows: list[demo_bank.Row], words: str) -> None:
    assert any(words.lower() in row["text"].lower() for row in rows)


def test_nothing_is_left_to_fill_in(rows: list[demo_bank.Row]) -> None:
    assert not [row["text"] for row in rows if "{" in row["text"] or "}" in row["text"]]


def test_one_customer_is_seen_on_two_channels(rows: list[demo_bank.Row]) -> None:
    seen: dict[str, set[str]] = {}
    for row in sound(rows):
        if row["kind"] == "message_received":
            seen.setdefault(row["customer"], set()).add(row["channel"])
    assert any({"twitter", "email"} <= channels for channels in seen.values())


def test_the_quality_report_has_something_to_show(rows: list[demo_bank.Row]) -> None:
    ids = Counter(row["id"] for row in rows if row["id"])

    assert sum(count - 1 for count in ids.values()) >= 10
    assert [row["id"] for row in rows].count("") == 1
    assert len([row for row in rows if row["kind"] not in KINDS]) == 2
    assert len([row for row in rows if row["kind"] == "message_received" and not row["text"].strip()]) == 3
    assert len([row for row in rows if row["happened_at"] > "2050"]) >= 2
    assert any("â€™" in row["text"] for row in rows)
    times = [row["happened_at"] for row in sound(rows)]
    assert times != sorted(times), "some rows come late"


def test_a_conversation_may_be_cut_by_the_end_of_the_two_weeks() -> None:
    day = list(demo_bank.generate(7, customers=60, days=1, start=START))
    kept = [r for r in day if r["happened_at"].startswith("2026-03-02") and r["kind"] in KINDS]

    assert all(START <= datetime.fromisoformat(r["happened_at"]) < START + timedelta(days=1) for r in kept)


@settings(max_examples=tries(15), deadline=None)
@given(st.integers(), st.integers(0, 12), st.integers(1, 3))
def test_any_seed_and_size_will_do(seed: int, customers: int, days: int) -> None:
    made = list(demo_bank.generate(seed, customers=customers, days=days, start=START))

    assert bool(made) == bool(customers)
    assert made == list(demo_bank.generate(seed, customers=customers, days=days, start=START))
