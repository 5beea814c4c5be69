"""A live answer whose worker is killed at every step of it: one reply, one refund, one record, and nobody forgotten."""

import pytest
from answer_crash_cases import Town, town_that_answers, whole_at_the_end  # noqa: F401  fixtures among them
from answer_worker import LENA
from journey import one_of, rows_of

from harken.domain.ticket import OwnerType, TicketId
from harken.flow import asking, deciding, ticketing

REFUND = "Please refund me 24.50 euros, I was charged twice."


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
