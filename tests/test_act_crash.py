"""Killed or stopped at every step of a delivery, and carried on by somebody else: one reply, one refund, no silent duplicate."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import act_worker
import pytest
from act_cases import (
    CAUSE,
    REFUND,
    START,
    TICKET,
    Effects,
    Noted,
    Ticking,
    act_desk,
    effects,
    http,
    outbox,
    proposals,
)
from act_worker import LENA
from crash_cases import PATIENCE_S, processes
from journey import rows_of
from ticket_cases import office_on

from harken.act.approvals import State
from harken.domain.ticket import Ticket
from harken.flow import acting, deciding, delivering, sending
from harken.flow.act_desk import ActDesk
from harken.flow.sending import Why

STEPS = ("after the claim", "before the send", "after the send", "inside the receipt")
LATER = START + timedelta(minutes=10)
"""Past every lease."""


@pytest.fixture
def system() -> Iterator[Effects]:
    with effects() as server:
        yield server


@pytest.fixture
def forgetful() -> Iterator[Effects]:
    """Takes no keys: what comes twice, happens twice."""
    with effects(takes_keys=False) as server:
        yield server


def refund_of(desk: ActDesk, *, approved: bool = True, cause: acting.Cause = CAUSE) -> tuple[str, str]:
    with desk.database.transaction() as tx:
        [done] = acting.propose(tx, acting.plan(tx, [REFUND], cause, desk), cause, desk)
    digest = deciding.shown(done.id, desk).waiting.arguments_hash
    if approved:
        deciding.approve(done.id, LENA, digest, desk)
    return done.id, digest


def leaving(desk: ActDesk, action: str, arguments: dict[str, Any], cause: str = "kb:1", ticket: Ticket = TICKET) -> str:
    spec = desk.catalogue.get(action)
    assert spec is not None
    with desk.database.transaction() as tx:
        message = sending.message(spec, ticket, arguments, author="ai", at=desk.clock())
        return sending.enqueue(tx, message, Why(cause=cause), desk)


def killed(work: Callable[..., None], *arguments: Any) -> None:
    process = processes.Process(target=work, args=arguments)
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL, f"ended with {process.exitcode}"


def carried_on(desk: ActDesk) -> None:
    while delivering.deliver(desk):
        pass


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_worker_and_one_refund(store_url: str, tmp_path: Path, system: Effects, step: str) -> None:
    with act_desk(store_url, tmp_path, Ticking(), at=system.url) as desk:
        refund_of(desk)
    killed(act_worker.deliver_until, store_url, tmp_path, system.url, step, START)
    clock = Ticking(LATER)
    with act_desk(store_url, tmp_path, clock, senders={"http": http(clock)}, at=system.url) as desk:
        carried_on(desk)

    [row] = outbox(store_url)
    assert system.effects == {row["id"]: 1}
    assert (row["state"], proposals(store_url)[0]["state"]) == ("delivered", "executed")
    assert len(system.requests) == (2 if step in ("after the send", "inside the receipt") else 1)


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_worker_and_no_silent_duplicate_without_keys(
    store_url: str, tmp_path: Path, forgetful: Effects, step: str
) -> None:
    noted, clock = Noted(), Ticking(LATER)
    with act_desk(store_url, tmp_path, Ticking(), at=forgetful.url) as desk:
        leaving(desk, "voucher", {"percent": 5})
    killed(act_worker.deliver_until, store_url, tmp_path, forgetful.url, step, START)
    with act_desk(store_url, tmp_path, clock, noted, {"http": http(clock)}, at=forgetful.url) as desk:
        carried_on(desk)

    [row] = outbox(store_url)
    assert sum(forgetful.effects.values()) == (0 if step == "before the send" else 1)
    if step == "after the claim":
        assert (row["state"], noted.people) == ("delivered", [])
    else:
        assert (row["state"], noted.people) == ("in_doubt", [(TICKET.id, "in_doubt")])


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_worker_and_one_reply(store_url: str, tmp_path: Path, step: str) -> None:
    with office_on(store_url, tmp_path, now=START) as office:
        ticket = office.open()
    with act_desk(store_url, tmp_path, Ticking()) as desk:
        leaving(desk, "reply", {"text": "In the app, under Cards."}, ticket=ticket)
    killed(act_worker.deliver_until, store_url, tmp_path, "", step, START)
    with act_desk(store_url, tmp_path, Ticking(LATER)) as desk:
        carried_on(desk)

    assert [row["state"] for row in outbox(store_url)] == ["delivered"]
    assert len(rows_of(store_url, "SELECT id FROM event WHERE kind = 'message_sent'")) == 1
    with office_on(store_url, tmp_path, now=LATER) as office:
        said = [type(each.change).__name__ for each in office.history(ticket)]
    assert said.count("Replied") == 1


@pytest.mark.parametrize("step", ["inside the approval", "after the approval"])
def test_killed_while_somebody_approves(store_url: str, tmp_path: Path, system: Effects, step: str) -> None:
    clock = Ticking()
    with act_desk(store_url, tmp_path, clock, senders={"http": http(clock)}, at=system.url) as desk:
        proposal = refund_of(desk, approved=False)
        killed(act_worker.approve_until, store_url, tmp_path, system.url, step, proposal, START)
        if step == "inside the approval":
            assert deciding.shown(proposal[0], desk).waiting.state is State.PENDING
            deciding.approve(*(proposal[0], LENA, proposal[1]), desk)
        carried_on(desk)

    assert list(system.effects.values()) == [1]
    assert len(system.requests) == 1


# Stopped past its lease, and back


def stopped(work: Callable[..., None], *arguments: Any) -> Any:
    process = processes.Process(target=work, args=arguments, kwargs={"stops": True})
    process.start()
    until = time.monotonic() + PATIENCE_S
    while state_of(process.pid) != "T":
        assert time.monotonic() < until, "it never stopped"
        time.sleep(0.01)
    return process


def state_of(pid: int | None) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def woken(process: Any) -> None:
    os.kill(process.pid, signal.SIGCONT)
    process.join(PATIENCE_S)
    assert process.exitcode == 0


TRIALS = [3, pytest.param(30, marks=pytest.mark.long)]


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize("step", ["after the claim", "before the send", "after the send"])
def test_a_worker_that_slept_past_its_lease_pays_nothing_twice(
    store_url: str, tmp_path: Path, system: Effects, step: str, trials: int
) -> None:
    clock, start = Ticking(), partial(act_worker.deliver_until, store_url, tmp_path, system.url, step)
    with act_desk(store_url, tmp_path, clock, senders={"http": http(clock)}, at=system.url) as desk:
        for trial in range(trials):
            leaving(desk, "account_closure", {}, cause=f"kb:{trial}")
            asleep = stopped(start, clock.now)
            clock.forward(minutes=10)
            carried_on(desk)
            woken(asleep)
            carried_on(desk)

    rows = outbox(store_url)
    assert [row["state"] for row in rows] == ["delivered"] * trials
    assert system.effects == {row["id"]: 1 for row in rows}
    assert {row["fence"] for row in rows} == {2}


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize("step", ["after the claim", "before the send"])
def test_a_worker_that_slept_sends_nothing_where_there_are_no_keys(
    store_url: str, tmp_path: Path, forgetful: Effects, step: str, trials: int
) -> None:
    clock, noted = Ticking(), Noted()
    start = partial(act_worker.deliver_until, store_url, tmp_path, forgetful.url, step)
    with act_desk(store_url, tmp_path, clock, noted, {"http": http(clock)}, at=forgetful.url) as desk:
        for trial in range(trials):
            leaving(desk, "voucher", {}, cause=f"kb:{trial}")
            asleep = stopped(start, clock.now)
            clock.forward(minutes=10)
            carried_on(desk)
            woken(asleep)

    assert sum(forgetful.effects.values()) == trials
    assert max(forgetful.effects.values()) == 1
    surfaced = 0 if step == "after the claim" else trials
    assert len(noted.people) == surfaced
