"""A live answer whose worker is killed at every step of it: one reply, one refund, one record, and nobody forgotten."""

import asyncio
import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count, product
from pathlib import Path
from typing import Any

import answer_worker
import pytest
from act_cases import Effects, effects
from answer_worker import LENA, Hand, Steps
from conftest import fresh_store
from journey import Steady, one_of, rows_of
from test_answering import answers, bank_on, opened, url_of
from test_crash import processes

from harken.domain.ticket import OwnerType, TicketId
from harken.flow import answering, asking, auditing, deciding, replaying, sealing, ticket_turns, ticket_watch, ticketing
from harken.flow.agent_desk import AgentDesk
from harken.flow.desk import Desk
from harken.tickets import changes as c

PIN = "How can I see my PIN in the app?"
REFUND = "Please refund me 24.50 euros, I was charged twice."
SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
CATALOGUE = """
[refund]
url = "{keyed}"

[credit]
title = "Credit bonus points"
tier = "auto"
effect = "keyed"
executor = "http"
url = "{keyed}"
arguments = {{ type = "object" }}
limits = {{ count_per_day = 10000 }}

[voucher]
title = "Send a voucher"
tier = "auto"
effect = "unkeyed"
executor = "http"
url = "{unkeyed}"
arguments = {{ type = "object", properties = {{ percent = {{ type = "integer" }} }} }}
limits = {{ count_per_day = 10000 }}
"""
PATIENCE_S = 60
_numbers = count(1)


@dataclass
class Town:
    """A bank that answers, two systems that it acts on, and a worker that can be killed any number of times."""

    desk: Desk
    hand: Hand
    keyed: Effects
    unkeyed: Effects

    @property
    def url(self) -> str:
        return url_of(self.desk)

    @property
    def agent(self) -> AgentDesk:
        assert self.desk.agent
        return self.desk.agent

    def later(self) -> AgentDesk:
        """Once every lease is over."""
        act, clock = self.agent.act, self.agent.act.clock
        return replace(self.agent, act=replace(act, clock=lambda: clock() + timedelta(minutes=10)))

    def open(self, text: str = PIN, customer: str = "") -> TicketId:
        return opened(self.desk, text, customer or f"customer-{next(_numbers)}")

    def answered(self, text: str = PIN) -> TicketId:
        """Thought, and kept; not delivered."""
        ticket = self.open(text)
        assert asyncio.run(answering.answer(ticket, self.agent))
        return ticket

    def restarted(self, ticket: TicketId) -> None:
        """What a worker does that comes after: the ticket's job is still there, and so is what waits in the outbox."""
        asyncio.run(answering.answer(ticket, self.agent))
        self.delivered(ticket)

    def delivered(self, ticket: TicketId) -> None:
        """The server may take a moment to notice that a client is dead, and lets go of its rows only then."""
        until = time.monotonic() + PATIENCE_S
        asking.deliver_all(self.later())
        while {state for _, state in self.outbox(ticket)} & {"waiting", "sending"} and time.monotonic() < until:
            asking.deliver_all(self.later())

    def jobs(self, ticket: TicketId) -> int:
        return int(one_of(self.url, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'answer' AND args->>'about' = %s", [ticket]))  # fmt: skip

    def records(self, ticket: TicketId) -> int:
        return int(one_of(self.url, "SELECT count(*) FROM answer_record WHERE ticket = %s", [ticket]))

    def outbox(self, ticket: TicketId) -> list[tuple[str, str]]:
        rows = rows_of(
            self.url, "SELECT action, state FROM outbox WHERE ticket = %s ORDER BY enqueued_at, id", [ticket]
        )
        return [(row["action"], row["state"]) for row in rows]

    def once(self, ticket: TicketId) -> None:
        """One reply, delivered once, on record once; and the tables say what the changes say."""
        assert len(answers(self.desk, ticket)) == 1
        assert self.records(ticket) == 1
        assert self.outbox(ticket) == [("reply", "delivered")]


@contextmanager
def town_on(url: str, folder: Path) -> Iterator[Town]:
    with effects() as keyed, effects(takes_keys=False) as unkeyed:
        actions = folder / "actions.toml"
        actions.write_text(CATALOGUE.format(keyed=keyed.url, unkeyed=unkeyed.url))
        given: dict[str, Any] = {"actions": actions, "action_secret": SECRET, "action_hosts": "loopback"}
        with bank_on(url, folder / "home", **given) as desk:
            hand = Hand(processes, url, folder / "home", opened(desk, PIN, "first"), **given)
            try:
                yield Town(desk, hand, keyed, unkeyed)
            finally:
                hand.close()


@pytest.fixture(scope="module")
def town(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with fresh_store(postgres_url, _template) as url, town_on(url, tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(autouse=True, scope="module")
def _whole_at_the_end(town: Town) -> Iterator[None]:
    """Whatever was killed: every change is in the tables once, the audit is whole, and every answer is made again."""
    yield
    assert town.desk.tickets
    assert town.desk.open_audit
    assert town.desk.open_replay
    assert ticket_watch.check(town.desk.tickets).mismatches == ()
    sealing.seal_all(town.desk.open_audit())
    assert auditing.verify(town.desk.open_audit()).problems == []
    tally = asyncio.run(replaying.replay_all(None, town.desk.open_replay(), Steady()))
    assert (tally.mismatch, tally.incomplete) == ([], [])


TRIALS = [1, pytest.param(30, marks=pytest.mark.long)]


def quick(steps: list[str], trials: int) -> list[str]:
    """What is before one write is after the one before it: each moment once, or all names thirty times."""
    return (
        steps * trials
        if trials > 1
        else [step for step in dict.fromkeys(steps) if not step.startswith("after ") or keeps(step)]
    )


def keeps(step: str) -> bool:
    """A moment after which nothing of ours follows within its transaction, or that no write marks."""
    return any(word in step for word in ("commit", "send", "draft", "guard"))


@pytest.mark.parametrize("trials", TRIALS)
def test_killed_at_any_step_of_an_answer(town: Town, trials: int) -> None:
    steps = town.hand.does("answer", town.open())
    around = ["before the look", "after the look", "after the draft", "after the guard"]
    assert [step for step in dict.fromkeys(steps) if step in around] == around
    assert {"after INSERT INTO outbox 1", "before INSERT INTO procrastinate_jobs 1", "after commit 2"} <= {*steps}
    for step in quick(steps, trials):
        ticket = town.open()
        town.hand.does("answer", ticket, fatal=step)
        assert town.jobs(ticket) == 1
        town.restarted(ticket)
        town.once(ticket)


@pytest.mark.parametrize("trials", TRIALS)
def test_killed_at_any_step_of_a_delivery(town: Town, trials: int) -> None:
    asking.deliver_all(town.later())
    town.answered()
    steps = town.hand.does("deliver")
    assert {"before the send by conversation", "after the send by conversation", "after UPDATE outbox 2"} <= {*steps}
    for step in quick(steps, trials):
        ticket = town.answered()
        town.hand.does("deliver", fatal=step)
        town.restarted(ticket)
        town.once(ticket)


@pytest.mark.parametrize("trials", TRIALS)
def test_killed_at_any_step_of_a_refund(town: Town, trials: int) -> None:
    """From the word of whoever approves to the receipt of the system that pays."""
    _, proposal, digest = asked_back(town)
    approving, paying = town.hand.does("approve", proposal, digest), town.hand.does("deliver")
    assert {"before the send by http", "after the send by http"} <= {*paying}
    for step in quick(approving, trials):
        ticket, proposal, digest = asked_back(town)
        town.hand.does("approve", proposal, digest, fatal=step)
        if state_of(town, proposal) == "pending":
            deciding.approve(proposal, LENA, digest, town.agent.act)
        paid_once(town, ticket, proposal)
    for step in quick(paying, trials):
        ticket, proposal, digest = asked_back(town)
        deciding.approve(proposal, LENA, digest, town.agent.act)
        town.hand.does("deliver", fatal=step)
        paid_once(town, ticket, proposal)


def asked_back(town: Town) -> tuple[TicketId, str, str]:
    """A ticket, its refund that waits for approval, and the digest of what exactly is approved."""
    ticket = town.answered(REFUND)
    town.delivered(ticket)
    [proposal] = rows_of(town.url, "SELECT id FROM action_proposal WHERE ticket = %s AND action = 'refund'", [ticket])
    return ticket, proposal["id"], deciding.shown(proposal["id"], town.agent.act).waiting.arguments_hash


def state_of(town: Town, proposal: str) -> str:
    return str(one_of(town.url, "SELECT state FROM action_proposal WHERE id = %s", [proposal]))


def paid_once(town: Town, ticket: TicketId, proposal: str) -> None:
    town.delivered(ticket)
    [row] = rows_of(town.url, "SELECT id, state FROM outbox WHERE proposal = %s", [proposal])
    assert (row["state"], state_of(town, proposal)) == ("delivered", "executed")
    assert town.keyed.effects[row["id"]] == 1
    assert town.outbox(ticket) == [("reply", "delivered"), ("refund", "delivered")]
    assert ticketing.standing(ticket, town.agent.tickets).owner.type is OwnerType.TEAM


# Every kind of effect, killed at every named step

ORDERING = ("before INSERT INTO action_proposal 1", "before commit 1", "after commit 1")
LEAVING = (
    "after commit 1",
    "before the send by {channel}",
    "after the send by {channel}",
    "before UPDATE outbox {last}",
)


@dataclass(frozen=True)
class Effect:
    """`channel`: how it leaves; empty: it is a change of the ticket. `last`: which update of its row is the receipt."""

    action: str
    arguments: dict[str, Any]
    channel: str = ""
    last: int = 2


EFFECTS = {
    "keyed": Effect("credit", {}, "http"),
    "unkeyed": Effect("voucher", {"percent": 5}, "http", last=3),
    "reply": Effect("reply", {"text": "In the app, under Cards."}, "conversation"),
    "note": Effect("note", {"text": "They asked twice."}),
    "tag": Effect("tag", {"tag": "asked-twice"}),
}


@pytest.mark.parametrize("trials", [3, pytest.param(30, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", EFFECTS)
def test_no_effect_is_lost_or_silently_doubled(town: Town, kind: str, trials: int) -> None:
    effect = EFFECTS[kind]
    leaving = [each.format(channel=effect.channel, last=effect.last) for each in LEAVING if effect.channel]
    for deed, step in [*product(["order"], ORDERING), *product(["deliver"], leaving)] * trials:
        ticket = town.open()
        wanted = (ticket, "a rule", effect.action, effect.arguments)
        if deed == "order":
            town.hand.does("order", *wanted, fatal=step)
        answer_worker.order(town.desk, Steps(), *wanted)  # as whoever is asked again does
        if deed == "deliver":
            town.hand.does("deliver", fatal=step)
        town.delivered(ticket)
        HAPPENED[kind](town, ticket, step)


def kept_with_key(town: Town, ticket: TicketId, step: str) -> None:
    assert town.outbox(ticket) == [("credit", "delivered")]
    assert effects_of(town.keyed, town, ticket) == 1


def surfaced_without(town: Town, ticket: TicketId, step: str) -> None:
    """Who cannot be asked twice is not: a person looks."""
    begun = "send" in step or "UPDATE" in step
    owner = ticketing.standing(ticket, town.agent.tickets).owner.type
    assert town.outbox(ticket) == [("voucher", "in_doubt" if begun else "delivered")]
    assert owner is (OwnerType.TEAM if begun else OwnerType.AI)
    assert effects_of(town.unkeyed, town, ticket) == ("before the send" not in step)


def effects_of(system: Effects, town: Town, ticket: TicketId) -> int:
    [row] = rows_of(town.url, "SELECT id FROM outbox WHERE ticket = %s", [ticket])
    return system.effects[row["id"]]


def said_once(town: Town, ticket: TicketId, step: str) -> None:
    assert town.outbox(ticket) == [("reply", "delivered")]
    assert answers(town.desk, ticket) == [EFFECTS["reply"].arguments["text"]]


def changed_once(town: Town, ticket: TicketId, step: str) -> None:
    seen = ticket_turns.look(ticket, town.agent.tickets).changes
    assert sum(isinstance(each.change, c.NoteAdded | c.TagsChanged) for each in seen) == 1


HAPPENED = {
    "keyed": kept_with_key,
    "unkeyed": surfaced_without,
    "reply": said_once,
    "note": changed_once,
    "tag": changed_once,
}
