"""The HTTP doors: what is refused, and what is said of it without repeating a word."""

from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from journey import BEN, quick, said, take_in, take_in_events
from psycopg.conninfo import conninfo_to_dict
from starlette.testclient import TestClient
from web_cases import HERE, town_desk, town_web  # noqa: F401  fixtures among them

from harken.flow.desk import Desk
from harken.kit import db
from harken.web.app import MAX_BODY_BYTES, app_of
from harken.web.auth import permissions


def expect_problem(response: Any, status: int, *words: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert list(body) == ["type", "title", "status", "detail"]
    assert body["status"] == status
    for word in words:
        assert word in body["detail"]
    return body


def test_a_customer_whom_nobody_ever_mentioned(web: TestClient) -> None:
    expect_problem(web.post("/predict_nba", json={"customer_id": "whoever"}), 404, "No event")


def test_a_name_of_two_customers_is_a_conflict(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk:
        take_in(desk, BEN)
        take_in_events(desk, [said(1, "crm:200", 2, "Where is my new card?")])
        client = TestClient(app_of(desk), base_url=HERE)
        expect_problem(client.post("/predict_nba", json={"customer_id": "200"}), 409, "crm:200", "twitter:200")
        assert client.post("/predict_nba", json={"customer_id": "crm:200"}).json()["customer_id"] == "crm:200"


def test_an_empty_store_says_what_to_do(store_url: str, tmp_path: Path) -> None:
    with quick(store_url, tmp_path) as desk:
        client = TestClient(app_of(desk), base_url=HERE)
        expect_problem(client.post("/predict_nba", json={"customer_id": "200"}), 404, "No event")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"customer_id": ""},
        {"customer_id": None},
        {"customer_id": ["SECRET-1"]},
        {"customer_id": {"SECRET-1": 1}},
        {"customer_id": "SECRET-1" * 100},
        {"customer_id": "200", "as_of": "SECRET-1"},
        {"customer_id": "200", "as_of": "2025-13-01T00:00:00Z"},
        {"customer_id": "SECRET-1\x00"},
        ["SECRET-1"],
        "SECRET-1",
    ],
)
def test_a_body_that_does_not_fit_is_named_but_never_repeated(web: TestClient, body: Any) -> None:
    response = web.post("/predict_nba", json=body)
    expect_problem(response, 422)

    assert "SECRET" not in response.text


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b'{"customer_id": "SECRET-1"', b'{"customer_id": "SECRET-1\\ud800"}', b"[" * 50_000],
)
def test_a_body_that_is_no_json_is_the_callers_mistake(web: TestClient, content: bytes) -> None:
    response = web.post("/predict_nba", content=content, headers={"content-type": "application/json"})

    assert response.status_code in (400, 422), response.text
    expect_problem(response, response.status_code)
    assert "SECRET" not in response.text


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", 0, -1, 1e18]
)
def test_the_ends_of_time_are_no_bug(web: TestClient, moment: Any) -> None:
    response = web.post("/predict_nba", json={"customer_id": "200", "as_of": moment})

    assert response.status_code in (200, 422), response.text


def test_a_large_body_is_refused(web: TestClient) -> None:
    large = {"customer_id": "2" * (MAX_BODY_BYTES + 1)}
    expect_problem(web.post("/predict_nba", json=large), 413, "100,000")
    expect_problem(web.post("/predict_nba", content=iter([b"{}"])), 411, "Content-Length")
    expect_problem(web.post("/predict_nba", content=b"{}", headers={"content-length": "many"}), 413)


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:8000"},
        {"host": "10.0.0.1:8000"},
        {"host": "["},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
        {"origin": "http://127.0.0.1.evil.example"},
    ],
)
def test_other_peoples_pages_are_turned_away(web: TestClient, headers: dict[str, str], town_url: str) -> None:
    expect_problem(web.post("/predict_nba", json={"customer_id": "200"}, headers=headers), 403, "this machine")
    expect_problem(web.get("/health", headers=headers), 403)


@pytest.mark.parametrize(
    "headers",
    [{"host": "localhost:8000"}, {"host": "[::1]:8000"}, {"origin": "http://localhost:8000"}, {"origin": HERE}],
)
def test_this_machine_is_welcome(web: TestClient, headers: dict[str, str]) -> None:
    assert web.get("/health", headers=headers).status_code == 200


def test_a_page_that_is_not_there(web: TestClient) -> None:
    expect_problem(web.get("/nowhere"), 404)
    assert expect_problem(web.get("/predict_nba"), 405)["title"] == "Method not allowed"


def test_a_store_that_went_away_is_a_503(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "CONNECT_TIMEOUT_S", 0.2)
    gone = store_url.rpartition("/")[0] + "/nothing_of_this_name"
    with quick(gone, tmp_path) as desk:
        client = TestClient(app_of(desk), base_url=HERE, raise_server_exceptions=False)
        response = client.post("/predict_nba", json={"customer_id": "200"})
    expect_problem(response, 503, "database")

    assert int(response.headers["retry-after"]) >= 1
    assert conninfo_to_dict(store_url)["password"] not in response.text


def test_a_bug_is_ours_and_says_nothing_of_the_inside(town: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(town)
    monkeypatch.setitem(cast(dict[Any, Any], permissions.TABLE), ("GET", "/broken"), permissions.PUBLIC)

    @app.get("/broken")
    async def broken() -> None:
        raise KeyError("jane@example.com")

    with structlog.testing.capture_logs() as lines:
        response = TestClient(app, base_url=HERE, raise_server_exceptions=False).get("/broken")

    expect_problem(response, 500, "our side")
    assert [(line["event"], line["path"]) for line in lines] == [("request_failed", "/broken")]
    assert "jane" not in response.text
