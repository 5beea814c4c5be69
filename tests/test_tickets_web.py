"""The door of tickets: what callers get, what they are refused, and what a customer never sees."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from access_cases import bearing, guarded
from journey import one_of
from starlette.testclient import TestClient
from ticket_cases import Office, office_on

from harken.flow import ticket_watch
from harken.web.app import app_of

HERE = "http://127.0.0.1:8000"
TICKETS = "/api/v1/tickets"
BODY = {"customer_id": "ada", "subject": "Card declined", "description": "It was declined.", "priority": "high", "channel": "email"}  # fmt: skip


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    with office_on(store_url, tmp_path) as made:
        yield made
        assert ticket_watch.check(made.desk).mismatches == ()


@pytest.fixture
def web(office: Office) -> Iterator[TestClient]:
    with TestClient(app_of(office.whole), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


def post(
    web: TestClient, path: str = "", expected: int = 201, headers: dict[str, str] | None = None, **body: Any
) -> Any:
    answer = web.post(f"{TICKETS}{path}", json=body or BODY, headers=headers)
    assert answer.status_code == expected, answer.text
    return answer.json()


def put(web: TestClient, path: str, expected: int = 200, headers: dict[str, str] | None = None, **body: Any) -> Any:
    answer = web.put(f"{TICKETS}{path}", json=body, headers=headers)
    assert answer.status_code == expected, answer.text
    return answer.json()


@pytest.mark.parametrize("prefix", ["/api/v1/tickets", "/api/v1/conversations"])
def test_a_ticket_is_opened_and_read_by_id_and_by_number(web: TestClient, prefix: str) -> None:
    made = web.post(prefix, json=BODY)
    body = made.json()

    assert made.status_code == 201
    assert made.headers["location"] == f"{prefix}/{body['id']}"
    assert made.headers["etag"] == '"2"'
    assert (body["acknowledged"], body["number"], body["status"], body["priority"]) == (True, 1, "new", "high")
    assert body["owner"] == {"type": "ai", "id": "", "epoch": 1}
    assert body["description"] == BODY["description"]
    assert [message["author_type"] for message in body["messages"]] == ["customer", "system"]
    assert body["created_at"] == "2025-03-14T12:00:00Z"
    assert web.get(made.headers["location"]).json() == web.get(f"{prefix}/1").json() == body


def test_what_is_not_as_described_is_refused_by_name(web: TestClient) -> None:
    for wrong, field in (
        ({"customer_id": "two words"}, "customer_id"),
        ({"subject": " "}, "subject"),
        ({"subject": "line\nbreak"}, "subject"),
        ({"description": "bell \x07"}, "description"),
        ({"description": "x" * 16_001}, "description"),
        ({"priority": "whenever"}, "priority"),
        ({"channel": "pigeon"}, "channel"),
        ({"colour": "blue"}, "colour"),
    ):
        answer = web.post(TICKETS, json=BODY | wrong)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert answer.json()["detail"].startswith(f"{field}: ")


def test_no_such_ticket(web: TestClient) -> None:
    assert web.get(f"{TICKETS}/77").status_code == 404
    assert web.get(f"{TICKETS}/not-a-name").status_code == 422
    assert put(web, "/77/priority", 404, priority="low")["status"] == 404


def test_a_customer_sees_no_note_and_no_name(web: TestClient) -> None:
    post(web)
    post(web, "/1/notes", text="Between us: a difficult one.")
    post(web, "/1/messages", text="We are looking into it.", author="agent")
    put(web, "/1/tags", tags=["difficult"])
    seen, told = web.get(f"{TICKETS}/1?as=customer").text, web.get(f"{TICKETS}/1/changes?as=customer").text

    for hidden in ("difficult", "person:local", "owner", "tags", "attributes"):
        assert hidden not in seen
        assert hidden not in told
    assert [message["author_type"] for message in web.get(f"{TICKETS}/1?as=customer").json()["answers"]] == ["person"]
    assert "difficult" in web.get(f"{TICKETS}/1").text


def test_a_change_to_what_was_changed_meanwhile_is_refused(web: TestClient) -> None:
    post(web)
    seen = web.get(f"{TICKETS}/1").headers["etag"]
    changed = put(web, "/1/priority", headers={"If-Match": seen}, priority="urgent")
    assert changed["version"] == 3
    put(web, "/1/priority", 412, headers={"If-Match": seen}, priority="low")
    post(web, "/1/notes", 412, headers={"If-Match": '"nonsense"'}, text="Never.")
    post(web, "/1/messages", 412, headers={"If-Match": seen}, text="Never.", author="agent")
    assert put(web, "/1/priority", headers={"If-Match": "*"}, priority="low")["priority"] == "low"


def test_everything_that_people_do(web: TestClient, office: Office) -> None:
    post(web)
    assert put(web, "/1/status", status="on_hold")["label"] == "on_hold"
    assert put(web, "/1/owner", type="person", id="lena")["owner"] == {"type": "person", "id": "lena", "epoch": 2}
    assert put(web, "/1/owner", type="ai")["owner"]["epoch"] == 3
    put(web, "/1/owner", 409, type="person")
    put(web, "/1/owner", 409, type="ai", id="lena")
    put(web, "/1/status", 422, status="dunno")
    assert put(web, "/1/tags", tags=["b", "a", "a"])["tags"] == ["a", "b"]
    assert put(web, "/1/snooze", until="2025-03-15T09:00:00+01:00")["snoozed_until"] == "2025-03-15T08:00:00Z"
    assert put(web, "/1/snooze", until=None)["snoozed_until"] is None
    put(web, "/1/snooze", 409, until="2025-03-01T09:00:00Z")
    names = [change["event"] for change in web.get(f"{TICKETS}/1/changes").json()["data"]]
    assert names == [
        "conversation.created", "conversation.acknowledged", "conversation.status_changed", "conversation.assigned",
        "conversation.assigned", "conversation.tags_changed", "conversation.snoozed", "conversation.woken",
    ]  # fmt: skip


def test_merged_and_split_by_hand(web: TestClient) -> None:
    post(web)
    post(web, **BODY | {"subject": "Another", "description": "Second matter."})
    merged = post(web, "/1/merge", 200, other="2")
    assert merged["turns"] == 2
    assert web.get(f"{TICKETS}/2").json()["merged_into"] == merged["id"]
    second = next(each["id"] for each in merged["messages"] if "Second" in each["text"])
    made = post(web, "/1/split", messages=[second], subject="Again apart")
    assert (made["number"], made["subject"], made["turns"]) == (3, "Again apart", 1)
    post(web, "/1/split", 409, messages=["tickets:nobody"])
    post(web, "/1/merge", 404, other="99")


def test_pages_stand_still_while_tickets_change(web: TestClient) -> None:
    for number in range(5):
        post(web, **BODY | {"description": f"Matter {number}.", "customer_id": f"c{number % 2}"})
    first = web.get(f"{TICKETS}?page[size]=2").json()
    put(web, "/3/priority", priority="urgent")
    second = web.get(first["links"]["next"]).json()
    last = web.get(second["links"]["next"]).json()

    numbers = [[each["number"] for each in page["data"]] for page in (first, second, last)]
    assert numbers == [[5, 4], [3, 2], [1]]
    assert (first["meta"]["has_more"], last["meta"]["has_more"], last["links"]["next"]) == (True, False, None)


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ("filter[status]=on_hold", [1]), ("filter[owner]=person:lena", [2]), ("filter[owner]=ai", [3, 1]),
        ("filter[tag]=vip", [3]), ("filter[customer]=c0", [3, 1]), ("filter[customer]=customer:c1", [2]),
        ("filter[customer]=nobody", []), ("filter[updated_since]=2025-03-14T12:30:00Z", [3]),
        ("filter[status]=new&filter[tag]=vip", [3]),
    ],
)  # fmt: skip
def test_filters(web: TestClient, office: Office, asked: str, numbers: list[int]) -> None:
    for number in range(3):
        post(web, **BODY | {"description": f"Matter {number}.", "customer_id": f"c{number % 2}"})
    put(web, "/1/status", status="on_hold")
    put(web, "/2/owner", type="person", id="lena")
    office.clock.pass_(hours=1)
    put(web, "/3/tags", tags=["vip"])

    assert [each["number"] for each in web.get(f"{TICKETS}?{asked}").json()["data"]] == numbers


def test_the_same_key_at_once_is_one_ticket(web: TestClient, store_url: str) -> None:
    """Who comes while the first is under way is told to wait; whoever is answered is told of the same ticket."""

    def once(_: int) -> tuple[int, str]:
        answer = web.post(TICKETS, json=BODY, headers={"Idempotency-Key": "k-1"})
        return answer.status_code, answer.json().get("id", "")

    with ThreadPoolExecutor(8) as crowd:
        answers = set(crowd.map(once, range(24)))
    assert {code for code, _ in answers} <= {201, 409}
    assert len({id_ for code, id_ in answers if code == 201}) == 1
    assert one_of(store_url, "SELECT count(*) FROM ticket") == 1
    assert one_of(store_url, "SELECT count(*) FROM event") == 1
    post(web, "", 422, {"Idempotency-Key": "k-1"}, **BODY | {"description": "Something else."})


def test_of_writers_who_saw_the_same_version_one_writes(web: TestClient) -> None:
    post(web)

    def write(number: int) -> int:
        return web.put(f"{TICKETS}/1/tags", json={"tags": [f"t{number}"]}, headers={"If-Match": '"2"'}).status_code

    with ThreadPoolExecutor(8) as crowd:
        codes = sorted(crowd.map(write, range(16)))
    assert codes == [200] + [412] * 15
    assert web.get(f"{TICKETS}/1").json()["version"] == 3


def test_a_customers_token_opens_their_own_tickets_and_nothing_else(office: Office) -> None:
    lena, ada, ben = bearing("agent"), bearing("customer", sub="ada", customer="ada"), bearing("customer", sub="ben", customer="ben")  # fmt: skip
    with guarded(office.whole) as web:
        assert web.post(TICKETS, json=BODY).status_code == 401
        assert web.post(TICKETS, json=BODY, headers=ben).status_code == 403
        mine = web.post(TICKETS, json=BODY, headers=ada)
        assert mine.status_code == 201
        assert "owner" not in mine.json()
        web.post(TICKETS, json=BODY | {"customer_id": "ben"}, headers=ben)
        note = {"text": "Between us: a difficult one."}
        assert web.post(f"{TICKETS}/1/notes", json=note, headers=ada).status_code == 403
        assert web.post(f"{TICKETS}/1/notes", json=note, headers=lena).status_code == 201

        for path in ("/1", "/1?as=agent"):
            assert web.get(f"{TICKETS}{path}", headers=ben).status_code == 404
            seen = web.get(f"{TICKETS}{path}", headers=ada)
            assert seen.status_code == 200
            assert "difficult" not in seen.text
        assert web.get(f"{TICKETS}/1/changes", headers=ada).status_code == 403
        assert [each["number"] for each in web.get(TICKETS, headers=ada).json()["data"]] == [1]
        assert web.get(f"{TICKETS}?filter[customer]=ben", headers=ada).status_code == 403
        assert [each["number"] for each in web.get(TICKETS, headers=lena).json()["data"]] == [2, 1]

        said = {"text": "I am you.", "author": "agent"}
        assert web.post(f"{TICKETS}/1/messages", json=said, headers=ada).status_code == 403
        assert web.post(f"{TICKETS}/1/messages", json={"text": "More."}, headers=ben).status_code == 404
        assert web.post(f"{TICKETS}/1/messages", json={"text": "More."}, headers=ada).status_code == 201
        answered = web.post(f"{TICKETS}/1/messages", json=said, headers=lena).json()
        assert (answered["owner"]["type"], answered["owner"]["id"]) == ("person", "lena")
        answered = web.post(f"{TICKETS}/2/messages", json=said, headers=bearing("service", sub="crm")).json()
        assert (answered["owner"]["type"], answered["owner"]["id"]) == ("bot", "crm")
