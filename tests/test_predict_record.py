"""What is on record of advice, as of which moment, for one customer, and under another policy."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from journey import BEN, CLEO, NOW, TOWN, Steady, quick, rows_of, said, take_in, take_in_events
from predict_cases import LAST, asked, the_town, the_towns_file  # noqa: F401  fixtures among them

from harken.bootstrap import load_policy
from harken.domain.ids import CustomerId
from harken.errors import AmbiguousCustomerError, UnknownCustomerError, UnsuitableError
from harken.flow import predict
from harken.flow.desk import Desk
from harken.flow.predict import Asked


def recorded(url: str) -> list[dict[str, Any]]:
    return rows_of(url, "SELECT id, customer, conversation, as_of, record::jsonb AS record FROM decision ORDER BY id")


# On record


def test_a_decision_is_on_record_once(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk:
        take_in(desk, TOWN)
        _, rows = asked(desk)
        first = recorded(store_url)
        asked(desk)
        asked(desk, all_cases=True)

    assert recorded(store_url) == first
    assert {row["customer"] for row in first} == {row["customer_id"] for row in rows}
    by_customer = {row["customer"]: row["record"] for row in first}
    for row in rows:
        record = by_customer[row["customer_id"]]
        assert record["channel"] == row["channel"]
        assert record["issue_status"] == row["issue_status"]
        assert datetime.fromisoformat(record["send_at"]) == datetime.fromisoformat(row["send_time"])


def test_a_record_has_all_that_was_weighed(town_url: str, advised: dict[str, Any]) -> None:
    [ben] = [
        row for row in recorded(town_url) if row["conversation"].startswith("twitter:10/") and row["as_of"] == LAST
    ]
    record = ben["record"]

    assert {candidate["action"] for candidate in record["candidates"]} == {
        "answer", "ask_details", "call_back", "follow_up_email", "hand_to_person", "propose_close", "wait",
    }  # fmt: skip
    assert [one["action"] for one in record["candidates"] if one["kept"]] == [record["action"]] == ["hand_to_person"]
    assert all(one["rule"] and one["stage"] and one["because"] for one in record["candidates"])
    assert record["probability"] == 1
    assert record["features"]["messages"] == 1
    assert record["policy"]
    assert record["definitions"]
    assert record["mode"] == "offline"
    assert "stolen and somebody" not in json.dumps(record), "a record quotes no message"


# As of a moment


def test_nothing_from_after_the_moment_is_seen(store_url: str, tmp_path: Path) -> None:
    """The same as if the later rows had never been taken in."""
    moment = NOW - timedelta(hours=57, minutes=30)
    before = [row for row in TOWN if when(row) <= moment]
    assert 0 < len(before) < len(TOWN)
    with quick(store_url, tmp_path) as desk:
        take_in(desk, before)
        _, rows = asked(desk, all_cases=True, as_of=moment)
        records = recorded(store_url)
        take_in(desk, TOWN, "all.csv")
        tally, later = asked(desk, all_cases=True, as_of=moment)
        again = [row for row in recorded(store_url) if row["as_of"] == moment]

    by_conversation = {row["conversation_id"]: row for row in later}
    assert by_conversation == {row["conversation_id"]: row for row in rows}
    assert [row["chat_log"].count("\n") for row in later] == [1, 0]
    assert tally.decisions == 2

    def weighed(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Without what was known when: the log's position, of which the decision's id is made too."""
        return {row["conversation"]: {**row["record"], "profile_position": 0} for row in found}

    assert weighed(again) == weighed(records)


def when(row: dict[str, str]) -> datetime:
    return datetime.strptime(row["created_at"], "%a %b %d %H:%M:%S %z %Y")


def test_before_everything_nobody_has_an_issue(town: Desk) -> None:
    tally, rows = asked(town, as_of=NOW - timedelta(days=365))

    assert rows == []
    assert tally.decisions == 0


def test_much_later_the_silence_has_resolved_what_we_answered(town: Desk) -> None:
    _, rows = asked(town, as_of=NOW + timedelta(days=20))

    assert sorted(row["customer_id"] for row in rows) == ["200", "400"]
    assert not [row for row in rows if "dormant for" in row["reasoning"]]


def test_the_moment_itself_has_happened(town: Desk) -> None:
    _, rows = asked(town, as_of=LAST)
    before, _ = asked(town, as_of=LAST - timedelta(microseconds=1))

    assert "the list is empty" in next(row["chat_log"] for row in rows if row["customer_id"] == "400")
    _, earlier = asked(town, as_of=LAST - timedelta(microseconds=1))
    assert not [row for row in earlier if "the list is empty" in row["chat_log"]]
    assert before.decisions == len(earlier)


# One customer


def test_a_profile_as_of_now_and_then(town: Desk) -> None:
    now = predict.look(CustomerId("400"), town, None)
    then = predict.look(CustomerId("400"), town, NOW - timedelta(hours=50))

    assert list(now) == ["customer", "identities", "as_of", "features", "freshness_s", "events"]
    assert (now["events"], now["features"]["messages"], now["freshness_s"]) == (2, 2, 0)
    assert (then["events"], then["features"]["messages"], then["freshness_s"]) == (1, 1, 8 * 3600)
    assert now["identities"] == ("twitter:400",)
    assert now["as_of"] == LAST


def test_a_customer_whom_nobody_ever_mentioned(town: Desk) -> None:
    with pytest.raises(UnknownCustomerError, match="nobody"):
        predict.look(CustomerId("nobody"), town, None)


def test_one_name_at_two_sources_is_two_customers(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk:
        take_in(desk, [*BEN, *CLEO])
        take_in_events(desk, [said(1, "crm:200", 2, "Where is my new card?")])
        with pytest.raises(AmbiguousCustomerError, match=r"crm:200 or twitter:200"):
            predict.look(CustomerId("200"), desk, None)
        _, rows = asked(desk)
        full = predict.look(CustomerId("crm:200"), desk, None)

    assert sorted(row["customer_id"] for row in rows) == ["300", "crm:200", "twitter:200"]
    assert full["identities"] == ("crm:200",)


def test_an_identity_may_have_colons(store_url: str, tmp_path: Path) -> None:
    names = ("urn:crm:7", "urn:crm:8", "old:crm:7")
    with quick(store_url, tmp_path) as desk:
        take_in_events(desk, [said(at, name, 2, "Where is my card?") for at, name in enumerate(names)])
        _, rows = asked(desk)
        for row in rows:
            assert predict.look(CustomerId(row["customer_id"]), desk, None)["events"] == 1

    assert sorted(row["customer_id"] for row in rows) == ["crm:8", "old:crm:7", "urn:crm:7"]


# Another policy


def test_what_another_policy_would_change(town_url: str, town: Desk, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('off = ["fraud-goes-to-a-person", "urgent-goes-to-a-person"]\n')
    before = recorded(town_url)
    changes = predict.compare(Asked(), policy, town, Steady())

    assert (changes.decisions, changes.changed) == (4, 1)
    [example] = changes.examples
    assert example.conversation.startswith("twitter:10/twitter:200/")
    assert example.action_before == "hand_to_person"
    assert changes.by_action == {f"hand_to_person -> {example.action_after}": 1}
    assert recorded(town_url) == before, "comparing leaves nothing behind"


def test_the_same_policy_changes_nothing(town: Desk, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("")
    changes = predict.compare(Asked(all_cases=True), policy, town, Steady())

    assert (changes.decisions, changes.changed, changes.examples) == (4, 0, ())


@pytest.mark.parametrize("content", ["off = 3", "[limits]\nreopened = 'often'", "not toml at all ["])
def test_a_policy_that_cannot_be_read_is_refused_in_one_line(town: Desk, tmp_path: Path, content: str) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(content)
    with pytest.raises(UnsuitableError, match="policy") as refused:
        predict.compare(Asked(), policy, town, Steady())

    assert "\n" not in str(refused.value)


def test_a_policy_sets_how_long_a_silence_settles(store_url: str, tmp_path: Path) -> None:
    at = NOW
    events = [
        {"id": "t:1", "kind": "message_received", "customer": "ada", "channel": "twitter", "brand": "acme",
         "happened_at": (at - timedelta(days=6)).isoformat(), "text": "How do I lower the limit of my card?"},
        {"id": "t:2", "kind": "message_sent", "customer": "ada", "author": "acme", "channel": "twitter", "brand": "acme",
         "happened_at": (at - timedelta(days=6, hours=-1)).isoformat(), "text": "In the app under Cards, Limits.", "in_reply_to": "t:1"},
    ]  # fmt: skip
    own = tmp_path / "patient.toml"
    own.write_text("[limits]\nsilence_resolves_after_h = 1000\nabandoned_after_h = 2000\n")
    found = {}
    for name, policy in (("usual", None), ("patient", own)):
        with quick(store_url, tmp_path) as desk:
            take_in_events(desk, events)
            patient = replace(desk, bench=replace(desk.bench, load_policy=partial(load_policy, policy)))
            tally = predict.predict(Asked(as_of=at), tmp_path / f"{name}.csv", patient, Steady())
            found[name] = (tally.decisions, tally.skipped_resolved)

    assert found == {"usual": (0, 1), "patient": (1, 0)}
