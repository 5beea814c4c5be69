"""`harken tail`: every event once and in order, however many write at once, with what it changed and never what was written."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from journey import BRAND, MASTER, NOW, Steady, one_of, quick, rows_of, said
from live_cases import arrival, live_desk, made_up, receive_all, shuffled, whole_desk
from store_cases import block, request
from test_live import patiently

from harken import bootstrap
from harken.adapters.warehouses.postgres import log
from harken.adapters.warehouses.postgres.arrow import ArrowConnection
from harken.domain.ids import CustomerId
from harken.errors import UnknownCustomerError, UnsuitableError
from harken.eventlog import store as eventlog
from harken.flow import preparing, rebuild, tailing
from harken.flow.desk import LiveDesk
from harken.flow.live import receive
from harken.flow.tailing import Tail
from harken.profiles import read
from harken.profiles.features import CONVERSATION_FEATURES, definitions_hash

INVERSIONS = (
    "SELECT count(*) FROM (SELECT tx, lag(tx) OVER (ORDER BY position) AS before FROM event) AS t WHERE before > tx"
)


def entries(desk: LiveDesk, events: Sequence[dict[str, Any]]) -> list[eventlog.Entry]:
    return preparing.sealed([arrival(event) for event in events], desk.database, MASTER, with_mood=False)


def wrote(number: int, customer: str, hours_ago: float, text: str = "Is anybody there?", **more: Any) -> dict[str, Any]:
    return said(number, customer, hours_ago, text, **more)


def positions(told: Sequence[dict[str, Any]]) -> list[int]:
    return [event["position"] for event in told]


def test_nothing_is_skipped_while_a_lower_position_is_not_committed(store_url: str, tmp_path: Path) -> None:
    with whole_desk(store_url, tmp_path) as desk:
        live = desk.live
        assert live is not None
        receive([arrival(wrote(1, "ada", 3))], live)
        tail, late_comer = Tail(desk, first=1), Tail(desk)
        assert positions(tail.news()) == [1]
        with live.database.transaction() as slow:
            assert list(eventlog.append(slow, entries(live, [wrote(2, "ben", 2)])).values()) == [2]
            receive([arrival(wrote(3, "cleo", 1))], live)
            assert one_of(store_url, "SELECT max(position) FROM event") == 3, "the higher one can be seen"
            assert tail.news() == [], "and is not told before the lower one"
            begun_meanwhile = Tail(desk)
        assert positions(tail.news()) == [2, 3]
        assert positions(late_comer.news()) == positions(begun_meanwhile.news()) == [2, 3]
        assert tail.news() == []


def test_every_event_is_told_once_and_in_order_while_writers_write(store_url: str, tmp_path: Path) -> None:
    """In a store that is empty at first: then the writers also race for who says what its profiles are made with."""
    events = made_up(240, seed=9)
    delivered = [arrival(event) for event in shuffled(events, seed=9, twice=0.2)]
    parts = [delivered[at : at + 5] for at in range(0, len(delivered), 5)]
    with whole_desk(store_url, tmp_path) as desk, ThreadPoolExecutor(4) as writers:
        tail = Tail(desk, first=1)
        writing = [writers.submit(patiently, part, desk.live) for part in parts]
        told: list[int] = []
        while not all(part.done() for part in writing):
            told += positions(tail.news())
        told += positions(tail.news())

    assert told == sorted(row["position"] for row in rows_of(store_url, "SELECT position FROM event"))
    assert len(told) == len(events)
    assert one_of(store_url, INVERSIONS) == 0


def test_a_transaction_has_no_number_before_its_positions(store_url: str) -> None:
    """Otherwise the first two of a new store could end in an order that makes a reader skip one."""
    with live_desk(store_url) as desk, desk.database.transaction() as tx:
        assert eventlog.take_turn(tx, definitions_hash())
        assert tx.execute("SELECT pg_current_xact_id_if_assigned() AS number").fetchone() == {"number": None}


def test_blocks_of_a_file_have_no_number_before_their_positions_either(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several processes append at once; a block with a known row goes in by another way."""
    numbers: list[str | None] = []
    reserve = log._reserved

    def watched(connection: ArrowConnection, rows: int) -> int:
        [found] = connection.fetch("SELECT pg_current_xact_id_if_assigned()::text AS number").to_pylist()
        numbers.append(found["number"])
        return reserve(connection, rows)

    monkeypatch.setattr(log, "_reserved", watched)
    with bootstrap.served(store_url) as warehouse:
        run = warehouse.begin(request())
        warehouse.append(run, "one", block("twitter:1", "twitter:2"), 0)
        overlapping = warehouse.append(run, "two", block("twitter:2", "twitter:3"), 2)

    assert (overlapping.inserted, overlapping.duplicates) == (1, 1)
    assert numbers == [None, None, None], "the straight way, and both ways for the one that overlaps"


def test_what_an_event_changed_is_what_the_log_says_with_and_without_it(store_url: str, tmp_path: Path) -> None:
    """In any order of arrival, with more than the tail asks for at once, compared with a reading of the whole log."""
    events = shuffled(made_up(150, seed=12), seed=12)
    with whole_desk(store_url, tmp_path) as desk, pytest.MonkeyPatch.context() as patch:
        assert desk.live is not None
        receive_all(desk.live, [arrival(event) for event in events], size=11)
        patch.setattr(tailing, "AT_ONCE", 40)
        patch.setattr(tailing, "MOST_IDENTITIES", 5)
        tail = Tail(desk, first=1)
        told = [event for _ in range(4) for event in tail.news()]
        with desk.live.database.statement() as tx:
            whole = eventlog.read(tx, 0, 1_000)

    assert len(told) == len(whole) == 150
    beside = {feature.name for feature in CONVERSATION_FEATURES}
    for event in told:
        own = [row for row in whole if row["identity"] == event["identity"] and row["position"] <= event["position"]]
        if event["identity"] is None:
            assert event["changed"] == {}
            continue
        until = max(row["at"] for row in own) + 1
        without = read.read_from_events([row for row in own if row["position"] < event["position"]], until)
        with_it = read.read_from_events(own, until)
        changed = {name: (without[name], value) for name, value in with_it.items() if without[name] != value}
        found = {name: value for name, value in event["changed"].items() if name in with_it}
        assert found == changed
        assert beside.isdisjoint(event["changed"])


def test_a_third_message_of_the_day_is_told_as_that(store_url: str, tmp_path: Path) -> None:
    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        tail = Tail(desk)
        receive([arrival(wrote(number, "ada", 4 - number)) for number in (1, 2)], desk.live)
        receive([arrival(wrote(3, "ada", 1))], desk.live)
        receive([arrival(wrote(4, "ada", 0.5, kind="payment", attributes={"amount_minor": 1250}))], desk.live)
        *_, third, paid = tail.news()

    assert third["changed"]["messages_24h"] == (2, 3)
    assert third["changed"]["engagement_30d"] == (6, 9)
    assert (third["customer"], third["kind"], third["channel"]) == ("ada", "message_received", "email")
    assert paid["changed"]["payment_amount_7d"] == (0, 1250)
    assert "messages_24h" not in paid["changed"]


def test_only_one_customer_is_followed_whatever_they_are_called(store_url: str, tmp_path: Path) -> None:
    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        receive([arrival(wrote(1, "ada", 5)), arrival(wrote(2, "ben", 4))], desk.live)
        tail = Tail(desk, first=1, customer=CustomerId("ben"))
        with pytest.raises(UnknownCustomerError):
            Tail(desk, customer=CustomerId("nobody"))
        told = tail.news()
        receive([arrival(wrote(3, "ada", 3)), arrival(wrote(4, "ben", 2))], desk.live)
        told += tail.news()

    assert [(event["customer"], event["changed"]["messages"]) for event in told] == [("ben", (0, 1)), ("ben", (1, 2))]


def test_somebody_with_too_many_events_is_followed_without_saying_what_changed(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tailing, "MOST_EVENTS", 2)
    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        receive([arrival(wrote(number, "ada", 9 - number)) for number in range(1, 5)], desk.live)
        told = Tail(desk, first=4).news() + Tail(desk, first=3).news()

    assert [event["changed"] is None for event in told] == [True, False, False]


def test_a_store_without_a_live_log_says_so(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk, pytest.raises(UnsuitableError, match="PostgreSQL"):
        Tail(desk)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_tells_what_arrives_and_ends_without_a_trace(
    store_url: str, tmp_path: Path, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "harken", "tail", "--from", "1", "--store", store_url, "--json"]
    environment = {**os.environ, "HARKEN_HOME": str(tmp_path)}
    with live_desk(store_url) as desk:
        receive([arrival(wrote(1, "ada", 2, "hush-hush jane@example.com"))], desk)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            first = process.stdout.readline()
            receive([arrival(wrote(2, "ada", 1, "hush-hush again"))], desk)
            second = process.stdout.readline()
            process.send_signal(number)
            rest, errors = process.stdout.read(), process.stderr.read()

    assert (process.returncode, rest, errors) == (0, "", "")
    assert json.loads(first)["changed"]["messages"] == [0, 1]
    assert json.loads(second)["changed"]["messages_24h"] == [1, 2]
    assert json.loads(second)["happened_at"].endswith("Z")
    assert "hush" not in first + second
    assert "jane" not in first + second


def test_lines_for_people_leave_moments_out(store_url: str, tmp_path: Path) -> None:
    from harken.cli.tail import _line  # noqa: PLC0415

    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        receive([arrival(wrote(1, "ada", 2, brand=BRAND))], desk.live)
        [line] = [_line(event) for event in Tail(desk, first=1).news()]

    assert f"{NOW:%Y-%m-%d} 10:00:00" in line
    assert "messages_24h 0→1" in line
    assert "last_seen_at" not in line


def test_what_is_told_agrees_with_the_profile(store_url: str, tmp_path: Path) -> None:
    """The last word of the tail on each feature is what the stored state says."""
    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        receive_all(desk.live, [arrival(event) for event in made_up(80, seed=30)], size=9)
        assert rebuild.check(desk, Steady()).mismatches == 0
        last = {event["identity"]: event for event in Tail(desk, first=1).news() if event["identity"]}
        counts = {who: event["changed"]["events"][1] for who, event in last.items()}

    assert counts == {
        row["identity"]: row["n"]
        for row in rows_of(store_url, "SELECT identity, count(*) AS n FROM event WHERE identity IS NOT NULL GROUP BY 1")
    }
