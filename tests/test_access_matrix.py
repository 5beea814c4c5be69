"""Every route × who asks × whose it is: nobody gets in whom the table does not name. Made from the application's own routes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from access_cases import ED, bearing, claims, guarded, guarded_desk, issuer_of, signed
from fastapi import FastAPI
from joserfc.jwk import OKPKey
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from ticket_cases import office_on

from harken.kit import observe
from harken.web.auth import permissions, routes
from harken.web.auth.principal import Role
from harken.web.auth.routes import WEBSOCKET

OWNERS = {"own": "ada", "another's": "ben"}
STREAMS, NOBODYS = ("/api/v1/profiles/{customer}/changes",), "nobody-ever-heard-of"
SOCKET = "/ws/chat"
HERE = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}
UNKNOWN = "00000000-0000-5000-8000-000000000000"
CALLERS: dict[str, dict[str, str]] = {
    "nobody": {},
    "a stranger": {"Authorization": f"Bearer {signed(claims(), OKPKey.generate_key('Ed25519', parameters={'kid': 'ed-1'}))}"},
    "a basic one": {"Authorization": "Basic YWRtaW46YWRtaW4="},
    **{role.value: bearing(role.value, customer="ada" if role is Role.CUSTOMER else None) for role in Role},
    "scopeless": bearing("admin", scope=""),
}  # fmt: skip


@pytest.fixture(scope="module")
def web(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    from conftest import fresh_store  # noqa: PLC0415  a fixture's own tool

    home = tmp_path_factory.mktemp("matrix")
    with fresh_store(postgres_url, _template) as url, office_on(url, home) as office, guarded(office.whole) as client:
        for name in OWNERS.values():
            said = {"direction": "inbound", "channel": "chat", "text": "My card was declined."}
            event = {"type": "message", "messageId": name, "userId": name, "properties": said}
            assert client.post("/api/v1/events", json=event, headers=bearing("service")).status_code == 202
        yield client


def app_of(web: TestClient) -> FastAPI:
    assert isinstance(web.app, FastAPI)
    return web.app


def every(web: TestClient) -> list[tuple[str, str]]:
    found = [(method, path) for path, _, methods in routes.declared(app_of(web)) for method in methods - {"HEAD"}]
    assert len(found) > 20
    return found


def test_every_route_has_a_row(web: TestClient) -> None:
    missing = [f"{method} {path}" for method, path in every(web) if permissions.of(method, path) is None]
    assert missing == [], "say in web/auth/permissions.py who may use it"


def test_nobody_gets_in_whom_the_table_does_not_name(web: TestClient) -> None:
    unexpected, asked = [], 0
    for method, path in every(web):
        grant = permissions.of(method, path)
        if method == WEBSOCKET or grant is None or grant.public:
            continue
        for caller, headers in CALLERS.items():
            for whose, owner in OWNERS.items():
                asked += 1
                endless = path in STREAMS and allowed(grant, caller, whose)  # it ends where there is nobody to watch
                asked_for = filled(path, NOBODYS if endless else owner)
                got = web.request(method, asked_for, headers=headers, json=body_of(path, owner))
                if got.status_code not in (401, 403) and not allowed(grant, caller, whose):
                    unexpected.append(f"{caller}: {method} {path} ({whose}) got {got.status_code}")
                if got.status_code in (401, 403) and allowed(grant, caller, whose):
                    unexpected.append(f"{caller}: {method} {path} ({whose}) was refused: {got.text}")

    assert unexpected == []
    assert asked >= 900


def test_every_socket_is_looked_at_here(web: TestClient) -> None:
    assert [path for method, path in every(web) if method == WEBSOCKET] == [SOCKET]


def closed(web: TestClient, query: str, **headers: str) -> int:
    """The code with which a socket ends before anything is said on it."""
    with (
        pytest.raises(WebSocketDisconnect) as ended,
        web.websocket_connect(f"{SOCKET}?{query}", headers=HERE | headers) as line,
    ):
        line.receive_json()
    return ended.value.code


def chat_ticket(web: TestClient, headers: dict[str, str], **wanted: str) -> str:
    got = web.post("/api/v1/chat/tickets", json=wanted, headers=headers)
    assert got.status_code == 201, got.text
    ticket: str = got.json()["ticket"]
    return ticket


@pytest.mark.parametrize("caller", CALLERS)
def test_no_token_opens_a_socket_only_a_ticket_does(web: TestClient, caller: str) -> None:
    """A browser sends no token with a socket; one that comes all the same, in a header or the address, counts for nothing."""
    token = CALLERS[caller].get("Authorization", "")
    for query in ("", "ticket=", f"ticket={token.removeprefix('Bearer ')}", f"access_token={token}", "customer_id=ada"):
        assert closed(web, query, authorization=token) == 4401, query


@pytest.mark.parametrize("role", Role)
def test_a_ticket_opens_one_socket_from_here_and_once(web: TestClient, role: Role) -> None:
    headers = CALLERS[role.value]
    ticket = chat_ticket(web, headers, customer_id="ada")

    assert closed(web, f"ticket={ticket}", origin="https://evil.example") == 4403
    with web.websocket_connect(f"{SOCKET}?ticket={ticket}", headers=HERE) as line:
        for blank in ("", " ", "\n"):
            line.send_json({"type": "message", "id": "m-0", "text": blank})
            assert line.receive_json()["type"] == "refused"
        line.send_json({"type": "message", "id": f"m-{role}", "text": "My card was declined."})
        assert line.receive_json()["type"] == "ack"
    assert closed(web, f"ticket={ticket}") == 4401


def test_a_customers_socket_is_their_own_whatever_its_address_says(web: TestClient) -> None:
    ada, lena = CALLERS[Role.CUSTOMER], CALLERS[Role.AGENT]
    bens = web.post("/api/v1/tickets", json=body_of("/api/v1/tickets", "ben"), headers=lena).json()["id"]

    for conversation in (bens, UNKNOWN):
        bound = chat_ticket(web, ada, conversation_id=conversation)
        asked = chat_ticket(web, ada)
        assert closed(web, f"ticket={bound}") == 4403
        assert closed(web, f"ticket={asked}&customer_id=ben&conversation={conversation}") == 4403
    with web.websocket_connect(f"{SOCKET}?ticket={chat_ticket(web, ada)}&customer_id=ben", headers=HERE) as line:
        line.send_json({"type": "message", "id": "m-own", "text": "Whose is this?"})
        name = line.receive_json()["conversation"]
    assert web.get(f"/api/v1/tickets/{name}", headers=lena).json()["customer_id"] == "customer:ada"


def body_of(path: str, owner: str) -> dict[str, str]:
    """Whole where only a whole one is looked at for whose it is."""
    opens = path in ("/api/v1/tickets", "/api/v1/conversations")
    return {"customer_id": owner} | ({"subject": "Card", "description": "Declined."} if opens else {})


def allowed(grant: permissions.Grant, caller: str, whose: str) -> bool:
    if caller not in set(Role) or Role(caller) not in grant.roles:
        return False
    return not (caller == Role.CUSTOMER and (grant.own or grant.own_in_body) and whose != "own")


def filled(path: str, owner: str) -> str:
    return path.replace("{customer}", owner).replace("{name}", "vip").replace("{ticket}", "1").replace("{id}", UNKNOWN)


def test_customers_are_let_in_to_what_is_listed_here_and_no_further() -> None:
    """Written out once more on purpose: whoever widens the table says so here, too."""
    theirs = {path for (_, path), grant in permissions.TABLE.items() if Role.CUSTOMER in grant.roles}
    both = {
        f"/api/v1/{name}{rest}" for name in ("tickets", "conversations") for rest in ("", "/{id}", "/{id}/messages")
    }

    assert theirs == both | {
        "/api/v1/profiles/{customer}", "/api/v1/knowledge/search", "/api/v1/knowledge/document",
        "/api/v1/knowledge/passages", "/api/v1/chat/tickets", "/ws/chat",
    }  # fmt: skip


def test_a_customer_sees_their_own_profile_by_any_of_its_names(web: TestClient) -> None:
    ada = bearing("customer", customer="ada")

    assert web.get("/api/v1/profiles/ada", headers=ada).json()["customer"] == "ada"
    assert web.get("/api/v1/profiles/customer:ada", headers=ada).status_code == 200
    for other in ("ben", "customer:ben", "crm:ada", "ADA", "ada%20", "%61da%00"):
        assert web.get(f"/api/v1/profiles/{other}", headers=ada).status_code == 403, other


def test_a_refusal_names_the_way_in_and_not_the_way_round(web: TestClient) -> None:
    nobody = web.get("/api/v1/profiles/ada")
    stranger = web.get("/api/v1/profiles/ada", headers=CALLERS["a stranger"])
    scopeless = web.get("/api/v1/profiles/ada", headers=CALLERS["scopeless"])

    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    assert (stranger.status_code, stranger.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')
    assert (scopeless.status_code, "profiles:read" in scopeless.headers["www-authenticate"]) == (403, True)
    assert "signature" not in stranger.text
    for refused in (nobody, stranger, scopeless):
        assert refused.headers["content-type"] == "application/problem+json"


def test_a_route_that_nobody_declared_is_nobodys(store_url: str, tmp_path: Path) -> None:
    with guarded_desk(store_url, tmp_path) as desk:
        for client, headers in ((guarded(desk), bearing("admin")), (guarded(desk, issuer=None, local_admin=True), {})):
            app_of(client).add_api_route("/forgotten", lambda: "secret")
            got = client.get("/forgotten", headers=headers)
            assert (got.status_code, "secret" in got.text) == (403, False)


def test_a_method_that_no_route_takes_is_told_which_ones_are(web: TestClient) -> None:
    got = web.post("/api/v1/segments/vip", headers=bearing("admin"))

    assert (got.status_code, got.headers["allow"]) == (405, "DELETE, PUT")


def test_refusals_are_counted(web: TestClient) -> None:
    def counted() -> float:
        page: Any = observe.AUTH_FAILURES.labels(reason="missing")
        value: float = page._value.get()
        return value

    before = counted()
    web.get("/api/v1/profiles/ada")
    assert counted() == before + 1


def test_with_local_admin_this_machine_needs_no_token_and_a_bad_one_is_still_bad(
    store_url: str, tmp_path: Path
) -> None:
    with guarded_desk(store_url, tmp_path) as desk, guarded(desk, local_admin=True, issuer=issuer_of(ED)) as web:
        assert web.get("/api/v1/segments").status_code == 200
        assert web.get("/api/v1/segments", headers=CALLERS["a stranger"]).status_code == 401
        assert web.get("/api/v1/segments", headers=bearing("customer", customer="ada")).status_code == 403
