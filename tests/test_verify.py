"""Served profiles are what the log says, and a wrong one is found."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from journey import NOW, Stops, harken, one_of, quick, rows_of, said, take_in_events
from live_cases import SOURCE, arrival, made_up, receive_all, shuffled, whole_desk
from live_web_cases import BATCH, EVENTS, HERE, spoke, told
from starlette.testclient import TestClient
from test_tail import entries

from harken.decide import policy
from harken.domain.ids import CustomerId
from harken.errors import UnsuitableError
from harken.eventlog import store as eventlog
from harken.flow import serving, verifying
from harken.flow.desk import Desk
from harken.flow.live import receive
from harken.flow.showing import Wanted, show
from harken.profiles import features
from harken.web.app import app_of

POLICY = policy.load()
WAITING = "SELECT count(*) FROM served_profile WHERE checked_at IS NULL"


@pytest.fixture(autouse=True)
def _all_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "ONE_IN", 1)


def serve(desk: Desk, customer: str, **wanted: Any) -> dict[str, Any]:
    return show(CustomerId(customer), desk, POLICY, Wanted(**wanted))


def change(url: str, statement: str) -> None:
    with psycopg.connect(url) as owner:
        assert owner.execute(statement).rowcount == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_served_at_any_time_is_what_the_log_said_then(store_url: str, tmp_path: Path, seed: int) -> None:
    """Events in no order, threads that join later, profiles of now and of weeks ago; checked when all has moved on."""
    delivered = [arrival(event) for event in shuffled(made_up(220, seed), seed)]
    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        receive_all(desk.live, delivered[:60], size=20)
        for at in range(60, len(delivered), 20):
            receive(delivered[at : at + 20], desk.live)
            for number in range(12):
                serve(desk, str(number), as_of=None if number % 2 else NOW - timedelta(hours=40 * number + at))
        served = one_of(store_url, WAITING)
        report = verifying.verify(desk)

    assert served >= 90
    assert (report.profiles, report.raced, report.outdated) == (served, 0, 0)
    assert report.agrees
    assert report.values == {"match": served * len(features.NAMES), "mismatch": 0, "missing": 0, "extra": 0}
    assert one_of(store_url, "SELECT count(*) FROM served_profile") == 0, "what was right is forgotten"


def test_over_http_profiles_and_decisions_of_several_identities_are_sampled(store_url: str, tmp_path: Path) -> None:
    with whole_desk(store_url, tmp_path) as desk, TestClient(app_of(desk), base_url=HERE) as web:
        web.post(BATCH, json={"batch": [told(1, "page", "ada", userId=None, anonymousId="d1"), spoke(1, "ada")]})
        web.post(EVENTS, json=told(2, "identify", "ada", anonymousId="d1"))
        web.get("/api/v1/profiles/ada", params={"features": "messages"})
        web.post("/predict_nba", json={"customer_id": "device:d1"})
        served = rows_of(store_url, "SELECT customer, identities, features FROM served_profile ORDER BY id")
        web.post(EVENTS, json=spoke(2, "ada"))
        report = verifying.verify(desk)
        page = web.get("/metrics").text

    assert [(row["customer"], row["identities"]) for row in served] == [("ada", ["customer:ada", "device:d1"])] * 2
    assert [len(json.loads(row["features"])) for row in served] == [len(features.NAMES)] * 2
    assert (report.profiles, report.agrees) == (2, True)
    assert f'support_consistency_values_total{{result="match"}} {2.0 * len(features.NAMES)}' in page


def _wrong_state(url: str) -> None:
    [row] = rows_of(url, "SELECT state FROM profile WHERE identity = 'customer:1'")
    state = json.loads(row["state"])
    lane = next(iter(state))
    first = next(iter(state[lane]))
    at = next(index for index, cell in enumerate(state[lane][first]) if type(cell) is int and cell < 1_000)
    state[lane][first][at] += 1
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE profile SET state = %s WHERE identity = 'customer:1'", [json.dumps(state)])


def _wrong_facts(url: str) -> None:
    change(
        url,
        "UPDATE conversation SET facts = regexp_replace(facts, '\"reopened\":\\d+', '\"reopened\":7') "
        "WHERE no = (SELECT max(no) FROM conversation WHERE identity = 'customer:1')",
    )


def _lost_conversation(url: str) -> None:
    change(url, "DELETE FROM conversation WHERE no = (SELECT max(no) FROM conversation WHERE identity = 'customer:1')")


@pytest.mark.parametrize(
    ("mutate", "feature"),
    [(_wrong_state, "events"), (_wrong_facts, "reopened_90d"), (_lost_conversation, "conversations_90d")],
)
def test_a_wrong_projection_is_found_and_kept_as_evidence(
    store_url: str, tmp_path: Path, mutate: Callable[[str], None], feature: str
) -> None:
    recent = [arrival(event) for event in made_up(150, seed=4)]
    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        receive_all(desk.live, recent)
        serve(desk, "1")
        mutate(store_url)
        serve(desk, "1")
        serve(desk, "2")
        report = verifying.verify(desk)
        again = verifying.verify(desk)

    assert feature in report.features
    assert (report.profiles, report.values["mismatch"]) == (3, sum(report.features.values()))
    assert not report.agrees
    [kept] = rows_of(store_url, "SELECT customer, differs FROM served_profile")
    assert (kept["customer"], kept["differs"]) == ("1", list(report.features))
    assert (again.profiles, again.agrees) == (0, True), "it is told once"
    assert one_of(store_url, "SELECT number FROM consistency WHERE result = 'mismatch'") == report.values["mismatch"]


def test_a_value_that_was_not_served_and_one_from_nowhere_are_found(store_url: str, tmp_path: Path) -> None:
    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        receive([arrival(event) for event in made_up(40, seed=5)], desk.live)
        serve(desk, "1")
        change(
            store_url,
            "UPDATE served_profile SET features = (features::jsonb - 'messages' || '{\"hats\": 3}'::jsonb)::text",
        )
        report = verifying.verify(desk)

    assert (report.values["missing"], report.values["extra"], report.values["mismatch"]) == (1, 1, 0)
    assert report.features == {"hats": 1, "messages": 1}


def test_only_who_was_being_written_cannot_be_judged(store_url: str, tmp_path: Path) -> None:
    """A transaction is open while profiles are read: what it writes is in no profile, or, had it just ended, in one."""
    with whole_desk(store_url, tmp_path) as desk:
        live = desk.live
        assert live is not None
        receive([arrival(said(1, "ada", 3, "Hello?")), arrival(said(2, "ben", 3, "Hello?"))], live)
        with live.database.transaction() as slow:
            eventlog.append(slow, entries(live, [said(3, "ada", 2, "Hello?")]))
            receive([arrival(said(4, "cleo", 2, "Hello?"))], live)
            for customer in ("ada", "ben", "cleo"):
                serve(desk, customer)
        report = verifying.verify(desk)

    assert (report.profiles, report.raced, report.agrees) == (1, 2, True), (
        "cleo's came after the oldest open transaction"
    )


def test_a_reply_of_ours_that_was_being_written_cannot_be_judged_either(store_url: str, tmp_path: Path) -> None:
    reply = {**said(2, "ada", 1, "Yes.", kind="message_sent"), "in_reply_to": "kb:1"}
    del reply["customer"]
    with whole_desk(store_url, tmp_path) as desk:
        live = desk.live
        assert live is not None
        receive([arrival(said(1, "ada", 3, "Hello?"))], live)
        with live.database.transaction() as slow:
            slow.execute("SELECT pg_current_xact_id()")
            receive([arrival(reply)], live)
            assert serve(desk, "ada")["features"]["open_conversations"] == 0
        serve(desk, "ada")
        report = verifying.verify(desk)

    assert (report.profiles, report.raced, report.agrees) == (1, 1, True)


def test_profiles_of_other_definitions_are_not_compared(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        receive([arrival(said(1, "ada", 3, "Hello?"))], desk.live)
        serve(desk, "ada")
        monkeypatch.setattr(verifying, "definitions_hash", lambda: "newer")
        report = verifying.verify(desk)

    assert (report.profiles, report.outdated, report.agrees) == (0, 1, True)
    assert one_of(store_url, "SELECT count(*) FROM served_profile") == 0


def test_nothing_is_sampled_while_a_files_events_are_not_in_the_profiles(store_url: str, tmp_path: Path) -> None:
    events = made_up(60, seed=7)
    with whole_desk(store_url, tmp_path) as desk, quick(store_url, tmp_path) as files:
        assert desk.live is not None
        receive([arrival(said(900, "ada", 3, "Hello?"))], desk.live)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("journey.Steady", lambda: Stops("profiles"))
            with pytest.raises(KeyboardInterrupt):
                take_in_events(files, events)
        in_log = one_of(store_url, "SELECT count(*) FROM event")
        serve(desk, "ada")
        between = one_of(store_url, WAITING)
        take_in_events(files, events)
        serve(desk, "ada")
        report = verifying.verify(desk)

    assert (in_log, between) == (61, 0)
    assert (report.profiles, report.agrees) == (1, True)


def test_one_in_a_hundred_is_chosen_without_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    moments = [datetime(2025, 3, 14, tzinfo=UTC) + timedelta(seconds=7 * second) for second in range(500)]
    chosen = [[serving.is_chosen(str(customer), moment) for moment in moments] for customer in range(100)]

    assert 400 < sum(map(sum, chosen)) < 600
    assert max(map(sum, chosen)) < 25, "no customer more than others"
    assert chosen[7] == [serving.is_chosen("7", moment) for moment in moments]


def test_samples_that_nobody_checks_do_not_grow_without_end(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_WAITING", 5)
    with whole_desk(store_url, tmp_path) as desk:
        assert desk.live is not None
        receive([arrival(said(1, "ada", 3, "Hello?"))], desk.live)
        for _ in range(9):
            serve(desk, "ada")
        full = one_of(store_url, WAITING)
        verifying.verify(desk)
        serve(desk, "ada")

    assert (full, one_of(store_url, WAITING)) == (6, 1)


def test_a_sample_holds_nothing_that_anybody_wrote(store_url: str, tmp_path: Path) -> None:
    words = "I am Jane Roe, jane.roe@example.com, +351 912 345 678, card 4111 1111 1111 1111, at 12 Rose Lane"
    with whole_desk(store_url, tmp_path) as desk, TestClient(app_of(desk), base_url=HERE) as web:
        web.post(EVENTS, json=spoke(1, "ada", words))
        traits = {
            "email": "jane.roe@example.com",
            "phone": "+351912345678",
            "name": "Jane Roe",
            "address": "12 Rose Lane",
        }
        web.post(EVENTS, json=told(2, "identify", "ada", traits=traits))
        web.get("/api/v1/profiles/ada")
        [row] = rows_of(store_url, "SELECT row_to_json(s)::text AS said FROM served_profile AS s")

    assert '"messages":1' in row["said"].replace('\\"', '"')
    found = [word for word in ("Jane", "Roe", "example", "912", "4111", "Rose") if word.lower() in row["said"].lower()]
    assert found == []


def test_the_command_ends_with_one_where_something_differs(store_url: str, tmp_path: Path) -> None:
    with whole_desk(store_url, tmp_path) as desk, pytest.MonkeyPatch.context() as patch:
        assert desk.live is not None
        patch.setenv("HARKEN_HOME", str(tmp_path))
        receive([arrival(event) for event in made_up(40, seed=5)], desk.live)
        serve(desk, "1")
        right = harken("profile", "verify", "--store", store_url, "--json")
        serve(desk, "1")
        change(store_url, "UPDATE served_profile SET features = replace(features, '\"messages\":', '\"hats\":')")
        wrong = harken("profile", "verify", "--store", store_url)

    assert (right.code, right.json["values"]["match"], right.json["profiles"]) == (0, len(features.NAMES), 1)
    assert wrong.code == 1
    assert "1 missing" in wrong.out
    assert "messages differs in 1" in wrong.out


def test_a_store_that_takes_files_only_has_nothing_to_verify(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk:
        take_in_events(desk, made_up(20, seed=1))
        serve(
            desk,
            f"{SOURCE}:1" if not rows_of(store_url, "SELECT 1 FROM profile WHERE identity = 'customer:1'") else "1",
        )
        assert one_of(store_url, "SELECT count(*) FROM served_profile") == 0
        with pytest.raises(UnsuitableError, match="files only"):
            verifying.verify(desk)
