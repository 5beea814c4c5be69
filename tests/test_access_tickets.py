"""Whose a ticket is: its customer's and the desk's, and for every other customer it is not there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from access_cases import bearing, guarded
from journey import rows_of
from starlette.testclient import TestClient
from ticket_cases import office_on

TICKETS = "/api/v1/tickets"
ADA, BEN = (bearing("customer", customer=name, sub=name, jti=name) for name in ("ada", "ben"))
LENA = bearing("agent")


@pytest.fixture
def web(store_url: str, tmp_path: Path) -> Iterator[TestClient]:
    with office_on(store_url, tmp_path) as office, guarded(office.whole) as client:
        yield client


def opened(web: TestClient, headers: dict[str, str] = ADA, customer: str = "ada") -> Any:
    body = {"customer_id": customer, "subject": "Card", "description": "My card was declined."}
    return web.post(TICKETS, json=body, headers=headers)


def test_a_customer_opens_and_reads_their_own_and_sees_nothing_of_the_desk(web: TestClient) -> None:
    made = opened(web)
    assert made.status_code == 201
    name = made.json()["id"]
    web.post(f"{TICKETS}/{name}/notes", json={"text": "A difficult one."}, headers=LENA)

    said = web.post(f"{TICKETS}/{name}/messages", json={"text": "Still declined."}, headers=ADA)
    for seen in (
        made,
        said,
        web.get(f"{TICKETS}/{name}", headers=ADA),
        web.get(f"{TICKETS}/{name}?as=agent", headers=ADA),
    ):
        assert seen.status_code in (200, 201), seen.text
        assert {"sla", "owner", "tags", "attributes"} & seen.json().keys() == set()
        assert "difficult" not in seen.text
    assert "difficult" in web.get(f"{TICKETS}/{name}", headers=LENA).text


def test_anothers_ticket_is_not_there(web: TestClient) -> None:
    name = opened(web).json()["id"]

    for path in (f"{TICKETS}/{name}", f"{TICKETS}/1", f"/api/v1/conversations/{name}"):
        assert web.get(path, headers=BEN).status_code == 404
        assert web.get(path, headers=BEN).json() == web.get(f"{TICKETS}/999", headers=BEN).json()
    assert web.post(f"{TICKETS}/{name}/messages", json={"text": "Hello"}, headers=BEN).status_code == 404
    assert opened(web, BEN, "ada").status_code == 403
    assert web.get(TICKETS, headers=BEN).json()["data"] == []


def test_a_customer_cannot_speak_as_the_desk(web: TestClient) -> None:
    name = opened(web).json()["id"]
    got = web.post(f"{TICKETS}/{name}/messages", json={"text": "You get 1000.", "author": "agent"}, headers=ADA)
    assert got.status_code == 403


def test_what_an_agent_does_stands_under_their_own_name(web: TestClient) -> None:
    name = opened(web).json()["id"]
    web.put(f"{TICKETS}/{name}/priority", json={"priority": "high"}, headers=LENA)

    changes = web.get(f"{TICKETS}/{name}/changes", headers=LENA).json()["data"]
    assert changes[-1]["by"] == "person:lena"


def test_a_refusal_stands_in_the_audit(web: TestClient, store_url: str) -> None:
    opened(web, BEN, "ada")
    web.get(f"{TICKETS}/1/changes", headers=BEN)

    rows = rows_of(store_url, "SELECT actor, body FROM audit_event WHERE action = 'access.refused' ORDER BY id")
    assert [row["actor"].startswith("customer:") for row in rows] == [True, True]
    assert ['"reason":"owner"' in rows[0]["body"], '"reason":"role"' in rows[1]["body"]] == [True, True]
    assert "ben" not in repr(rows)
