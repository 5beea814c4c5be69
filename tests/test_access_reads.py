"""Whoever looks at a customer's data has left a line in the audit before they see it; and nobody is refused without one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from access_cases import MASTER, bearing, guarded, guarded_desk
from fastapi import FastAPI, Response
from journey import rows_of
from live_cases import arrival, receive_all
from starlette.testclient import TestClient
from ticket_cases import office_on

from harken.audit import store as audit
from harken.domain.ids import CustomerId
from harken.errors import TryAgainError, UnknownCustomerError
from harken.flow import predict
from harken.flow.desk import Desk
from harken.privacy.audited import customer_token
from harken.web.app import access_to
from harken.web.auth import permissions
from harken.web.auth.access import Rules
from harken.web.auth.door import Door
from harken.web.auth.principal import Role
from harken.web.auth.routes import WEBSOCKET

UNKNOWN = "00000000-0000-5000-8000-000000000000"
ADA = customer_token(MASTER, "customer:ada")

NOT_ABOUT_CUSTOMERS = {
    "GET /health", "GET /docs", "GET /docs/oauth2-redirect", "GET /redoc", "GET /openapi.json", "GET /static-offline-docs",
    "POST /oauth/token", "GET /oauth/keys", "GET /.well-known/oauth-authorization-server", "GET /metrics", "GET /chat", "GET /chat/{name}", "POST /api/v1/events", "POST /api/v1/events/batch",
    "GET /api/v1/segments", "PUT /api/v1/segments/{name}", "DELETE /api/v1/segments/{name}",
}  # fmt: skip
"""Written out once more on purpose: whoever takes a route out of the records of who looked says so here, too."""


def reads(url: str) -> list[dict[str, Any]]:
    found = rows_of(url, "SELECT actor, body FROM audit_event WHERE action = 'access.read' ORDER BY id")
    return [{"actor": each["actor"], **json.loads(each["body"])} for each in found]


def refusals(url: str) -> dict[str, int]:
    """By reason and route, those of counts included."""
    told: dict[str, int] = {}
    for row in rows_of(url, "SELECT action, body FROM audit_event WHERE action LIKE 'access.refused%%'"):
        body = json.loads(row["body"])
        for each in body["refusals"] if row["action"] == "access.refused_many" else [{**body, "times": 1}]:
            name = f"{each['reason']} {each['route']}"
            told[name] = told.get(name, 0) + each["times"]
    return told


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    with guarded_desk(store_url, tmp_path) as made:
        yield made


@pytest.fixture
def web(store_url: str, tmp_path: Path) -> Iterator[TestClient]:
    with office_on(store_url, tmp_path) as office, guarded(office.whole) as client:
        yield client


def test_the_table_says_of_each_route_whether_it_is_about_customers() -> None:
    found = {f"{method} {path}" for (method, path), grant in permissions.TABLE.items() if not grant.personal}
    assert found == NOT_ABOUT_CUSTOMERS


def stage(desk: Desk, status: int = 200) -> TestClient:
    """The real door, and behind each route of the table somebody who answers anything at once."""
    from access_cases import ED, HERE, issuer_of  # noqa: PLC0415  of this stage only

    app = FastAPI()
    for method, path in permissions.TABLE:
        if method != WEBSOCKET:
            app.add_api_route(path, lambda: Response("Ada's own words", status), methods=[method])
    rules = Rules(issuer=issuer_of(ED), local_admin=False, per_minute=100_000)
    app.add_middleware(Door, inside=app, rules=access_to(desk, rules))
    return TestClient(app, base_url=HERE)


def filled(path: str) -> str:
    return path.replace("{customer}", "ada").replace("{name}", "vip").replace("{id}", UNKNOWN)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CUSTOMER])
def test_every_personal_route_records_who_looked(role: Role, desk: Desk, store_url: str) -> None:
    expected = []
    with stage(desk) as web:
        for (method, path), grant in permissions.TABLE.items():
            if method == WEBSOCKET:
                continue
            got = web.request(method, filled(path), headers=bearing(role, jti=f"{method} {path}"))
            if grant.personal and role in grant.roles:
                assert got.text == "Ada's own words"
                expected.append((method, path))

    found = reads(store_url)
    assert [(each["method"], each["route"]) for each in found] == expected
    assert len(expected) >= (10 if role is Role.SERVICE else 30)
    assert {each["actor"].partition(":")[0] for each in found} == {role.value}
    assert len({each["token"] for each in found}) == len(expected)
    assert all(("customers" in each) == ("{customer}" in each["route"]) for each in found)
    assert all(each.get("customers", [ADA]) == [ADA] for each in found)
    assert all(each.get("id", UNKNOWN) == UNKNOWN for each in found)


def test_customers_who_look_at_their_own_leave_none(desk: Desk, store_url: str) -> None:
    with stage(desk) as web:
        for (method, path), grant in permissions.TABLE.items():
            if method != WEBSOCKET and Role.CUSTOMER in grant.roles:
                assert web.request(method, filled(path), headers=bearing("customer", customer="ada")).status_code == 200

    assert reads(store_url) == []


def test_whoever_looks_with_a_command_leaves_one_too(desk: Desk, store_url: str) -> None:
    assert desk.live
    seen = {"id": "x:1", "kind": "identify", "customer": "ada", "channel": "web", "happened_at": "2025-03-10T12:00:00Z"}
    receive_all(desk.live, [arrival(seen)])
    predict.look(CustomerId("ada"), desk, None)
    with pytest.raises(UnknownCustomerError):
        predict.look(CustomerId("ben"), desk, None)

    assert reads(store_url) == [
        {"actor": f"local:{desk.who}", "route": "harken profile show", "customers": [ADA]},
    ]


def test_what_is_not_there_was_not_seen(desk: Desk, store_url: str) -> None:
    with stage(desk, 404) as web:
        assert web.get("/api/v1/profiles/ada", headers=bearing("agent")).status_code == 404

    assert reads(store_url) == []


def test_what_cannot_be_written_down_is_not_shown(desk: Desk) -> None:
    def away(*ignored: Any) -> None:
        raise TryAgainError("The audit is away.")

    with guarded(desk, read=away) as web:
        got = web.get("/api/v1/segments/vip/members", headers=bearing("lead"))
        other = web.get("/api/v1/segments", headers=bearing("lead"))
        pages = web.post("/api/v1/profiles:batch", json={"customers": ["ada"]}, headers=bearing("lead"))

    assert (pages.status_code, pages.headers["retry-after"]) == (503, "5")
    assert "Nothing is shown" in pages.json()["detail"]
    assert got.status_code == 404
    assert other.status_code == 200


def test_what_a_body_or_a_query_names_is_in_the_record(web: TestClient, store_url: str) -> None:
    """No name of a customer stands in it: a token that only the master key makes."""
    lena = bearing("agent", sub="lena@example.org")
    body = {"customer_id": "ada", "subject": "Card", "description": "My card was declined."}
    name = web.post("/api/v1/tickets", json=body, headers=bearing("customer", customer="ada")).json()["id"]
    web.post("/api/v1/profiles:batch", json={"customers": ["ada", "ben"]}, headers=lena)
    web.post("/predict_nba", json={"customer_id": "ada"}, headers=lena)
    web.get(f"/api/v1/tickets/{name}", headers=lena)
    web.get("/api/v1/tickets?filter[customer]=ada", headers=lena)
    web.get("/api/v1/profiles/customer:ada", headers=lena)
    web.post("/api/v1/chat/tickets", json={"customer_id": "ada"}, headers=lena)

    found = reads(store_url)
    assert [each["route"] for each in found] == [
        "/api/v1/profiles:batch", "/predict_nba", "/api/v1/tickets/{id}", "/api/v1/tickets",
        "/api/v1/profiles/{customer}", "/api/v1/chat/tickets",
    ]  # fmt: skip
    assert [ADA in each.get("customers", ()) for each in found] == [True, True, False, True, True, True]
    assert len(found[0]["customers"]) == 2
    assert found[2]["id"] == name
    assert not {"ada", "lena", "example"} & set(repr(found).replace(":", "'").replace("@", "'").split("'"))


def test_this_machines_own_user_is_recorded_too(store_url: str, tmp_path: Path) -> None:
    with office_on(store_url, tmp_path) as office, guarded(office.whole, issuer=None, local_admin=True) as web:
        body = {"customer_id": "ada", "subject": "Card", "description": "My card was declined."}
        assert web.post("/api/v1/tickets", json=body).status_code == 201
        assert web.get("/api/v1/profiles/ada").status_code == 200

    assert [(each["actor"].partition(":")[0], each["route"], each["token"]) for each in reads(store_url)] == [
        ("admin", "/api/v1/tickets", ""), ("admin", "/api/v1/profiles/{customer}", ""),
    ]  # fmt: skip


def test_a_flood_of_refusals_is_in_the_audit_to_the_last_one(desk: Desk, store_url: str) -> None:
    with guarded(desk) as web:
        for place in range(400):
            web.get(f"/api/v1/profiles/someone-{place}")
        for _ in range(50):
            web.get("/api/v1/profiles/ada", headers=bearing("customer", customer="ben"))

    assert refusals(store_url) == {
        "missing /api/v1/profiles/{customer}": 400, "owner /api/v1/profiles/{customer}": 50,
    }  # fmt: skip
    [alone] = rows_of(store_url, "SELECT count(*) AS n FROM audit_event WHERE action = 'access.refused'")
    assert 100 <= alone["n"] < 300
    many = rows_of(store_url, "SELECT actor, body FROM audit_event WHERE action = 'access.refused_many'")
    whose = {each["who"].partition(":")[0] for row in many for each in json.loads(row["body"])["refusals"]}
    assert {row["actor"] for row in many} == {"system:door"}
    assert "customer" in whose
    assert "ben" not in repr(many)


def test_what_the_audit_did_not_take_is_counted_until_it_does(desk: Desk, store_url: str) -> None:
    down = [True]

    def record(tx: Any, actor: str, action: str, body: Any) -> None:
        if down[0]:
            raise TryAgainError("The audit is away.")
        audit.record(tx, actor, action, body)

    with guarded(desk, record=record) as web:
        for _ in range(7):
            assert web.get("/api/v1/profiles/ada").status_code == 401
        down[0] = False

    assert refusals(store_url) == {"missing /api/v1/profiles/{customer}": 7}


def test_what_routes_refuse_themselves_is_in_the_audit(web: TestClient, store_url: str) -> None:
    """Another customer's ticket is not there for them; for the audit it is one that they asked for."""
    ada, ben = (bearing("customer", customer=name, sub=name) for name in ("ada", "ben"))
    body = {"customer_id": "ada", "subject": "Card", "description": "My card was declined."}
    name = web.post("/api/v1/tickets", json=body, headers=ada).json()["id"]

    assert web.post("/api/v1/tickets", json=body, headers=ben).status_code == 403
    assert web.get(f"/api/v1/tickets/{name}", headers=ben).status_code == 404
    assert web.post("/api/v1/chat/tickets", json={"customer_id": "ada"}, headers=ben).status_code == 403
    assert web.get("/api/v1/tickets/999", headers=ben).status_code == 404

    assert refusals(store_url) == {
        "owner /api/v1/tickets": 1, "owner /api/v1/tickets/{id}": 1, "owner /api/v1/chat/tickets": 1,
    }  # fmt: skip


def test_strangers_names_and_bad_tickets_of_sockets_are_counted(desk: Desk, store_url: str) -> None:
    from starlette.websockets import WebSocketDisconnect  # noqa: PLC0415  of this test only

    with guarded(desk) as web:
        assert web.get("/health", headers={"Host": "evil.example"}).status_code == 403
        for host in ("evil.example", "127.0.0.1:8000"):
            door = web.websocket_connect("/ws/chat?ticket=nobodys", headers={"Host": host})
            with door as socket, pytest.raises(WebSocketDisconnect):
                socket.receive_json()

    assert refusals(store_url) == {"host *": 1, "host /ws/chat": 1, "ticket /ws/chat": 1}
