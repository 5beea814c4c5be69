"""Workers of two processes at one ticket, while its customer speaks again or a person takes it over: one reply, or none."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from random import Random

import pytest
from answer_worker import Hand
from conftest import fresh_store
from crash_cases import processes
from journey import rows_of
from test_answering import answers, bank_on, opened, url_of

from harken.domain.ticket import OwnerType, TicketId
from harken.flow import answering, asking, ticket_handling, ticketing
from harken.flow.agent_desk import AgentDesk
from harken.flow.desk import Desk
from harken.flow.ticket_words import Words
from harken.tickets import changes as c
from harken.tickets import store

PIN, TRANSFER = "How can I see my PIN in the app?", "Up to which amount can I send an instant transfer?"
LONG = pytest.param(1_000, marks=pytest.mark.long)


@dataclass
class Track:
    desk: Desk
    hands: list[Hand]
    runners: ThreadPoolExecutor

    @property
    def agent(self) -> AgentDesk:
        assert self.desk.agent
        return self.desk.agent

    def race(self, ticket: TicketId, chance: Random, meanwhile: Callable[[], None] | None = None) -> None:
        """Both workers answer and deliver, and something happens at a random moment of it."""
        runs = [self.runners.submit(hand.does, "race", ticket) for hand in self.hands]
        if meanwhile:
            threading.Event().wait(chance.uniform(0, 0.4))
            meanwhile()
        for run in runs:
            run.result()

    def finished(self, ticket: TicketId) -> None:
        """The jobs that are left: what the customer said meanwhile asked for one."""
        asyncio.run(answering.answer(ticket, self.agent))
        asking.deliver_all(self.agent)

    def records(self, ticket: TicketId) -> list[str]:
        """The turns that were answered."""
        found = rows_of(
            url_of(self.desk),
            "SELECT manifest::json->'event'->>'id' AS event FROM answer_record WHERE ticket = %s",
            [ticket],
        )
        return sorted(row["event"] for row in found)

    def outbox(self, ticket: TicketId) -> list[str]:
        rows = rows_of(url_of(self.desk), "SELECT state FROM outbox WHERE ticket = %s ORDER BY enqueued_at", [ticket])
        return [row["state"] for row in rows]

    def history(self, ticket: TicketId) -> list[c.Change]:
        with self.agent.tickets.live.database.statement() as tx:
            return [each.change for each in store.history(tx, [ticket], None)[ticket]]


@pytest.fixture(scope="module")
def track(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Track]:
    home = tmp_path_factory.mktemp("races")
    with ExitStack() as ends:
        url = ends.enter_context(fresh_store(postgres_url, _template))
        desk = ends.enter_context(bank_on(url, home))
        hands = [Hand(processes, url, home, opened(desk, PIN, f"first-{place}"), forks=False) for place in range(2)]
        for hand in hands:
            ends.callback(hand.close)
        yield Track(desk, hands, ends.enter_context(ThreadPoolExecutor(2)))


@pytest.mark.parametrize("races", [20, LONG])
def test_two_workers_give_one_answer(track: Track, races: int) -> None:
    for race in range(races):
        ticket = opened(track.desk, PIN, f"race-{races}-{race}")
        track.race(ticket, Random(race))
        track.finished(ticket)
        assert len(answers(track.desk, ticket)) == 1
        assert len(track.records(ticket)) == 1
        assert track.outbox(ticket) == ["delivered"]


@pytest.mark.parametrize("races", [10, LONG])
def test_who_speaks_again_at_any_moment_is_answered_once(track: Track, races: int) -> None:
    """One answer to all of it, or one to each message; never two to one, and the last word is always answered."""
    for race in range(races):
        ticket = opened(track.desk, PIN, f"again-{races}-{race}")
        track.race(ticket, Random(race), partial(spoken, track, ticket))
        track.finished(ticket)
        told, turns = answers(track.desk, ticket), track.records(ticket)
        assert len(told) == len(turns) == len(set(turns)) <= 2, (race, told)
        assert ticketing.standing(ticket, track.agent.tickets).newest_turn in turns, (race, told)
        assert track.outbox(ticket) == ["delivered"] * len(told)


def spoken(track: Track, ticket: TicketId) -> None:
    ticketing.say(ticket, Words(text=TRANSFER), track.agent.tickets)


@pytest.mark.parametrize("races", [10, LONG])
def test_nobody_is_talked_over_whenever_they_take_the_ticket(track: Track, races: int) -> None:
    for race in range(races):
        ticket = opened(track.desk, PIN, f"taken-{races}-{race}")
        track.race(ticket, Random(race), partial(taken, track, ticket))
        track.finished(ticket)
        changes = track.history(ticket)
        said = [place for place, each in enumerate(changes) if isinstance(each, c.Replied)]
        [over] = [
            place
            for place, each in enumerate(changes)
            if isinstance(each, c.Assigned) and each.owner is OwnerType.PERSON
        ]
        assert len(said) <= 1
        assert all(place < over for place in said), race


def taken(track: Track, ticket: TicketId) -> None:
    ticket_handling.take_over(ticket, "lena", track.agent.tickets)


async def test_an_answer_on_its_way_does_not_answer_what_is_said_after_it(track: Track) -> None:
    ticket = opened(track.desk, PIN, "overtaken")
    first = await answering.answer(ticket, track.agent)
    spoken(track, ticket)
    asking.deliver_all(track.agent)

    waiting = ticketing.standing(ticket, track.agent.tickets)
    assert waiting.waiting_since is not None
    second = await answering.answer(ticket, track.agent)
    asking.deliver_all(track.agent)
    assert first
    assert second
    assert answers(track.desk, ticket) == [first.message, second.message]
    assert "15,000 euros" in second.message
    assert ticketing.standing(ticket, track.agent.tickets).waiting_since is None
