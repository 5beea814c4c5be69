"""Sources over HTTP: each proves itself, sends what its plan says and no more than that, in whatever version."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from journey import MASTER, one_of, rows_of
from live_web_cases import BATCH, EVENTS, HERE, live_desk_and_store, page, spoke  # noqa: F401  a fixture among them
from starlette.testclient import TestClient

from harken.eventlog import plan, registry
from harken.flow import mending
from harken.flow.desk import Desk
from harken.flow.door import Door
from harken.web.app import app_of

KEY, OTHER, THIRD = ("hk_" + digit * 64 for digit in "123")


@pytest.fixture
def planned(desk: Desk, tmp_path: Path) -> Iterator[TestClient]:
    """Two sources: one sends pages and little of them, one everything."""
    path = tmp_path / "plan.toml"
    path.write_text(
        f"""
        [source.website]
        key_sha256 = "{plan.sha256_of(KEY)}"
        types = ["page"]
        events_per_second = 5
        additional = "drop"
        [source.core]
        key_sha256 = "{plan.sha256_of(OTHER)}"
        unknown_types = "quarantine"
        vouches = true
        [source.app]
        key_sha256 = "{plan.sha256_of(THIRD)}"
        """
    )
    assert desk.live
    known = registry.load()
    door = Door(master=MASTER, registry=known, plan=plan.load(path, known.names))
    live = replace(desk.live, open_door=lambda: door)
    with TestClient(app_of(replace(desk, live=live)), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def test_a_source_proves_itself_by_its_key(planned: TestClient, store_url: str) -> None:
    for given in ({}, {"authorization": "Bearer hk_wrong"}, {"authorization": "Basic %%%"}):
        answer = planned.post(EVENTS, json=page(1), headers=given)
        assert (answer.status_code, "www-authenticate" in answer.headers) == (401, True)

    assert planned.post(EVENTS, json=page(1), auth=(KEY, "")).status_code == 202
    assert planned.post(EVENTS, json=page(2), headers={"authorization": f"Bearer {KEY}"}).status_code == 202
    assert planned.post(BATCH, json={"batch": [page(3)], "writeKey": KEY}).status_code == 202
    assert {row["source"] for row in rows_of(store_url, "SELECT source FROM event")} == {"website"}
    assert KEY not in str(rows_of(store_url, "SELECT * FROM event"))


def test_a_source_sends_what_its_plan_says(planned: TestClient, store_url: str) -> None:
    refused = planned.post(EVENTS, json=spoke(1, "ada"), auth=(KEY, ""))
    assert (refused.status_code, "not_in_plan" in refused.text) == (403, True)
    assert one_of(store_url, "SELECT count(*) FROM rejected_event") == 0, "what a source may not send is not kept"

    batch = planned.post(BATCH, json={"batch": [page(1), spoke(1, "ada")]}, auth=(KEY, "")).json()
    assert (batch["accepted"], batch["refused"]) == (1, 1)
    assert planned.post(EVENTS, json=spoke(1, "ada"), auth=(OTHER, "")).status_code == 202


def test_nobody_says_what_they_pay_for_themselves(planned: TestClient) -> None:
    """A key that a browser has is everybody's."""
    for number, (who, key) in enumerate([("ada", THIRD), ("bob", OTHER)]):
        said = {
            "type": "identify",
            "messageId": f"i{number}",
            "userId": who,
            "traits": {"tier": "gold", "country": "DE"},
        }
        assert planned.post(EVENTS, json=said, auth=(key, "")).status_code == 202

    features = [planned.get(f"/api/v1/profiles/{who}").json()["features"] for who in ("ada", "bob")]
    assert [(each.get("tier"), each.get("country")) for each in features] == [(None, None), ("gold", "DE")]


def test_a_source_that_sends_too_much_slows_nobody_else(planned: TestClient) -> None:
    flood = [
        planned.post(BATCH, json={"batch": [page(10 * n + i) for i in range(10)]}, auth=(KEY, "")) for n in range(50)
    ]

    refused = [answer for answer in flood if answer.status_code == 429]
    assert len(refused) > 40
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert planned.post(EVENTS, json=spoke(1, "ada"), auth=(OTHER, "")).status_code == 202


def test_old_versions_are_led_to_the_newest_and_stay_what_they_were(planned: TestClient, store_url: str) -> None:
    old = {"type": "payment", "messageId": "x", "userId": "ada", "properties": {"amount": "12.50", "currency": "EUR"}}
    first = planned.post(EVENTS, json=old, auth=(OTHER, ""))
    assert first.status_code == 202, first.text
    assert planned.post(EVENTS, json=old, auth=(OTHER, "")).json()["outcome"] == "duplicate"
    profile = planned.get("/api/v1/profiles/ada", params={"features": "payment_amount_30d"}).json()
    assert profile["features"] == {"payment_amount_30d": 1250}


def test_what_was_kept_aside_is_taken_after_a_fix(desk: Desk, store_url: str, tmp_path: Path) -> None:
    own = tmp_path / "schemas" / "track" / "Plan chosen"
    own.mkdir(parents=True)
    strict = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "harken:envelope"}
    strict["properties"] = {"properties": {"required": ["plan"]}}
    (own / "1.json").write_text(json.dumps(strict))
    assert desk.live
    chosen = {"type": "track", "event": "Plan chosen", "messageId": "c1", "userId": "ada", "properties": {}}

    def served(known: registry.Registry) -> Desk:
        door = Door(master=MASTER, registry=known)
        return replace(desk, live=replace(desk.live, open_door=lambda: door))

    first = served(registry.load(tmp_path / "schemas"))
    with TestClient(app_of(first), base_url=HERE) as web:
        answer = web.post(EVENTS, json=chosen)
        web.post(EVENTS, json={"type": "sneeze", "messageId": "s1"})
    assert (answer.status_code, "schema_violation" in answer.text) == (422, True)
    assert first.live
    assert mending.retry(first.live) == mending.Retried(taken=0, left=2), "nothing was mended yet"

    mended = served(registry.load())
    assert mended.live
    assert mending.retry(mended.live) == mending.Retried(taken=1, left=1)
    assert mending.retry(mended.live) == mending.Retried(taken=0, left=1)
    assert one_of(store_url, "SELECT count(*) FROM event") == 1
    assert one_of(store_url, "SELECT count(*) FROM rejected_event") == 2, "it stays on record"
