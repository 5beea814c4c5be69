"""The HTTP doors: what a caller gets, what is refused, and that live gives what a batch gives."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
import structlog
from journey import BEN, NOW, Steady, quick, rows_of, said, take_in, take_in_events
from psycopg.conninfo import conninfo_to_dict
from starlette.testclient import TestClient

from harken import __version__
from harken.flow import predict
from harken.flow.desk import Desk
from harken.flow.predict import Asked
from harken.kit import db
from harken.web.app import MAX_BODY_BYTES, app_of
from harken.web.auth import permissions

LAST = NOW - timedelta(hours=2)
HERE = "http://127.0.0.1:8000"

FIELDS = [
    "customer_id", "conversation_id", "channel", "message", "send_time", "reasoning", "issue_status", "decision_id",
    "rule", "candidates", "probability", "features", "as_of", "profile_position", "mode", "freshness",
]  # fmt: skip


@pytest.fixture(scope="module")
def town(town_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with quick(town_url, tmp_path_factory.mktemp("web")) as desk:
        yield desk


@pytest.fixture(scope="module")
def web(town: Desk) -> Iterator[TestClient]:
    with TestClient(app_of(town), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def web_on_clickhouse(clickhouse_town_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with (
        quick(clickhouse_town_url, tmp_path_factory.mktemp("web-on-clickhouse")) as desk,
        TestClient(app_of(desk), base_url=HERE, raise_server_exceptions=False) as client,
    ):
        yield client


def expect_problem(response: Any, status: int, *words: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert list(body) == ["type", "title", "status", "detail"]
    assert body["status"] == status
    for word in words:
        assert word in body["detail"]
    return body


def test_health(web: TestClient) -> None:
    body = web.get("/health").json()

    assert body["status"] == "healthy"
    assert body["version"] == __version__
    assert body["uptime_seconds"] >= 0


def test_the_interface_describes_itself(web: TestClient) -> None:
    described = web.get("/openapi.json").json()

    assert {"/health", "/predict_nba"} <= described["paths"].keys()


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_description_asks_no_other_host(web: TestClient, page: str) -> None:
    wanted = re.findall(r'(?:src|href)="([^"]+)"', web.get(page).text)

    assert any(path.endswith(".js") for path in wanted)
    assert all(path.startswith("/") and web.get(path).status_code == 200 for path in wanted)


def test_an_answer_has_every_field(web: TestClient) -> None:
    response = web.post("/predict_nba", json={"customer_id": "200", "as_of": None})
    body = response.json()

    assert response.status_code == 200
    assert list(body) == FIELDS
    assert body["customer_id"] == "200"
    assert body["conversation_id"].startswith("twitter:10/twitter:200/")
    assert (body["channel"], body["issue_status"]) == ("human_agent", "escalated")
    assert body["as_of"] == "2025-03-14T10:00:00Z"
    assert datetime.fromisoformat(body["send_time"]) >= LAST
    assert (body["probability"], body["mode"]) == (1.0, "offline")
    assert body["features"]["messages"] == 1
    assert len(body["candidates"]) == 7
    for candidate in body["candidates"]:
        assert {"action", "kept", "stage", "rule", "score"} <= candidate.keys()
        assert candidate["kept"] == (candidate["score"] is not None)


def test_the_decision_is_on_record(web: TestClient, town_url: str) -> None:
    body = web.post("/predict_nba", json={"customer_id": "300"}).json()
    [row] = rows_of(town_url, "SELECT *, record::jsonb AS weighed FROM decision WHERE id = %s", (body["decision_id"],))

    assert (row["customer"], row["conversation"]) == ("300", body["conversation_id"])
    assert row["weighed"]["rule"] == body["rule"]
    assert row["weighed"]["features"] == body["features"]
    assert row["weighed"]["profile_position"] == body["profile_position"] >= 11


def test_asking_twice_is_one_decision(web: TestClient, town_url: str) -> None:
    first = web.post("/predict_nba", json={"customer_id": "500"}).json()
    second = web.post("/predict_nba", json={"customer_id": "twitter:500"}).json()
    rows = rows_of(town_url, "SELECT FROM decision WHERE conversation = %s", (first["conversation_id"],))

    assert {**second, "customer_id": "500", "decision_id": first["decision_id"]} == first
    assert 1 <= len(rows) <= 2


@pytest.mark.parametrize("moment", [None, LAST - timedelta(hours=10), NOW + timedelta(days=30)])
def test_live_gives_what_a_batch_gives(web: TestClient, town: Desk, moment: datetime | None) -> None:
    out = town.home / "batch.csv"
    predict.predict(Asked(as_of=moment), out, town, Steady())
    with out.open(newline="", encoding="utf-8") as file:
        rows = {row["customer_id"]: row for row in csv.DictReader(file)}

    for customer in ("100", "200", "300", "400", "500"):
        question = {"customer_id": customer, "as_of": moment.isoformat() if moment else None}
        body = web.post("/predict_nba", json=question).json()
        if customer not in rows:
            assert (body["channel"], body["decision_id"]) == ("no_contact", None)
            continue
        row = rows[customer]
        for name in ("channel", "message", "send_time", "reasoning", "issue_status"):
            assert body[name] == row[name], (customer, name)


@pytest.mark.parametrize("moment", [None, (LAST - timedelta(hours=10)).isoformat(), "2025-01-01T00:00:00Z"])
@pytest.mark.parametrize("customer", ["100", "200", "300", "400", "twitter:500", "whoever"])
def test_clickhouse_gives_what_postgres_gives(
    web: TestClient, web_on_clickhouse: TestClient, customer: str, moment: str | None
) -> None:
    def answered(client: TestClient) -> tuple[int, dict[str, Any]]:
        response = client.post("/predict_nba", json={"customer_id": customer, "as_of": moment})
        body = response.json()
        assert (body.pop("profile_position", None) is not None) == (
            response.status_code == 200
        )  # each store counts its own
        assert (body.get("freshness", {}).pop("position", None) is not None) == (response.status_code == 200)
        return response.status_code, body

    assert answered(web_on_clickhouse) == answered(web)


def test_clickhouse_is_served(web_on_clickhouse: TestClient, clickhouse_town_url: str) -> None:
    body = web_on_clickhouse.post("/predict_nba", json={"customer_id": "300"}).json()
    recorded = "SELECT customer, conversation FROM decision WHERE id = %s"

    assert web_on_clickhouse.get("/health").json()["status"] == "healthy"
    assert rows_of(clickhouse_town_url, recorded, (body["decision_id"],)) == [
        {"customer": "300", "conversation": body["conversation_id"]}
    ]


def test_a_customer_whose_issues_are_resolved_gets_no_contact_and_the_reason(web: TestClient) -> None:
    response = web.post("/predict_nba", json={"customer_id": "100"})
    body = response.json()

    assert response.status_code == 200
    assert list(body) == FIELDS
    assert (body["channel"], body["message"], body["conversation_id"]) == ("no_contact", "", None)
    assert "resolved" in body["reasoning"]
    assert body["features"]["messages"] == 2


def test_before_the_first_word_there_is_nothing_to_do(web: TestClient) -> None:
    body = web.post("/predict_nba", json={"customer_id": "200", "as_of": "2025-01-01T00:00:00Z"}).json()

    assert (body["channel"], body["decision_id"]) == ("no_contact", None)
    assert body["features"]["messages"] == 0


@pytest.mark.parametrize("moment", ["2025-03-14T10:00:00", "2025-03-14T10:00:00Z", "2025-03-14T11:00:00+01:00"])
def test_a_moment_without_a_zone_is_utc(web: TestClient, moment: str) -> None:
    body = web.post("/predict_nba", json={"customer_id": "200", "as_of": moment}).json()

    assert body["as_of"] == "2025-03-14T10:00:00Z"


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


def test_moments_are_utc(web: TestClient) -> None:
    body = web.post("/predict_nba", json={"customer_id": "200"}).json()

    assert datetime.fromisoformat(body["send_time"]).tzinfo == UTC
