"""The HTTP doors: what a caller gets, and that live gives what a batch gives."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from journey import NOW, Steady, quick, rows_of
from starlette.testclient import TestClient
from web_cases import HERE, town_desk, town_web  # noqa: F401  fixtures among them

from harken import __version__
from harken.flow import predict
from harken.flow.desk import Desk
from harken.flow.predict import Asked
from harken.web.app import app_of

LAST = NOW - timedelta(hours=2)

FIELDS = [
    "customer_id", "conversation_id", "channel", "message", "send_time", "reasoning", "issue_status", "decision_id",
    "rule", "candidates", "probability", "features", "as_of", "profile_position", "mode", "freshness",
]  # fmt: skip


@pytest.fixture(scope="module")
def web_on_clickhouse(clickhouse_town_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with (
        quick(clickhouse_town_url, tmp_path_factory.mktemp("web-on-clickhouse")) as desk,
        TestClient(app_of(desk), base_url=HERE, raise_server_exceptions=False) as client,
    ):
        yield client


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


def test_moments_are_utc(web: TestClient) -> None:
    body = web.post("/predict_nba", json={"customer_id": "200"}).json()

    assert datetime.fromisoformat(body["send_time"]).tzinfo == UTC
