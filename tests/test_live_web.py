"""The doors of the live platform, over HTTP: events in, profiles out, and what changes of them."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from journey import NOW, desk_on, one_of, rows_of
from live_web_cases import BATCH, EVENTS, HERE, live_desk_and_store, page, spoke, told  # noqa: F401  a fixture among them
from starlette.testclient import TestClient

from harken.eventlog import store as eventlog
from harken.eventlog.store import Advance
from harken.flow.desk import Desk
from harken.flow.dossier import microseconds
from harken.web.app import app_of


@pytest.fixture
def web(desk: Desk) -> Iterator[TestClient]:
    with TestClient(app_of(desk), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def test_an_event_is_in_the_profile_when_its_answer_comes(web: TestClient) -> None:
    answer = web.post(EVENTS, json=spoke(1, "ada"))
    assert answer.status_code == 202
    assert answer.json() == {
        "message_id": "api:m1", "outcome": "accepted", "position": 1, "reason": None, "detail": "",
    }  # fmt: skip

    profile = web.get("/api/v1/profiles/ada", params={"min_position": 1}).json()
    assert (profile["customer"], profile["identities"]) == ("ada", ["customer:ada"])
    assert profile["features"]["messages"] == profile["features"]["open_conversations"] == 1
    assert profile["features"]["urgent_7d"] == 1
    [event] = profile["last_events"]
    assert (event["id"], event["position"], event["channel"]) == ("api:m1", 1, "chat")
    known = profile["freshness"]
    assert (known["position"], known["age_s"], known["lag_events"], known["degraded"]) == (1, 0.0, 0, False)

    decided = web.post("/predict_nba", json={"customer_id": "ada"}).json()
    assert decided["rule"] == "urgent-goes-to-a-person"


def test_a_second_delivery_changes_nothing_and_says_so(web: TestClient, store_url: str) -> None:
    first = web.post(EVENTS, json=spoke(1, "ada", sentAt="2025-03-14T12:00:00Z")).json()
    again = web.post(EVENTS, json=spoke(1, "ada", sentAt="2025-03-14T12:00:09Z")).json()

    assert again == first | {"outcome": "duplicate"}
    assert web.get("/api/v1/profiles/ada").json()["features"]["messages"] == 1
    assert one_of(store_url, "SELECT count(*) FROM event") == 1


def test_the_same_id_with_another_body_is_refused_and_kept_aside(web: TestClient, store_url: str) -> None:
    web.post(EVENTS, json=spoke(1, "ada"))
    answer = web.post(EVENTS, json=spoke(1, "ada", text="Never mind."))

    assert answer.status_code == 422
    assert "conflicting_duplicate" in answer.json()["detail"]
    assert rows_of(store_url, "SELECT source, reason FROM rejected_event") == [
        {"source": "api", "reason": "conflicting_duplicate"}
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "sneeze"}, "unknown_kind"),
        ({"messageId": None}, "schema_violation"),
        ({"userId": 7.5}, "schema_violation"),
        ({"timestamp": "1970-01-01T00:00:00Z"}, "time_too_old"),
        ({"timestamp": "2100-01-01T00:00:00Z"}, "time_in_future"),
        ({"properties": {"direction": "inbound", "channel": "chat", "text": "x" * 20_000}}, "schema_violation"),
    ],
)
def test_one_bad_event_of_a_batch_is_told_and_the_others_are_kept(
    web: TestClient, store_url: str, change: dict[str, Any], reason: str
) -> None:
    batch = {"batch": [spoke(1, "ada"), spoke(2, "ben") | change, spoke(3, "cleo")]}
    answer = web.post(BATCH, json=batch)

    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert (body["accepted"], body["duplicates"], body["quarantined"]) == (2, 0, 1)
    assert [result["outcome"] for result in body["results"]] == ["accepted", "quarantined", "accepted"]
    assert body["results"][1]["reason"] == reason
    assert body["position"] == max(r["position"] for r in body["results"] if r["position"])
    assert one_of(store_url, "SELECT count(*) FROM rejected_event WHERE reason = %s", [reason]) == 1
    assert web.post(BATCH, json=batch).json()["duplicates"] == 2
    assert one_of(store_url, "SELECT count(*) FROM rejected_event") == 1, "the same again is kept once"


def test_a_clock_three_hours_off_is_put_right(web: TestClient, store_url: str) -> None:
    web.post(EVENTS, json=told(1, "login", "ada", timestamp="2025-03-14T14:59:50Z", sentAt="2025-03-14T15:00:00Z",
                               properties={"success": True}))  # fmt: skip

    at = one_of(store_url, "SELECT (extract(epoch FROM at) * 1000000)::bigint AS at FROM event")
    assert at == microseconds(NOW) - 10_000_000


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b'{"batch": []}', 422), (b'{"batch": ' + b" " * 500_000 + b"[]}", 413)],
)
def test_a_body_that_is_no_batch_is_refused(web: TestClient, body: bytes, status: int) -> None:
    answer = web.post(BATCH, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_identifiers_join_and_part_without_loss(web: TestClient) -> None:
    """A visitor reads pages, then says who they are; somebody says it was not them after all."""
    pages = [{"type": "page", "messageId": f"p{n}", "anonymousId": "d1", "name": "Cards"} for n in range(3)]
    web.post(BATCH, json={"batch": [*pages, spoke(1, "ada")]})
    assert web.get("/api/v1/profiles/ada").json()["features"]["pages_30d"] == 0

    web.post(EVENTS, json=told(1, "identify", "ada", anonymousId="d1"))
    both = web.get("/api/v1/profiles/ada").json()
    assert both["identities"] == ["customer:ada", "device:d1"]
    assert (both["features"]["pages_30d"], both["features"]["messages"]) == (3, 1)
    assert web.get("/api/v1/profiles/device:d1").json()["customer"] == "ada"
    decided = web.post("/predict_nba", json={"customer_id": "device:d1"}).json()
    assert (decided["customer_id"], decided["features"]["pages_30d"]) == ("ada", 3)

    parts = {"one": "customer:ada", "other": "device:d1"}
    web.post(EVENTS, json={"type": "unmerge", "messageId": "u1", "properties": parts})
    assert web.get("/api/v1/profiles/ada").json()["features"]["pages_30d"] == 0
    assert web.get("/api/v1/profiles/device:d1").json()["features"]["pages_30d"] == 3


def test_an_address_of_two_customers_joins_neither_and_is_shown(web: TestClient, store_url: str) -> None:
    for number, user in enumerate(("ada", "ben")):
        web.post(EVENTS, json=told(number, "identify", user, traits={"email": "Shared@Example.com "}))

    ada = web.get("/api/v1/profiles/ada").json()
    assert ada["identities"] == ["customer:ada"]
    [conflict] = ada["conflicts"]
    assert (conflict["reason"], conflict["customers"]) == ("shared", ["customer:ada", "customer:ben"])
    assert "example" not in json.dumps(ada), "an address is an identifier behind a blind"
    stored = rows_of(store_url, "SELECT one, other, joined FROM identity_edge")
    assert "example" not in str(stored).lower()
    assert one_of(store_url, "SELECT count(*) FROM identity_change") == 2, (
        "joined, and parted again when the second came"
    )


def test_a_profile_is_told_again_only_when_it_changed(web: TestClient) -> None:
    web.post(EVENTS, json=spoke(1, "ada"))
    first = web.get("/api/v1/profiles/ada")
    again = web.get("/api/v1/profiles/ada", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")

    web.post(EVENTS, json=spoke(2, "ada"))
    changed = web.get("/api/v1/profiles/ada", headers={"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200


def test_a_profile_as_of_a_moment_in_part_and_many_at_once(web: TestClient) -> None:
    early = spoke(1, "ada", timestamp="2025-03-10T12:00:00Z")
    web.post(BATCH, json={"batch": [early, spoke(2, "ada"), spoke(3, "ben")]})

    then = web.get("/api/v1/profiles/ada", params={"as_of": "2025-03-11T00:00:00Z", "features": "messages,events"})
    assert then.json()["features"] == {"messages": 1, "events": 1}
    assert web.get("/api/v1/profiles/ada", params={"features": "hats"}).status_code == 422
    assert web.get("/api/v1/profiles/nobody").status_code == 404
    assert web.get("/api/v1/profiles/ada", params={"min_position": 99}).status_code == 503

    many = web.post("/api/v1/profiles:batch", json={"customers": ["ada", "nobody", "ben"], "features": ["messages"]})
    ada, nobody, ben = many.json()["profiles"]
    assert (ada["features"], ben["features"]) == ({"messages": 2}, {"messages": 1})
    assert (nobody["customer"], nobody["status"]) == ("nobody", 404)


def test_events_need_a_store_that_can_hold_them(store_url: str, tmp_path: Path) -> None:
    with desk_on(store_url, tmp_path) as desk, TestClient(app_of(desk), base_url=HERE) as web:
        answer = web.post(EVENTS, json=spoke(1, "ada"))
    assert answer.status_code == 409
    assert "PostgreSQL" in answer.json()["detail"]


def test_a_decision_sees_the_dispute_the_credit_decision_and_the_last_contact(web: TestClient, desk: Desk) -> None:
    """Ten minutes, then one second after the dispute."""
    history = [
        spoke(1, "ada", text="Why was I declined?", timestamp="2025-03-14T10:00:00Z"),
        told(1, "support_call", "ada", timestamp="2025-03-14T11:40:00Z"),
        told(2, "dispute", "ada", timestamp="2025-03-14T11:50:00Z", properties={"status": "opened"}),
        told(3, "credit_decision", "ada", timestamp="2025-03-14T11:55:00Z", properties={"outcome": "declined"}),
    ]
    web.post(BATCH, json={"batch": history})

    ten_minutes = web.post("/predict_nba", json={"customer_id": "ada"}).json()
    seen = ten_minutes["features"]
    assert (seen["last_dispute_status"], seen["last_credit_decision"]) == ("opened", "declined")
    assert seen["last_support_contact_at"] == microseconds(NOW) // 1_000_000 - 20 * 60
    assert ten_minutes["freshness"]["age_s"] == 300
    assert ten_minutes["freshness"]["degraded"] is False

    again = told(4, "dispute", "ada", timestamp="2025-03-14T11:59:59Z", properties={"status": "escalated"})
    position = web.post(EVENTS, json=again).json()["position"]
    one_second = web.post("/predict_nba", json={"customer_id": "ada"}).json()
    assert one_second["features"]["last_dispute_status"] == "escalated"
    assert (one_second["freshness"]["age_s"], one_second["freshness"]["position"]) == (1, position)


def test_a_decision_that_had_to_be_made_without_waiting_events_says_so(web: TestClient, desk: Desk) -> None:
    web.post(EVENTS, json=spoke(1, "ada"))
    assert desk.live
    with desk.live.database.transaction() as tx:
        long_ago = NOW - timedelta(minutes=3)
        eventlog.advance(tx, Advance(stream="said", partition=0, expected=None, upto=5, newest=12), long_ago)

    decided = web.post("/predict_nba", json={"customer_id": "ada"}).json()
    assert decided["freshness"] == {
        "position": 1, "age_s": 0.0, "lag_events": 7, "lag_s": 180.0, "degraded": True,
    }  # fmt: skip


def test_a_large_batch_is_more_than_one_transaction(web: TestClient, store_url: str) -> None:
    several = [page(number) for number in range(1_200)]
    answer = web.post(BATCH, json={"batch": several})

    assert answer.json()["accepted"] == 1_200
    assert one_of(store_url, "SELECT count(DISTINCT tx) FROM event") == 3
    assert web.get("/api/v1/profiles/device:d1").json()["features"]["pages_30d"] == 1_200
