"""A bank that answers, what it acts on, and a worker of it that can be killed at any step."""

import asyncio
import base64
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from act_cases import Effects, effects
from answer_worker import Hand
from conftest import fresh_store
from crash_cases import processes
from journey import Steady, one_of, rows_of
from test_answering import answers, bank_on, opened, url_of

from harken.domain.ticket import TicketId
from harken.flow import answering, asking, auditing, replaying, sealing, ticket_watch
from harken.flow.agent_desk import AgentDesk
from harken.flow.desk import Desk

PIN = "How can I see my PIN in the app?"
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


@pytest.fixture(name="town", scope="module")
def town_that_answers(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with fresh_store(postgres_url, _template) as url, town_on(url, tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(autouse=True, scope="module")
def whole_at_the_end(town: Town) -> Iterator[None]:
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
