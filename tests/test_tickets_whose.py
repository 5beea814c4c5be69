"""What a customer pays for and whose law holds for them: where a ticket has it from, and everything that follows from it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from access_cases import bearing, guarded
from journey import Steady
from live_cases import arrival, receive_all
from starlette.testclient import TestClient
from test_answering import bank_on
from ticket_cases import Office, office_on

from harken.domain.ticket import Priority, Ticket
from harken.flow import acting, answering, replaying, sending, ticket_turns, ticket_watch, ticketing
from harken.flow.concluding import Ending
from harken.flow.sending import Why
from harken.flow.ticketing import Asked
from harken.intake.tracking import tracked

TICKETS = "/api/v1/tickets"
DESK = """
[jurisdictions]
PR = "US"
[[team]]
name = "support"
[[team]]
name = "americas"
[[team]]
name = "first"
[[agent]]
name = "bea"
teams = ["support"]
jurisdictions = ["FR"]
[[agent]]
name = "carl"
teams = ["support"]
jurisdictions = ["DE"]
[[route]]
name = "vip"
team = "first"
tiers = ["vip"]
[[route]]
name = "americas"
team = "americas"
jurisdictions = ["US"]
"""


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    rules = tmp_path / "desk.toml"
    rules.write_text('first_owner = "team"\n' + DESK)
    with office_on(store_url, tmp_path, rules=rules) as made:
        yield made
        assert ticket_watch.check(made.desk).mismatches == ()


def identify(office: Office, customer: str, **traits: str) -> None:
    event = {
        "id": f"kb:{customer}",
        "customer": customer,
        "channel": "system",
        "happened_at": "2025-03-10T12:00:00Z",
        "kind": "identify",
        "attributes": traits,
    }
    receive_all(office.desk.live, [arrival(event)])


def whose(ticket: Ticket) -> tuple[Any, Any]:
    return ticket.attributes.get("tier"), ticket.attributes.get("jurisdiction")


def test_what_an_event_tells_of_a_customer_is_a_word_of_a_closed_list() -> None:
    def told(**traits: Any) -> str | None:
        body = {"type": "identify", "messageId": "m", "userId": "ada", "traits": traits}
        row = tracked(body, source="s", received_us=1_800_000_000_000_000, blind=lambda _kind, text: text).row
        return row["attributes"]

    assert told(plan="Premium", address={"country": "de"}) == '{"country":"DE","tier":"premium"}'
    assert told(tier="vip", country="US-CA") == '{"country":"US-CA","tier":"vip"}'
    assert told(plan="ada@example.org", country="Ada Lovelace") is None
    assert told(plan=3, address="12 Mill Lane", country=None) is None


def test_a_ticket_has_both_from_the_profile_and_all_that_follows(office: Office) -> None:
    identify(office, "rosa", tier="vip", country="PR")
    rosa, plain = office.open(customer="rosa"), office.open(customer="nobody")

    assert whose(rosa) == ("vip", "US"), "as the desk file says of Puerto Rico"
    assert whose(plain) == (None, None)
    assert (rosa.priority, plain.priority) == (Priority.HIGH, Priority.MEDIUM)
    assert rosa.owner.id == "first"
    first = {clock.name: clock.limit_s for clock in ticket_turns.look(rosa.id, office.desk).clocks}
    assert first["first_response"] == 60 * 60 // 4, "a quarter of the time that its priority has"


def test_routes_and_agents_know_the_law(office: Office) -> None:
    identify(office, "max", country="DE")
    identify(office, "joe", country="US-CA")
    identify(office, "ann", country="PL")
    assert office.open(customer="max").owner.id == "carl"
    assert office.open(customer="joe").owner.id == "americas"
    assert office.open(customer="ann").owner.id == "support", "nobody there knows the law of Poland"


def test_only_who_may_say_it_says_it(office: Office) -> None:
    said = {"tier": "vip", "jurisdiction": "DE"}
    body = {"customer_id": "ada", "subject": "Fee", "description": "What is it?"}
    with guarded(office.whole) as web:
        made = web.post(TICKETS, json=body | {"attributes": said}, headers=bearing("service"))
        assert (made.status_code, made.json()["attributes"]["tier"]) == (201, "vip")
        for headers in (bearing("customer", customer="ada"), bearing("agent"), bearing("service", jurisdiction=["FR"])):
            assert web.post(TICKETS, json=body | {"attributes": said}, headers=headers).status_code == 403
        own = web.post(TICKETS, json=body, headers=bearing("customer", customer="ada", jurisdiction=["FR"]))
        assert own.status_code == 201
        lead = bearing("lead")
        assert web.get(f"{TICKETS}/{own.json()['id']}", headers=lead).json()["attributes"]["jurisdiction"] == "FR"
        for wrong in ({"tier": "V I P"}, {"jurisdiction": "de"}, {"colour": "blue"}):
            assert web.post(TICKETS, json=body | {"attributes": wrong}, headers=lead).status_code == 422


@pytest.fixture
def web(office: Office) -> Iterator[TestClient]:
    for customer, country in (("max", "DE"), ("joe", "US-CA"), ("pat", "")):
        office.open(customer=customer, jurisdiction=country)
    with guarded(office.whole) as client:
        yield client


def test_an_agent_sees_the_tickets_of_their_jurisdictions(web: TestClient) -> None:
    german, american = bearing("agent", jurisdiction=["DE"]), bearing("agent", jurisdiction=["US", "FR"])

    def seen(headers: dict[str, str]) -> list[int]:
        return sorted(each["number"] for each in web.get(TICKETS, headers=headers).json()["data"])

    assert (seen(german), seen(american), seen(bearing("agent"))) == ([1, 3], [2, 3], [1, 2, 3])
    assert seen(bearing("lead", jurisdiction=["DE"])) == [1, 3], "whatever the role, where one is named"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/changes", None),
        ("POST", "/messages", {"text": "Hello", "author": "agent"}),
        ("POST", "/notes", {"text": "Hello"}),
        ("PUT", "/status", {"status": "open"}),
        ("PUT", "/priority", {"priority": "low"}),
        ("PUT", "/owner", {"type": "ai"}),
        ("PUT", "/tags", {"tags": ["x"]}),
        ("PUT", "/snooze", {"until": None}),
        ("POST", "/merge", {"other": "1"}),
        ("POST", "/split", {"messages": ["x"]}),
    ],
)
def test_anothers_jurisdiction_is_not_there(web: TestClient, method: str, path: str, body: Any) -> None:
    answer = web.request(method, f"{TICKETS}/2{path}", json=body, headers=bearing("agent", jurisdiction=["DE"]))
    assert answer.status_code == 404
    assert web.get(f"{TICKETS}/2", headers=bearing("lead")).json()["version"] == 2, "nothing was changed"


def test_the_other_side_of_a_merge_is_looked_at_too(web: TestClient) -> None:
    answer = web.post(f"{TICKETS}/1/merge", json={"other": "2"}, headers=bearing("agent", jurisdiction=["DE"]))
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/v1/profiles/joe", None),
        ("GET", "/api/v1/profiles/joe/changes", None),
        ("POST", "/predict_nba", {"customer_id": "joe"}),
    ],
)
def test_a_customer_of_another_jurisdiction_is_not_there(
    office: Office, web: TestClient, method: str, path: str, body: Any
) -> None:
    identify(office, "joe", country="US-CA")
    other = bearing("lead", jurisdiction=["DE"])
    refused = web.request(method, path, json=body, headers=other)
    unheard = web.request(method, path.replace("joe", "liz"), json=body and {"customer_id": "liz"}, headers=other)
    assert (refused.status_code, refused.json()["detail"]) == (404, unheard.json()["detail"].replace("liz", "joe"))
    if "changes" not in path:  # a stream that is theirs does not end
        assert web.request(method, path, json=body, headers=bearing("lead", jurisdiction=["US"])).status_code == 200


def test_of_many_customers_those_of_other_jurisdictions_are_not_there(office: Office, web: TestClient) -> None:
    identify(office, "joe", country="US-CA")
    identify(office, "max", country="DE")
    asked = {"customers": ["joe", "max", "pat"]}
    seen = {
        place: [
            each.get("status")
            for each in web.post("/api/v1/profiles:batch", json=asked, headers=who).json()["profiles"]
        ]
        for place, who in (("DE", bearing("lead", jurisdiction=["DE"])), ("any", bearing("lead")))
    }
    assert seen == {"DE": [404, None, None], "any": [None, None, None]}


def test_deliveries_of_another_jurisdiction_are_not_there(store_url: str, tmp_path: Path) -> None:
    with bank_on(store_url, tmp_path) as bank:
        assert bank.acts
        assert bank.tickets
        sent = {}
        for customer, place in (("max", "DE"), ("joe", "US-CA"), ("pat", "")):
            asked = Asked(customer=customer, subject="Hello", description="Hello there", jurisdiction=place)
            ticket = ticketing.open(asked, bank.tickets).ticket
            reply = acting.spec_of("reply", bank.acts)
            message = sending.message(reply, ticket, {"text": "Seen"}, author="ai", at=bank.acts.clock())
            with bank.acts.database.transaction() as tx:
                sent[customer] = sending.enqueue(tx, message, Why(cause=customer), bank.acts)
        with guarded(bank) as web:
            now = int(bank.acts.clock().timestamp())
            german = bearing("lead", jurisdiction=["DE"], iat=now, nbf=now, exp=now + 60)
            answer = web.get("/api/v1/outbox", params={"state": "waiting"}, headers=german)
            assert answer.status_code == 200, answer.text
            shown = answer.json()["deliveries"]
            assert {each["id"] for each in shown} == {sent["max"], sent["pat"]}
            drop = {"decision": "drop"}
            assert [
                web.post(f"/api/v1/outbox/{sent[customer]}/decide", json=drop, headers=german).status_code
                for customer in ("joe", "max")
            ] == [404, 200]


async def test_an_answer_is_worded_by_both_and_by_the_hours_and_made_again(store_url: str, tmp_path: Path) -> None:
    desk_file = tmp_path / "desk.toml"
    closed = "".join(f"{day} = []\n" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    # Open for one minute a week: whenever this runs, people are away.
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[datetime.now(UTC).weekday() - 4]
    desk_file.write_text(
        f'[hours]\nzone = "Asia/Tokyo"\n{closed.replace(f"{day} = []", f"{day} = [{chr(34)}12:00-12:01{chr(34)}]")}'
    )
    with bank_on(store_url, tmp_path, desk=desk_file) as bank:
        assert bank.agent
        assert bank.tickets
        assert bank.open_replay
        asked = Asked(
            customer="vera", subject="A person", description="Ich möchte bitte mit einem Menschen sprechen.",
            tier="vip", jurisdiction="DE", verified=True,
        )  # fmt: skip
        ticket = ticketing.open(asked, bank.tickets).ticket
        answered = await answering.answer(ticket.id, bank.agent)
        assert answered
        live = answered.thought.gathered.context.live
        assert live
        assert (live.tier, live.jurisdiction, live.ahead) == ("vip", "DE", True)
        assert answered.thought.gathered.jurisdiction == "DE"
        assert answered.conclusion.ending is Ending.HANDED_OVER
        assert "Mit „vip“ kommen Sie früher an die Reihe." in answered.message
        assert "um 12:00 Uhr (JST) wieder da." in answered.message
        tally = await replaying.replay_all(None, bank.open_replay(), Steady())
        assert (tally.match, tally.mismatch, tally.incomplete) == (1, [], [])
