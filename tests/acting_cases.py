"""A desk on which everything is counted and noted, and what people and the outbox do on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from act_cases import CAUSE, REFUND, Counts, Noted, Ticking, act_desk

from harken.domain.proposal import Proposal
from harken.flow import acting, deciding, delivering
from harken.flow.act_desk import ActDesk
from harken.flow.deciding import Person

LENA, OMAR = Person(who="lena", roles=frozenset({"lead"})), Person(who="omar", roles=frozenset({"lead", "agent"}))


@pytest.fixture(name="noted")
def what_is_noted() -> Noted:
    return Noted()


@pytest.fixture(name="clock")
def ticking_clock() -> Ticking:
    return Ticking()


@pytest.fixture(name="channel")
def counting_channel() -> Counts:
    return Counts()


@pytest.fixture(name="desk")
def counted_desk(store_url: str, tmp_path: Path, clock: Ticking, noted: Noted, channel: Counts) -> Iterator[ActDesk]:
    senders = {"http": channel, "email": channel, "conversation": channel}
    with act_desk(store_url, tmp_path, clock, noted, senders) as made:
        yield made


def proposed(desk: ActDesk, *several: Proposal, cause: acting.Cause = CAUSE) -> tuple[acting.Done, ...]:
    with desk.database.transaction() as tx:
        return acting.propose(tx, acting.plan(tx, several, cause, desk), cause, desk)


def asked(desk: ActDesk, *several: Proposal, cause: acting.Cause = CAUSE) -> tuple[str, str]:
    """The id and the hash of the first, which waits for people."""
    [done, *_] = proposed(desk, *(several or (REFUND,)), cause=cause)
    return done.id, deciding.shown(done.id, desk).waiting.arguments_hash


def everything(desk: ActDesk) -> int:
    """Delivered until nothing is due."""
    return sum(1 for _ in iter(lambda: delivering.deliver(desk), False))
