"""Tickets answered by the real parts: what customers are told, who has it then, and what stays on record."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import _administer, fresh_store
from fastapi.testclient import TestClient
from journey import Steady, one_of, rows_of
from pydantic import SecretStr

from harken import bootstrap
from harken.adapters.jobs.working import Task, work
from harken.cli import demo_agent
from harken.domain.event import Channel
from harken.domain.ticket import OwnerType, StatusCategory, TicketId
from harken.flow import (
    agent_work,
    answering,
    asking,
    auditing,
    ending,
    replaying,
    sealing,
    ticket_handling,
    ticket_turns,
    ticketing,
)
from harken.flow.concluding import Ending
from harken.flow.desk import Desk
from harken.flow.ending import OvertakenError
from harken.flow.ticket_words import Words
from harken.flow.ticketing import Asked
from harken.settings import Settings
from harken.web.app import app_of

assert _administer  # the fixture below makes databases of its own
FEE = "What do you charge when I pay by card in a currency that is not the euro? I mean payments in other currencies."
MOST_S = 60


@contextmanager
def bank_on(url: str, home: Path, **settings: Any) -> Iterator[Desk]:
    """The desk as commands have it, with the made-up bank's handbook."""
    given = Settings(_env_file=None, home=home, database_url=SecretStr(url), burst_quiet_s=0, **settings)
    with bootstrap.desk_of(given) as desk:
        demo_agent.add_handbook(desk, Steady())
        yield desk


@pytest.fixture(scope="module")
def bank(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with ExitStack() as ends:
        url = ends.enter_context(fresh_store(postgres_url, _template))
        yield ends.enter_context(bank_on(url, tmp_path_factory.mktemp("bank")))


def url_of(desk: Desk) -> str:
    assert desk.live
    return desk.live.database.url


def opened(desk: Desk, text: str, customer: str, *, verified: bool = True) -> TicketId:
    assert desk.tickets
    asked = Asked(customer=customer, subject=text[:40], description=text, channel=Channel.CHAT, verified=verified)
    return ticketing.open(asked, desk.tickets).ticket.id


def answers(desk: Desk, ticket: TicketId) -> list[str]:
    assert desk.tickets
    return [
        each.text
        for each in ticket_turns.look(ticket, desk.tickets).messages
        if each.author_type == "ai" and not each.private
    ]


@pytest.mark.parametrize(
    ("text", "expected", "says"),
    [
        ("Up to which amount can I send an instant transfer?", Ending.SENT, "15,000 euros"),
        ("It does not work.", Ending.CLARIFIED, "?"),
        ("Please close my current account.", Ending.HELD, ""),
        ("I want to talk to a real person, please.", Ending.HANDED_OVER, "colleague"),
        ("I am 14 years old, how do I open an account?", Ending.HANDED_OVER, "colleague"),
        ("My husband died last week, what happens to his account?", Ending.HANDED_OVER, "colleague"),
    ],
)
async def test_each_way_in_which_a_ticket_ends(bank: Desk, text: str, expected: Ending, says: str) -> None:
    assert bank.agent
    assert bank.tickets
    answered = await asking.ask(text, f"ways-{expected}-{len(text)}", bank.agent)

    assert answered.conclusion.ending is expected
    assert says in answered.message
    ticket = answered.thought.gathered.ticket.id
    assert answers(bank, ticket) == ([answered.message] if answered.message else [])
    now = ticketing.standing(ticket, bank.tickets)
    assert (now.owner.type is OwnerType.AI) is (expected not in (Ending.HELD, Ending.HANDED_OVER))
    assert now.category == answered.thought.gathered.context.live.classification.category  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text",
    [
        "Please close my current account.",
        "Please refund me 24.50 euros, I was charged twice.",
        "Please change my address to 12 Mill Lane.",
    ],
)
async def test_who_proved_nothing_gets_nothing_done(bank: Desk, text: str) -> None:
    assert bank.agent
    answered = await answering.answer(opened(bank, text, f"stranger-{len(text)}", verified=False), bank.agent)

    assert answered
    assert answered.conclusion.ending is Ending.HANDED_OVER
    assert answered.conclusion.reason in ("identity_unverified", "unverified-goes-to-a-person")
    assert {each.state for each in answered.actions} <= {"refused"}


async def test_nothing_internal_is_told_to_a_customer(bank: Desk) -> None:
    assert bank.agent
    for text in (
        "What is the goodwill limit for a refund of fees without asking?",
        "Which rule stops amounts from a new device?",
    ):
        answered = await asking.ask(text, "curious", bank.agent)
        shown = " ".join(each.text for each in answered.thought.gathered.context.passages) + answered.message
        assert "canary-wren" not in shown
        assert "K-19" not in shown


async def test_every_answer_is_made_again_and_the_audit_is_whole(bank: Desk) -> None:
    assert bank.agent
    assert bank.open_audit
    assert bank.open_replay
    await asking.ask("Where do I find my statements in the app?", "replayed", bank.agent)
    sealing.seal_all(bank.open_audit())

    tally = await replaying.replay_all(None, bank.open_replay(), Steady())
    assert tally.replayed >= 1
    assert (tally.match, tally.mismatch, tally.incomplete) == (tally.replayed, [], [])
    verified = auditing.verify(bank.open_audit())
    assert (verified.ok, verified.problems) == (True, [])
    told = " ".join(str(row["body"]) for row in rows_of(url_of(bank), "SELECT body FROM audit_event"))
    assert "statements" not in told
    assert "replayed" not in told


async def test_two_workers_give_one_answer(bank: Desk) -> None:
    """Twenty messages, three workers each."""
    assert bank.agent
    desk = bank.agent
    for race in range(20):
        ticket = opened(bank, f"{FEE} ({race})", f"race-{race}")
        together = await asyncio.gather(*(answering.answer(ticket, desk) for _ in range(3)), return_exceptions=True)
        assert sum(isinstance(each, ending.Answered) for each in together) == 1, together
        with ThreadPoolExecutor(3) as hands:
            list(hands.map(asking.deliver_all, [desk] * 3))
        assert len(answers(bank, ticket)) == 1
        assert one_of(url_of(bank), "SELECT count(*) FROM answer_record WHERE ticket = %s", [ticket]) == 1


async def test_who_speaks_again_is_answered_as_a_whole(bank: Desk) -> None:
    assert bank.agent
    assert bank.tickets
    ticket = opened(bank, "Hello?", "burst")
    seen = await answering.look(ticket, bank.agent)
    assert seen
    thought = await answering.consider(seen, bank.agent)
    ticketing.say(ticket, Words(text="How can I see my PIN in the app?"), bank.tickets)

    with pytest.raises(OvertakenError):
        ending.keep(thought, bank.agent)
    answered = await answering.answer(ticket, bank.agent)
    assert answered
    assert "Show PIN" in answered.message


async def test_who_takes_over_is_not_talked_over(bank: Desk) -> None:
    assert bank.agent
    assert bank.tickets
    ticket = opened(bank, "How can I see my PIN in the app?", "taken")
    seen = await answering.look(ticket, bank.agent)
    assert seen
    thought = await answering.consider(seen, bank.agent)
    ticket_handling.take_over(ticket, "lena", bank.tickets)

    with pytest.raises(OvertakenError):
        ending.keep(thought, bank.agent)
    assert await answering.answer(ticket, bank.agent) is None
    assert answers(bank, ticket) == []


async def test_thanks_close_the_ticket_without_a_word(bank: Desk) -> None:
    assert bank.agent
    assert bank.tickets
    answered = await asking.ask("How can I see my PIN in the app?", "grateful", bank.agent)
    ticket = answered.thought.gathered.ticket.id
    ticketing.say(ticket, Words(text="Thank you, that solved it!"), bank.tickets)

    thanked = await answering.answer(ticket, bank.agent)
    assert thanked
    assert (thanked.conclusion.ending, thanked.message) == (Ending.CLOSED, "")
    assert ticketing.standing(ticket, bank.tickets).status is StatusCategory.RESOLVED


async def test_workers_answer_what_waits_and_give_the_impossible_to_people(bank: Desk) -> None:
    assert bank.agent
    assert bank.tickets
    assert bank.open_audit
    asked = opened(bank, "Until which age is the current account free of charge?", "waiting")
    tasks = [Task(name=each.name, do=each.do, last_resort=each.last_resort, every=each.every) for each in agent_work.works(bank.agent, bank.open_audit())]  # fmt: skip
    stopped = asyncio.Event()
    working = asyncio.create_task(work(url_of(bank), tasks, stopped))
    async with asyncio.timeout(MOST_S):
        while not answers(bank, asked) and not working.done():  # noqa: ASYNC110  what is waited for is in the database
            await asyncio.sleep(0.1)
    stopped.set()
    await working
    assert "27" in answers(bank, asked)[0]

    hopeless = opened(bank, "Nobody can answer this.", "hopeless")
    [give_up] = [each.last_resort for each in tasks if each.name == agent_work.ANSWER]
    assert give_up
    await give_up(hopeless)
    now = ticketing.standing(hopeless, bank.tickets)
    assert (now.owner.type, now.attributes["escalated"]) == (OwnerType.TEAM, agent_work.GAVE_UP)


def test_a_chat_is_acknowledged_told_and_taken_up_again(bank: Desk) -> None:
    assert bank.agent
    local = {"host": "127.0.0.1", "origin": "http://127.0.0.1:8000"}
    with TestClient(app_of(bank), base_url="http://127.0.0.1:8000") as web:
        page = web.get("/chat")
        assert page.status_code == 200
        assert "default-src 'self'" in page.headers["content-security-policy"]
        ticket = web.post("/api/v1/chat/tickets", json={"customer_id": "chatty"}).json()["ticket"]
        with web.websocket_connect(f"/ws/chat?ticket={ticket}", headers=local) as line:
            for _ in range(2):  # sent twice under one id, as after a dropped connection
                line.send_json({"type": "message", "id": "m-1", "text": "How can I see my PIN in the app?"})
            told = [line.receive_json() for _ in range(5)]
        assert (
            one_of(
                url_of(bank),
                "SELECT count(*) FROM ticket WHERE customer = 'customer:chatty' AND state LIKE '%%verified%%'",
            )
            == 0
        )
        acks = {(each["id"], each["conversation"]) for each in told if each["type"] == "ack"}
        [(id_, conversation)] = acks
        assert id_ == "m-1"
        asyncio.run(answering.answer(TicketId(conversation), bank.agent))
        asking.deliver_all(bank.agent)

        again = web.post("/api/v1/chat/tickets", json={"customer_id": "chatty", "conversation_id": conversation}).json()
        with web.websocket_connect(f"/ws/chat?ticket={again['ticket']}", headers=local) as line:
            line.send_text("nonsense")
            messages = []
            while not any(each["from"] == "ai" for each in messages):
                heard = line.receive_json()
                messages += [heard] if heard["type"] == "message" else []
        assert [each["from"] for each in messages] == ["customer", "system", "ai"]
        stranger = web.post(
            "/api/v1/chat/tickets", json={"customer_id": "other", "conversation_id": conversation}
        ).json()
        with web.websocket_connect(f"/ws/chat?ticket={stranger['ticket']}", headers=local) as line:
            assert line.receive()["code"] == 4403
