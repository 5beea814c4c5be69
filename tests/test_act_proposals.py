"""What was proposed is done, put to people or refused."""

from dataclasses import replace

from act_cases import CAUSE, REFUND, TICKET, Noted, Ticking, outbox, proposals
from acting_cases import LENA, asked, counted_desk, counting_channel, proposed, ticking_clock, what_is_noted  # noqa: F401  fixtures among them

from harken.domain.proposal import Proposal
from harken.flow import acting, deciding
from harken.flow.act_desk import ActDesk


def test_what_needs_nobody_is_done_and_what_is_not_declared_is_refused(
    desk: ActDesk, noted: Noted, store_url: str
) -> None:
    done = proposed(
        desk,
        Proposal(action="tag", arguments={"tag": "billing"}),
        Proposal(action="wire_money", arguments={}),
        Proposal(action="refund", arguments={"amount_minor": 100, "currency": "EUR", "recipient": "me"}),
        REFUND,
    )

    assert [each.state for each in done] == ["executed", "refused", "refused", "pending"]
    assert noted.tickets == [(TICKET.id, "tag", {"tag": "billing"})]
    assert noted.people == [(TICKET.id, "needs_approval")]
    assert noted.told == ["action.proposed", "action.executed", "action.refused", "action.refused", "action.proposed"]
    assert [row["state"] for row in proposals(store_url)] == ["pending", "executed"]
    assert outbox(store_url) == []


def test_the_same_draft_again_is_the_same_proposals(desk: ActDesk, noted: Noted, store_url: str) -> None:
    first = proposed(desk, Proposal(action="tag", arguments={"tag": "a"}), REFUND)
    second = proposed(desk, Proposal(action="tag", arguments={"tag": "a"}), REFUND)

    assert [each.id for each in first] == [each.id for each in second]
    assert len(noted.tickets) == 1
    assert len(proposals(store_url)) == 2


def test_another_draft_for_the_same_message_adds_nothing(desk: ActDesk, store_url: str) -> None:
    proposed(desk, REFUND)
    proposed(
        desk,
        Proposal(action="tag", arguments={"tag": "a"}),
        replace(REFUND, arguments={"amount_minor": 1, "currency": "EUR"}),
    )

    assert [row["action"] for row in proposals(store_url)] == ["refund", "tag"]


def test_what_the_ticket_refuses_leaves_the_rest_as_it_is(desk: ActDesk, noted: Noted, store_url: str) -> None:
    noted.refuses = True
    done = proposed(desk, Proposal(action="close", arguments={}), REFUND)

    assert [each.state for each in done] == ["failed", "pending"]
    assert [row["state"] for row in proposals(store_url)] == ["failed", "pending"]


def test_a_day_allows_only_so_much_whatever_the_cause(desk: ActDesk, clock: Ticking) -> None:
    big = Proposal(action="refund", arguments={"amount_minor": 20_000, "currency": "EUR"})
    causes = [replace(CAUSE, id=f"kb:{number}") for number in range(4)]

    assert [each.state for each in proposed(desk, big, big, cause=causes[0])] == ["pending", "refused"]
    assert proposed(desk, big, cause=causes[1])[0].reason == "more than a day allows"
    other = replace(causes[2], ticket=replace(TICKET, customer="customer:otto"))
    assert proposed(desk, big, cause=other)[0].state == "pending"
    clock.forward(hours=25)
    assert proposed(desk, big, cause=causes[3])[0].state == "pending"


def test_what_was_denied_is_not_spent(desk: ActDesk) -> None:
    big = Proposal(action="refund", arguments={"amount_minor": 20_000, "currency": "EUR"})
    id_, digest = asked(desk, big)
    deciding.deny(id_, LENA, digest, desk)

    assert proposed(desk, big, cause=replace(CAUSE, id="kb:2"))[0].state == "pending"


def test_a_person_orders_what_no_writer_may_propose(desk: ActDesk, store_url: str) -> None:
    reply = Proposal(action="reply", arguments={"text": "Please see https://kestrel.example/limits"})
    assert proposed(desk, reply)[0].state == "refused"
    with desk.database.transaction() as tx:
        done = acting.order(tx, reply, replace(CAUSE, proposer="lena"), desk)

    assert done.state == "approved"
    assert [row["channel"] for row in outbox(store_url)] == ["conversation"]
