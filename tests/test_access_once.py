"""The same POST with the same key is done once; and a socket's ticket is good once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from access_cases import HERE, MASTER, NOW, bearing, guarded, guarded_desk, stopped_at
from fastapi import WebSocket
from journey import one_of, rows_of
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from harken.flow.desk import Desk
from harken.web.app import app_of
from harken.web.auth import permissions, sockets
from harken.web.auth.idempotency import Answer, Answers, Held
from harken.web.auth.principal import LOCAL, Principal, Role
from harken.web.auth.refusals import Denied

TICKETS, BATCH = "/api/v1/chat/tickets", "/api/v1/events/batch"


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    with guarded_desk(store_url, tmp_path) as desk:
        yield desk


@pytest.fixture
def web(desk: Desk) -> Iterator[TestClient]:
    with guarded(desk) as client:
        yield client


def keyed(key: str, *roles: str, **more: Any) -> dict[str, str]:
    return bearing(*(roles or ("admin",)), **more) | {"Idempotency-Key": key}


def test_the_same_request_gets_the_same_answer(web: TestClient, store_url: str) -> None:
    first = web.post(TICKETS, json={"customer_id": "ada"}, headers=keyed("k1"))
    again = web.post(TICKETS, json={"customer_id": "ada"}, headers=keyed("k1"))
    fresh = web.post(TICKETS, json={"customer_id": "ada"}, headers=keyed("k2"))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() != fresh.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == "application/json"
    assert again.headers["ratelimit"]
    sealed = bytes(rows_of(store_url, "SELECT sealed FROM idempotency LIMIT 1")[0]["sealed"])
    assert first.json()["ticket"].encode() not in sealed


def test_another_request_with_the_key_is_refused(web: TestClient) -> None:
    web.post(TICKETS, json={"customer_id": "ada"}, headers=keyed("k1"))

    for path, body in ((TICKETS, {"customer_id": "ben"}), (f"{TICKETS}?x=1", {"customer_id": "ada"})):
        got = web.post(path, json=body, headers=keyed("k1"))
        assert (got.status_code, got.headers["content-type"]) == (422, "application/problem+json")


def test_a_key_is_its_callers_own(web: TestClient) -> None:
    first = web.post(TICKETS, json={"customer_id": "ada"}, headers=keyed("k1"))
    other = web.post(TICKETS, json={"customer_id": "ada"}, headers=keyed("k1", sub="mo"))

    assert first.json() != other.json()


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\tb"])
def test_a_key_that_is_none_is_refused(web: TestClient, key: str) -> None:
    got = web.post(TICKETS, json={}, headers=bearing("admin") | {"Idempotency-Key": key.encode()})  # type: ignore[dict-item]
    assert got.status_code == 400


def test_a_mistake_does_not_burn_the_key(web: TestClient) -> None:
    assert web.post(TICKETS, json={"customer": 1}, headers=keyed("k1")).status_code == 422
    assert web.post(TICKETS, json={"customer_id": "ada"}, headers=keyed("k1")).status_code == 201


def test_on_this_machine_keys_hold_without_a_token(desk: Desk) -> None:
    with TestClient(app_of(desk), base_url=HERE) as web:
        answers = [web.post(TICKETS, json={}, headers={"Idempotency-Key": "k"}).json() for _ in range(2)]
    assert answers[0] == answers[1]


def test_twenty_at_once_are_done_once(web: TestClient, desk: Desk, store_url: str) -> None:
    """Whoever is not the first is told to wait, or gets the first one's answer."""

    def ask(_: int) -> tuple[int, str]:
        got = web.post(TICKETS, json={"customer_id": "ada"}, headers=keyed("k1"))
        return got.status_code, got.json().get("ticket", "")

    with ThreadPoolExecutor(20) as hands:
        got = list(hands.map(ask, range(20)))

    assert {status for status, _ in got} <= {201, 409}
    assert len({ticket for status, ticket in got if status == 201}) == 1
    assert one_of(store_url, "SELECT count(*) FROM socket_ticket") == 1


def begun(desk: Desk, *, after_s: float = 0, request: bytes = b"r") -> Held | Answer:
    assert desk.live is not None
    answers = Answers(desk.live.database, MASTER, stopped_at(NOW + timedelta(seconds=after_s)))
    return answers.begin(LOCAL, b"caller", "k", request)


def test_a_process_that_died_holds_its_key_for_a_while_and_writes_nothing_when_it_comes_back(desk: Desk) -> None:
    assert desk.live is not None
    died = begun(desk)
    assert isinstance(died, Held)
    with pytest.raises(Denied) as busy:
        begun(desk, after_s=119)
    assert (busy.value.status, busy.value.headers["Retry-After"]) == (409, "1")
    with pytest.raises(Denied):
        begun(desk, after_s=121, request=b"another")

    second = begun(desk, after_s=121)
    assert isinstance(second, Held)
    answers = Answers(desk.live.database, MASTER, stopped_at(NOW + timedelta(seconds=122)))
    answers.finish(second, Answer(200, [(b"content-type", b"text/plain")], b"second"))
    answers.finish(died, Answer(200, [], b"zombie"))

    kept = begun(desk, after_s=123)
    assert kept == Answer(200, [(b"content-type", b"text/plain")], b"second")
    assert isinstance(begun(desk, after_s=90_000), Held), "a day later it is a new request"


def test_an_answer_dies_with_its_customers_key(desk: Desk) -> None:
    assert desk.live is not None
    ada = replace(LOCAL, customer="ada")
    answers = Answers(desk.live.database, MASTER, stopped_at(NOW))
    held = answers.begin(ada, b"caller", "k", b"r")
    assert isinstance(held, Held)
    answers.finish(held, Answer(200, [], b"hello ada"))
    import psycopg  # noqa: PLC0415  as the owner: erasing is not this role's

    with psycopg.connect(desk.live.database.url) as owner:
        owner.execute("DELETE FROM subject_key WHERE subject = 'customer:ada'")

    with pytest.raises(Denied) as gone:
        answers.begin(ada, b"caller", "k", b"r")
    assert gone.value.reason == "erased"


def test_an_answer_opens_for_its_own_key_only(desk: Desk, store_url: str) -> None:
    assert desk.live is not None
    for key, text in (("one", b"1"), ("two", b"2")):
        answers = Answers(desk.live.database, MASTER, stopped_at(NOW))
        held = answers.begin(LOCAL, b"caller", key, b"r")
        assert isinstance(held, Held)
        answers.finish(held, Answer(200, [], text))
    import psycopg  # noqa: PLC0415  as above

    with psycopg.connect(store_url) as owner:
        owner.execute("UPDATE idempotency a SET sealed = b.sealed FROM idempotency b WHERE a.key <> b.key")
    with pytest.raises(Denied):
        answers.begin(LOCAL, b"caller", "one", b"r")


def test_a_ticket_admits_once_whom_it_was_given_to(web: TestClient, store_url: str) -> None:
    wanted = {"conversation_id": "c-1"}
    given = web.post(TICKETS, json=wanted, headers=bearing("customer", customer="ada"))
    assert (given.status_code, given.json()["expires_in"]) == (201, 30)
    ticket = given.json()["ticket"]
    assert "ada" not in repr(rows_of(store_url, "SELECT * FROM socket_ticket"))

    access = web.app.state.access  # type: ignore[attr-defined]
    found = sockets.redeem(access, ticket)
    assert found is not None
    assert (found.customer, found.conversation, found.subject) == ("ada", "c-1", "lena")
    assert found.is_customer
    assert sockets.redeem(access, ticket) is None


def test_of_ten_who_show_a_ticket_at_once_one_gets_in(web: TestClient) -> None:
    access = web.app.state.access  # type: ignore[attr-defined]
    ticket = sockets.issue(access, LOCAL)
    together = threading.Barrier(10)

    def show(_: int) -> Principal | None:
        together.wait()
        return sockets.redeem(access, ticket)

    with ThreadPoolExecutor(10) as hands:
        assert [each for each in hands.map(show, range(10)) if each] == [LOCAL]


def test_a_customer_gets_a_ticket_for_nobody_else(web: TestClient) -> None:
    got = web.post(TICKETS, json={"customer_id": "ben"}, headers=bearing("customer", customer="ada"))
    assert got.status_code == 403


def sockets_of(web: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    row = permissions.Grant(scope="chat:use", roles=frozenset(Role))
    monkeypatch.setattr(permissions, "TABLE", {**permissions.TABLE, ("WEBSOCKET", "/ws/echo"): row})

    async def chat(websocket: WebSocket) -> None:
        who = await sockets.admitted(websocket)
        if who is not None:
            await websocket.send_json({"customer": who.customer, "local": who.local})
            await websocket.close()

    web.app.add_api_websocket_route("/ws/echo", chat)  # type: ignore[attr-defined]
    web.app.add_api_websocket_route("/ws/forgotten", chat)  # type: ignore[attr-defined]
    return web


def closed(web: TestClient, path: str, **headers: str) -> int:
    with pytest.raises(WebSocketDisconnect) as ended, web.websocket_connect(path, headers=headers) as socket:
        socket.receive_json()
    return ended.value.code


def test_a_socket_is_admitted_by_its_ticket_alone(desk: Desk, web: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    door = sockets_of(web, monkeypatch)
    access = web.app.state.access  # type: ignore[attr-defined]
    here = {"host": "127.0.0.1:8000", "origin": HERE}
    ticket = sockets.issue(access, replace(LOCAL, customer="ada", local=False))

    assert closed(door, f"/ws/echo?ticket={ticket}", host="127.0.0.1", origin="https://evil.example") == 4403
    with door.websocket_connect(f"/ws/echo?ticket={ticket}", headers=here) as socket:
        assert socket.receive_json() == {"customer": "ada", "local": False}
    for bad in (f"?ticket={ticket}", "", "?ticket=x", "?ticket=" + "A" * 43, "?ticket=%FF"):
        assert closed(door, f"/ws/echo{bad}", **here) == 4401, bad
    assert closed(door, f"/ws/forgotten?ticket={sockets.issue(access, LOCAL)}", **here) == 4403


def test_a_ticket_that_came_too_late(desk: Desk, web: TestClient) -> None:
    access = web.app.state.access  # type: ignore[attr-defined]
    ticket = sockets.issue(access, LOCAL)
    access.clock = stopped_at(NOW + timedelta(seconds=31))
    assert sockets.redeem(access, ticket) is None


def test_on_this_machine_a_socket_needs_no_ticket(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(app_of(desk), base_url=HERE) as web:
        door = sockets_of(web, monkeypatch)
        with door.websocket_connect("/ws/echo", headers={"host": "127.0.0.1"}) as socket:
            assert socket.receive_json() == {"customer": None, "local": True}
        assert closed(door, "/ws/echo", host="evil.example") == 4403
