"""Segments: who fulfils a condition enters, who ceases to leaves, each once and on record."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from journey import NOW, desk_on
from live_cases import live_desk
from pydantic import ValidationError
from starlette.testclient import TestClient

from harken.flow import segmenting
from harken.flow.desk import Desk
from harken.kit.clock import stopped_at
from harken.profiles.segments import Segment
from harken.web.app import app_of

HERE = "http://127.0.0.1:8000"
BUSY = {"all": [{"feature": "pages_30d", "is": ">=", "value": 2}], "why": "They look around."}


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    with live_desk(store_url) as live, desk_on(store_url, tmp_path) as desk:
        yield replace(desk, live=live)


@pytest.fixture
def web(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Nothing follows the log but the test."""
    monkeypatch.setattr(segmenting.Follower, "step", lambda _: 0)
    with TestClient(app_of(desk), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def look(web: TestClient, number: int, user: str, **more: Any) -> None:
    body = {"type": "page", "messageId": f"p{number}", "name": "Cards"} | ({"userId": user} if user else {}) | more
    assert web.post("/api/v1/events", json=body).status_code == 202


def followed(desk: Desk) -> None:
    while segmenting.follow(desk, desk.bench.load_policy()):
        pass


def members(web: TestClient) -> list[str]:
    return [row["customer"] for row in web.get("/api/v1/segments/busy/members").json()["members"]]


def changes(web: TestClient) -> list[tuple[str, bool]]:
    return [(row["customer"], row["entered"]) for row in web.get("/api/v1/segments/busy/changes").json()["changes"]]


def test_a_segment_is_full_when_it_is_saved_and_follows_what_happens(web: TestClient, desk: Desk) -> None:
    for number, user in enumerate(("ada", "ada", "ben")):
        look(web, number, user)
    saved = web.put("/api/v1/segments/busy", json=BUSY)
    assert saved.status_code == 200, saved.text
    assert (saved.json()["members"], saved.json()["changed"]) == (1, 1)

    look(web, 4, "ben")
    followed(desk)
    followed(desk)
    assert members(web) == ["customer:ada", "customer:ben"]
    assert changes(web) == [("customer:ada", True), ("customer:ben", True)]
    [told] = web.get("/api/v1/segments").json()["segments"]
    assert (told["segment"]["name"], told["segment"]["why"], told["members"]) == ("busy", "They look around.", 2)


def test_what_happened_before_there_was_a_segment_is_not_followed(web: TestClient, desk: Desk) -> None:
    policy = desk.bench.load_policy()
    look(web, 1, "ada")
    assert segmenting.follow(desk, policy) == 0
    web.put("/api/v1/segments/busy", json=BUSY)
    assert segmenting.follow(desk, policy) == 0, "saving has looked at everybody"
    look(web, 2, "ada")
    assert segmenting.follow(desk, policy) > 0
    assert members(web) == ["customer:ada"]


def test_the_passing_of_time_lets_people_leave(web: TestClient, desk: Desk) -> None:
    look(web, 1, "ada")
    look(web, 2, "ada")
    web.put("/api/v1/segments/busy", json=BUSY)
    later = stopped_at(NOW + timedelta(days=60))
    assert desk.live
    future = replace(desk, live=replace(desk.live, clock=later), bench=replace(desk.bench, clock=later))

    assert segmenting.refresh(future, desk.bench.load_policy()) == 1
    assert segmenting.refresh(future, desk.bench.load_policy()) == 0
    assert changes(web) == [("customer:ada", True), ("customer:ada", False)]


def test_who_turns_out_to_be_somebody_leaves_as_nobody(web: TestClient, desk: Desk) -> None:
    web.put("/api/v1/segments/busy", json=BUSY)
    look(web, 1, "", anonymousId="d1")
    look(web, 2, "", anonymousId="d1")
    followed(desk)
    assert members(web) == ["device:d1"]

    web.post("/api/v1/events", json={"type": "identify", "messageId": "i1", "userId": "ada", "anonymousId": "d1"})
    followed(desk)
    assert members(web) == ["customer:ada"]

    parts = {"one": "customer:ada", "other": "device:d1"}
    web.post("/api/v1/events", json={"type": "unmerge", "messageId": "u1", "properties": parts})
    followed(desk)
    assert members(web) == ["device:d1"]


def test_a_segment_that_is_dropped_is_gone_and_its_record_stays(web: TestClient) -> None:
    look(web, 1, "ada")
    look(web, 2, "ada")
    web.put("/api/v1/segments/busy", json=BUSY)
    assert web.delete("/api/v1/segments/busy").status_code == 204
    assert web.delete("/api/v1/segments/busy").status_code == 404
    assert web.get("/api/v1/segments/busy/members").status_code == 404
    assert changes(web) == [("customer:ada", True)]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ({}, "needs a condition"),
        ({"all": [{"feature": "hats", "is": "=", "value": 1}]}, "all.0.feature"),
        ({"all": [{"feature": "pages_30d", "is": ">", "value": "two"}]}, "needs a number"),
        ({"all": [{"feature": "pages_30d", "is": "in", "value": 2}]}, "need a list"),
        ({"all": [{"feature": "last_channel", "is": "contains", "value": 2}]}, "needs a text"),
        ({"all": [{"feature": "pages_30d", "is": "~", "value": 2}]}, "all.0.is"),
    ],
)
def test_a_condition_that_cannot_hold_is_refused(condition: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Segment.model_validate({**condition, "name": "some"})


def test_what_is_not_known_proves_nothing() -> None:
    asked = Segment.model_validate({"name": "x", "all": [{"feature": "last_channel", "is": "!=", "value": "email"}]})
    assert asked.has({"last_channel": "chat"})
    assert not asked.has({"last_channel": None})
    either = Segment.model_validate({"name": "x", "any": [
        {"feature": "risk", "is": ">", "value": 700}, {"feature": "last_channel", "is": "in", "value": ["chat"]},
    ]})  # fmt: skip
    assert either.has({"risk": None, "last_channel": "chat"})
    assert not either.has({"risk": 700, "last_channel": "email"})


def test_the_server_follows_by_itself(desk: Desk) -> None:
    with TestClient(app_of(desk), base_url=HERE) as web:
        web.put("/api/v1/segments/busy", json=BUSY)
        look(web, 1, "ada")
        look(web, 2, "ada")
        for _ in range(600):
            if members(web):
                break
            time.sleep(0.05)
        assert members(web) == ["customer:ada"]
