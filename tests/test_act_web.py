"""What waits for people, over HTTP: shown a page at a time, approved as it was shown, and what nobody could deliver."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from act_cases import CAUSE, REFUND, SECRET, START, TICKET, Effects, catalogue_of, effects, outbox, ticket_desk
from journey import desk_on, rows_of
from live_cases import live_desk
from starlette.testclient import TestClient

from harken.bootstrap import acting as wiring
from harken.flow import acting, delivering, sending
from harken.flow.act_desk import ActDesk
from harken.flow.desk import Desk
from harken.flow.sending import Why
from harken.settings import Settings
from harken.web.app import app_of

HERE = "http://127.0.0.1:8000"
ACTIONS, OUTBOX = "/api/v1/actions", "/api/v1/outbox"


@pytest.fixture
def system() -> Iterator[Effects]:
    with effects() as server:
        yield server


@pytest.fixture
def desk(store_url: str, tmp_path: Path, system: Effects) -> Iterator[Desk]:
    """As bootstrap builds it, on a clock that stands still."""
    catalogue_of(tmp_path, system.url)
    settings = Settings(
        _env_file=None, actions=tmp_path / "actions.toml", action_secret=SECRET, action_hosts="loopback, erp.internal"
    )
    with live_desk(store_url, now=START) as live, desk_on(store_url, tmp_path, now=START) as desk:
        acts = wiring.desk_of(settings, ticket_desk(live))
        yield replace(desk, live=live, open_acts=lambda: acts)


@pytest.fixture
def acts(desk: Desk) -> ActDesk:
    assert desk.acts is not None
    return desk.acts


@pytest.fixture
def web(desk: Desk) -> Iterator[TestClient]:
    with TestClient(app_of(desk), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def propose(acts: ActDesk, number: int = 1) -> str:
    cause = replace(CAUSE, id=f"kb:{number}", ticket=replace(TICKET, customer=f"customer:{number}"))
    with acts.database.transaction() as tx:
        [done] = acting.propose(tx, acting.plan(tx, [REFUND], cause, acts), cause, acts)
    return done.id


def test_a_refund_is_shown_approved_and_paid(web: TestClient, acts: ActDesk, system: Effects, store_url: str) -> None:
    id_ = propose(acts)

    [shown] = web.get(ACTIONS).json()["actions"]
    assert shown == web.get(f"{ACTIONS}/{id_}").json()
    assert (shown["id"], shown["action"], shown["title"]) == (id_, "refund", "Refund a payment")
    assert (shown["arguments"], shown["because"], shown["people"]) == (REFUND.arguments, "double charge", 1)
    word = {"arguments_hash": shown["arguments_hash"]}
    told = web.post(f"{ACTIONS}/{id_}/approve", json=word)
    assert (told.status_code, told.json()["state"]) == (200, "approved")
    assert web.post(f"{ACTIONS}/{id_}/approve", json=word).status_code == 409
    assert delivering.deliver(acts)

    assert list(system.effects.values()) == [1]
    assert web.get(ACTIONS).json()["actions"] == []
    [done] = web.get(ACTIONS, params={"state": "executed"}).json()["actions"]
    assert done["approved_by"] == ["local"]
    recorded = rows_of(
        store_url, "SELECT actor, action, body FROM audit_event WHERE action LIKE 'action.%%' ORDER BY id"
    )
    assert [row["action"] for row in recorded] == ["action.proposed", "action.approved", "action.executed"]
    assert [row["actor"] for row in recorded] == ["ai", "local", "outbox"]
    assert "customer:1" not in str(recorded)


def test_other_arguments_have_another_hash(web: TestClient, acts: ActDesk) -> None:
    id_ = propose(acts)
    before = web.get(f"{ACTIONS}/{id_}").json()["arguments_hash"]

    edited = web.put(f"{ACTIONS}/{id_}/arguments", json={"arguments": {"amount_minor": 7, "currency": "EUR"}})

    assert edited.json()["state"] == "pending"
    assert web.post(f"{ACTIONS}/{id_}/approve", json={"arguments_hash": before}).status_code == 409
    after = {"arguments_hash": edited.json()["arguments_hash"]}
    assert web.post(f"{ACTIONS}/{id_}/deny", json=after).json()["state"] == "denied"
    refused = web.put(f"{ACTIONS}/{id_}/arguments", json={"arguments": {"amount_minor": 8, "currency": "EUR"}})
    assert refused.status_code == 409


def test_pages_have_everything_once(web: TestClient, acts: ActDesk) -> None:
    made = {propose(acts, number) for number in range(7)}

    seen: list[str] = []
    link: str | None = f"{ACTIONS}?state=pending&page[size]=3"
    while link:
        page = web.get(link).json()
        seen += [each["id"] for each in page["actions"]]
        link = page["links"]["next"]
        assert page["meta"]["has_more"] is (link is not None)

    assert len(seen) == len(set(seen)) == 7
    assert set(seen) == made


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"{ACTIONS}?state=never", None, 422),
        ("GET", f"{ACTIONS}?page[after]=garbage", None, 422),
        ("GET", f"{ACTIONS}?page[after]=%00", None, 422),
        ("GET", f"{ACTIONS}?page[size]=1000", None, 422),
        ("GET", f"{ACTIONS}/nothing", None, 422),
        ("GET", f"{ACTIONS}/{TICKET.id}", None, 404),
        ("POST", f"{ACTIONS}/{TICKET.id}/approve", {"arguments_hash": "0" * 32}, 404),
        ("POST", f"{ACTIONS}/{TICKET.id}/approve", {"arguments_hash": "short"}, 422),
        ("POST", f"{ACTIONS}/{TICKET.id}/approve", {}, 422),
        ("POST", f"{ACTIONS}/{TICKET.id}/deny", {"arguments_hash": "0" * 32, "more": 1}, 422),
        ("PUT", f"{ACTIONS}/{TICKET.id}/arguments", {"arguments": {"a": []}}, 422),
        ("GET", f"{OUTBOX}?state=never", None, 422),
        ("POST", f"{OUTBOX}/{TICKET.id}/decide", {"decision": "drop"}, 404),
        ("POST", f"{OUTBOX}/{TICKET.id}/decide", {"decision": "burn"}, 422),
    ],
)
def test_what_is_wrong_is_said_as_a_problem(web: TestClient, method: str, path: str, body: Any, status: int) -> None:
    answer = web.request(method, path, json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_what_nobody_could_deliver_is_decided_by_a_person(
    web: TestClient, acts: ActDesk, system: Effects, store_url: str
) -> None:
    system.answers = [(500, {}, b"")]
    spec = acts.catalogue.get("voucher")
    assert spec is not None
    with acts.database.transaction() as tx:
        message = sending.message(spec, TICKET, {"percent": 5}, author="ai", at=START)
        id_ = sending.enqueue(tx, message, Why(cause="kb:1"), acts)
    assert delivering.deliver(acts)

    [row] = web.get(OUTBOX).json()["deliveries"]
    assert (row["id"], row["state"], row["error"]) == (id_, "in_doubt", "unknown: it answered 500")
    metrics = web.get("/metrics").text
    assert 'support_outbox_pending{state="in_doubt"} 1.0' in metrics
    again = web.post(f"{OUTBOX}/{id_}/decide", json={"decision": "resend"})
    assert again.json() == {"id": id_, "state": "waiting"}
    assert delivering.deliver(acts)

    assert outbox(store_url)[0]["state"] == "delivered"
    assert web.post(f"{OUTBOX}/{id_}/decide", json={"decision": "drop"}).status_code == 409


def test_where_only_files_are_taken_in_nobody_acts(store_url: str, tmp_path: Path) -> None:
    with desk_on(store_url, tmp_path) as desk, TestClient(app_of(desk), base_url=HERE) as client:
        assert client.get(ACTIONS).status_code == 404


def test_an_erased_customers_proposal_says_so(web: TestClient, acts: ActDesk, store_url: str) -> None:
    id_ = propose(acts)
    rows_of(store_url, "DELETE FROM subject_key RETURNING subject")

    shown = web.get(f"{ACTIONS}/{id_}").json()
    assert shown["arguments"] is None
    word = {"arguments_hash": shown["arguments_hash"]}
    assert web.post(f"{ACTIONS}/{id_}/approve", json=word).status_code == 410


def test_an_address_comes_from_the_identity_alone(acts: ActDesk) -> None:
    with acts.database.transaction() as tx:
        assert wiring.address_of(tx, "email:maria@example.org") == "maria@example.org"
        assert wiring.address_of(tx, "customer:maria@example.org") == ""
