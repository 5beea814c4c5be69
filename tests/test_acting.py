"""What was proposed is done, put to people or refused; what people approve is done once; what leaves, leaves once."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from act_cases import (
    CAUSE,
    MARIA,
    REFUND,
    TICKET,
    Counts,
    Noted,
    Ticking,
    act_desk,
    outbox,
    proposals,
    ticket_desk,
)
from journey import rows_of

from harken.act.approvals import ChangedError, DecidedError, ExpiredError, NotYoursError, State, UnknownActionError
from harken.act.outbox.store import State as OutboxState
from harken.act.ports import NotSentError, Receipt, RejectedError, UnknownOutcomeError
from harken.adapters.channels.conversation import Conversation
from harken.domain.event import Channel
from harken.domain.proposal import Proposal
from harken.domain.ticket import OwnerType, StatusCategory, Ticket
from harken.errors import RefusedError
from harken.eventlog import registry
from harken.flow import acting, deciding, delivering, sending, ticket_acting, ticket_handling, ticketing
from harken.flow.act_desk import ActDesk
from harken.flow.deciding import NotAllowedError, Person
from harken.flow.desk import LiveDesk
from harken.flow.door import Door
from harken.flow.sending import Why
from harken.flow.ticket_desk import TicketDesk
from harken.kit import db

LENA, OMAR = Person(who="lena", roles=frozenset({"lead"})), Person(who="omar", roles=frozenset({"lead", "agent"}))


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def channel() -> Counts:
    return Counts()


@pytest.fixture
def desk(store_url: str, tmp_path: Path, clock: Ticking, noted: Noted, channel: Counts) -> Iterator[ActDesk]:
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


# Proposals


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


# Approvals


def test_an_approved_refund_is_paid_once(desk: ActDesk, noted: Noted, channel: Counts, store_url: str) -> None:
    id_, digest = asked(desk)
    assert everything(desk) == 0

    assert deciding.approve(id_, LENA, digest, desk) is State.APPROVED
    assert everything(desk) == 1
    assert everything(desk) == 0

    [(message, key)] = channel.calls
    assert (message.customer, message.arguments, message.url) == (
        MARIA,
        REFUND.arguments,
        "https://erp.example/actions",
    )
    [row] = outbox(store_url)
    assert (row["id"], row["state"], row["receipt"]) == (key, "delivered", "R-1")
    assert [row["state"] for row in proposals(store_url)] == ["executed"]
    assert noted.told == ["action.proposed", "action.approved", "action.executed"]


def test_approved_twice_it_is_paid_once(desk: ActDesk, channel: Counts) -> None:
    id_, digest = asked(desk)
    deciding.approve(id_, LENA, digest, desk)
    for again in (LENA, OMAR):
        with pytest.raises(DecidedError):
            deciding.approve(id_, again, digest, desk)
    with pytest.raises(DecidedError):
        deciding.deny(id_, OMAR, digest, desk)
    everything(desk)

    assert sum(channel.effects.values()) == 1


def test_approved_too_late_it_is_not_paid(desk: ActDesk, clock: Ticking, noted: Noted, store_url: str) -> None:
    id_, digest = asked(desk)
    clock.forward(hours=72)
    with pytest.raises(ExpiredError):
        deciding.approve(id_, LENA, digest, desk)

    assert deciding.expire(desk) == 1
    assert deciding.expire(desk) == 0
    with pytest.raises(ExpiredError):
        deciding.approve(id_, LENA, digest, desk)
    assert [row["state"] for row in proposals(store_url)] == ["expired"]
    assert noted.told[-1] == "action.expired"
    assert everything(desk) == 0


def test_an_edit_makes_every_word_before_it_void(desk: ActDesk, channel: Counts) -> None:
    id_, digest = asked(desk, Proposal(action="refund", arguments={"amount_minor": 15_000, "currency": "EUR"}))
    assert deciding.approve(id_, LENA, digest, desk) is State.PENDING

    edited = deciding.edit(id_, OMAR, {"amount_minor": 16_000, "currency": "EUR"}, desk)

    with pytest.raises(ChangedError):
        deciding.approve(id_, OMAR, digest, desk)
    assert deciding.approve(id_, OMAR, edited, desk) is State.PENDING
    assert deciding.approve(id_, LENA, edited, desk) is State.APPROVED
    everything(desk)
    assert [message.arguments["amount_minor"] for message, _ in channel.calls] == [16_000]


def test_an_edit_has_the_same_limits(desk: ActDesk) -> None:
    id_, digest = asked(desk)
    for arguments in (
        {"amount_minor": 20_001, "currency": "EUR"},
        {"amount_minor": 5, "currency": "ZZZ"},
        {"amount_minor": 5, "currency": "EUR", "to": "me"},
        {"amount_minor": 5},
    ):
        with pytest.raises(NotAllowedError):
            deciding.edit(id_, LENA, arguments, desk)
    with pytest.raises(NotYoursError):
        deciding.edit(id_, Person(who="ann", roles=frozenset({"agent"})), dict(REFUND.arguments), desk)
    assert deciding.shown(id_, desk).waiting.arguments_hash == digest


def test_over_a_limit_two_different_people_are_needed(desk: ActDesk, channel: Counts) -> None:
    id_, digest = asked(desk, Proposal(action="refund", arguments={"amount_minor": 10_001, "currency": "EUR"}))

    assert deciding.approve(id_, OMAR, digest, desk) is State.PENDING
    for same in (OMAR, Person(who="omar", roles=frozenset({"admin"}))):
        with pytest.raises(DecidedError):
            deciding.approve(id_, same, digest, desk)
    assert everything(desk) == 0
    assert deciding.approve(id_, LENA, digest, desk) is State.APPROVED
    everything(desk)
    assert sum(channel.effects.values()) == 1


def test_nobody_approves_what_they_proposed_nor_without_the_role(desk: ActDesk) -> None:
    with desk.database.transaction() as tx:
        mine = acting.order(tx, REFUND, replace(CAUSE, proposer="lena"), desk)
    digest = deciding.shown(mine.id, desk).waiting.arguments_hash
    for nobody in (LENA, Person(who="ann", roles=frozenset({"agent"})), Person(who="ann", roles=frozenset())):
        with pytest.raises(NotYoursError):
            deciding.approve(mine.id, nobody, digest, desk)
    with pytest.raises(UnknownActionError):
        deciding.approve("nothing", OMAR, digest, desk)

    assert deciding.approve(mine.id, OMAR, digest, desk) is State.APPROVED


def test_what_was_changed_in_the_database_after_the_approval_is_not_done(
    desk: ActDesk, noted: Noted, channel: Counts, store_url: str
) -> None:
    id_, digest = asked(desk)
    deciding.approve(id_, LENA, digest, desk)
    rows_of(store_url, "UPDATE action_proposal SET arguments_hash = decode(repeat('00', 16), 'hex') RETURNING id")

    everything(desk)

    assert channel.calls == []
    assert outbox(store_url)[0]["error"].startswith("changed")
    assert noted.people[-1] == (TICKET.id, "undeliverable")


def test_of_an_erased_customer_nothing_is_done(desk: ActDesk, channel: Counts, store_url: str) -> None:
    id_, digest = asked(desk)
    deciding.approve(id_, LENA, digest, desk)
    later, digest = asked(desk, REFUND, cause=replace(CAUSE, id="kb:2"))
    rows_of(store_url, "DELETE FROM subject_key RETURNING subject")

    everything(desk)
    with pytest.raises(RefusedError):
        deciding.approve(later, LENA, digest, desk)

    assert channel.calls == []
    assert deciding.shown(later, desk).message is None
    assert [row["state"] for row in outbox(store_url)] == ["failed"]


def test_nothing_personal_rests_in_clear_nor_in_the_audit(desk: ActDesk, noted: Noted, store_url: str) -> None:
    secret = "Sophie-Scholl-Ring 7"
    proposed(desk, Proposal(action="account_update", arguments={"field": "address", "value": secret}, because=secret))
    with desk.database.transaction() as tx:
        acting.order(tx, Proposal(action="reply", arguments={"text": secret}), replace(CAUSE, proposer="lena"), desk)
    everything(desk)

    kept = [
        str(row)
        for table in ("action_proposal", "action_approval", "outbox")
        for row in rows_of(store_url, f"SELECT t::text FROM {table} t")
    ]
    assert len(kept) == 3
    assert secret not in "".join(kept)
    assert "Scholl" not in json.dumps(noted.audit)
    assert MARIA not in json.dumps(noted.audit)


# Delivery


def said(tx: db.Tx, desk: ActDesk, action: str, arguments: dict[str, Any], cause: str) -> str:
    spec = desk.catalogue.get(action)
    assert spec is not None
    return sending.enqueue(
        tx, sending.message(spec, TICKET, arguments, author="ai", at=desk.clock()), Why(cause=cause), desk
    )


def leaving(desk: ActDesk, action: str, arguments: dict[str, Any], cause: str = "kb:1") -> str:
    with desk.database.transaction() as tx:
        return said(tx, desk, action, arguments, cause)


def test_caused_twice_it_leaves_once(desk: ActDesk, channel: Counts) -> None:
    first, second = (leaving(desk, "reply", {"text": "hi"}) for _ in range(2))
    everything(desk)

    assert first == second
    assert channel.effects == {first: 1}


def test_what_was_rolled_back_never_leaves(desk: ActDesk, channel: Counts) -> None:
    def undone() -> None:
        with desk.database.transaction() as tx:
            said(tx, desk, "reply", {"text": "hi"}, "x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()

    assert everything(desk) == 0
    assert channel.calls == []


def test_a_channel_with_keys_is_tried_again_with_the_same_one(
    desk: ActDesk, channel: Counts, clock: Ticking, noted: Noted
) -> None:
    key = leaving(desk, "reply", {"text": "hi"})
    channel.before = [NotSentError("down"), NotSentError("down", after_s=600)]
    channel.after = [UnknownOutcomeError("cut")]
    for wait in (5, 600, 20, 1):
        assert everything(desk) == 1
        assert everything(desk) == 0
        clock.forward(seconds=wait)

    assert [used for _, used in channel.calls] == [key] * 4
    assert channel.effects == {key: 1}
    assert noted.told == ["action.executed"]


def test_after_so_many_tries_a_person_is_asked(
    desk: ActDesk, channel: Counts, clock: Ticking, noted: Noted, store_url: str
) -> None:
    leaving(desk, "reply", {"text": "hi"})
    channel.before = [NotSentError("down")] * 20
    for _ in range(20):
        everything(desk)
        clock.forward(hours=2)

    assert len(channel.calls) == delivering.MOST_TRIES
    assert outbox(store_url)[0]["state"] == "failed"
    assert noted.people == [(TICKET.id, "undeliverable")]


def test_what_may_have_happened_is_never_called_failed(
    desk: ActDesk, channel: Counts, clock: Ticking, store_url: str
) -> None:
    leaving(desk, "reply", {"text": "hi"})
    channel.after = [UnknownOutcomeError("cut")]
    everything(desk)
    clock.forward(minutes=1)
    channel.before = [RejectedError("422")]
    everything(desk)

    assert outbox(store_url)[0]["state"] == "in_doubt"


def test_a_channel_without_keys_is_never_tried_again_blindly(
    desk: ActDesk, channel: Counts, clock: Ticking, noted: Noted, store_url: str
) -> None:
    key = leaving(desk, "voucher", {"percent": 5})
    channel.after = [UnknownOutcomeError("cut")]
    for _ in range(5):
        everything(desk)
        clock.forward(hours=1)

    assert len(channel.calls) == 1
    assert outbox(store_url)[0]["state"] == "in_doubt"
    assert noted.people == [(TICKET.id, "in_doubt")]

    delivering.decide(key, "lena", OutboxState.DELIVERED, desk)
    assert outbox(store_url)[0]["state"] == "delivered"
    assert noted.audit[-1][:2] == ("lena", "action.executed")
    with pytest.raises(RefusedError):
        delivering.decide(key, "lena", OutboxState.WAITING, desk)


def test_a_person_may_have_it_sent_again(desk: ActDesk, channel: Counts) -> None:
    key = leaving(desk, "voucher", {"percent": 5})
    channel.before = [UnknownOutcomeError("cut")]
    everything(desk)
    delivering.decide(key, "lena", OutboxState.WAITING, desk)
    everything(desk)

    assert channel.effects == {key: 1}


class Askable(Counts):
    """A channel without keys that can be asked what became of one."""

    def __init__(self, answer: str) -> None:
        super().__init__(takes_keys=False)
        self._answer = answer

    def find(self, message: Any, key: str) -> Receipt | None:
        if self._answer == "unknown":
            raise UnknownOutcomeError("no idea")
        return Receipt("found") if self._answer == "found" else None


@pytest.mark.parametrize(
    ("answer", "state", "effects"), [("found", "delivered", 1), ("missing", "delivered", 2), ("unknown", "in_doubt", 1)]
)
def test_who_can_be_asked_is_asked_before_anybody_tries_again(
    desk: ActDesk, clock: Ticking, answer: str, state: str, effects: int
) -> None:
    channel = Askable(answer)
    asking = replace(desk, senders={"http": channel})
    leaving(asking, "voucher", {"percent": 5})
    channel.after = [UnknownOutcomeError("cut")]
    for _ in range(3):
        everything(asking)
        clock.forward(hours=1)

    assert sum(channel.effects.values()) == effects
    assert outbox(desk.database.url)[0]["state"] == state


def test_what_nobody_configured_waits_and_is_told_once(
    desk: ActDesk, noted: Noted, channel: Counts, store_url: str
) -> None:
    closed = replace(desk, senders={})
    key = leaving(desk, "reply", {"text": "hi"})
    for _ in range(3):
        everything(closed)
        delivering.retry_unconfigured(closed)

    assert noted.people == [(TICKET.id, "unconfigured")]
    everything(desk)
    assert channel.effects == {key: 1}


def test_a_call_is_a_task_for_people(desk: ActDesk, store_url: str) -> None:
    [done] = proposed(
        desk, Proposal(action="schedule_call", arguments={"about": "the card", "at": "2026-03-17T09:00:00Z"})
    )
    everything(desk)

    [call] = rows_of(store_url, "SELECT ticket, call_at, done_at FROM call_task")
    assert (call["ticket"], call["call_at"].isoformat(), call["done_at"]) == (
        TICKET.id,
        "2026-03-17T09:00:00+00:00",
        None,
    )
    assert deciding.shown(done.id, desk).waiting.state is State.EXECUTED


# Tickets


@pytest.fixture
def tickets(desk: ActDesk) -> TicketDesk:
    live = LiveDesk(
        database=desk.database,
        master=desk.master,
        clock=desk.clock,
        open_door=lambda: Door(master=desk.master, registry=registry.load()),
        with_mood=False,
    )
    return ticket_desk(live)


@pytest.fixture
def whole(desk: ActDesk, tickets: TicketDesk) -> ActDesk:
    """As bootstrap puts it together."""
    return replace(
        desk,
        senders={"conversation": Conversation(partial(ticket_acting.say, desk=tickets))},
        ticket_actions=partial(ticket_acting.act, desk=tickets),
        ask_person=partial(ticket_acting.ask, desk=tickets),
    )


@pytest.fixture
def ticket(tickets: TicketDesk) -> Ticket:
    asked = ticketing.Asked(
        customer="maria", subject="Card", description="How do I change my limit?", channel=Channel.CHAT
    )
    return ticketing.open(asked, tickets).ticket


def answered(desk: ActDesk, ticket: Ticket, text: str = "In the app, under Cards.") -> str:
    spec = desk.catalogue.get("reply")
    assert spec is not None
    with desk.database.transaction() as tx:
        message = sending.message(spec, ticket, {"text": text}, author="ai", at=desk.clock())
        return sending.enqueue(tx, message, Why(cause=str(ticket.newest_turn)), desk)


def test_an_answer_is_said_once_in_its_conversation(
    whole: ActDesk, tickets: TicketDesk, ticket: Ticket, clock: Ticking, store_url: str
) -> None:
    clock.forward(seconds=3)
    answered(whole, ticket)
    everything(whole)
    rows_of(store_url, "UPDATE outbox SET state = 'waiting' RETURNING id")  # as if the receipt had been lost
    clock.forward(minutes=3)
    everything(whole)

    assert [row["state"] for row in outbox(store_url)] == ["delivered"]
    [said] = rows_of(store_url, "SELECT kind, identity, channel FROM event WHERE kind = 'message_sent'")
    assert said == {"kind": "message_sent", "identity": MARIA, "channel": "chat"}
    now = ticketing.standing(ticket.id, tickets)
    assert (now.waiting_since, now.status) == (None, StatusCategory.PENDING)


def test_who_took_over_is_not_talked_over(whole: ActDesk, tickets: TicketDesk, ticket: Ticket, store_url: str) -> None:
    """The answer was decided while the AI had it, and leaves after."""
    answered(whole, ticket)
    ticket_handling.take_over(ticket.id, "lena", tickets)
    everything(whole)

    assert rows_of(store_url, "SELECT id FROM event WHERE kind = 'message_sent'") == []
    assert [row["state"] for row in outbox(store_url)] == ["failed"]
    assert ticketing.standing(ticket.id, tickets).owner.id == "lena"


def test_actions_change_the_ticket(whole: ActDesk, tickets: TicketDesk, ticket: Ticket) -> None:
    wanted = (
        Proposal(action="tag", arguments={"tag": "limits"}),
        Proposal(action="tag", arguments={"tag": "cards"}),
        Proposal(action="note", arguments={"text": "Asked twice."}),
        Proposal(action="assign", arguments={"team": "cards"}),
        Proposal(action="close", arguments={}),
    )
    done = proposed(whole, *wanted, cause=replace(CAUSE, ticket=ticket))

    assert {each.state for each in done} == {"executed"}
    now = ticketing.standing(ticket.id, tickets)
    assert (set(now.tags), now.status, now.owner.id) == ({"limits", "cards"}, StatusCategory.RESOLVED, "cards")
    [again] = proposed(whole, Proposal(action="reopen", arguments={}), cause=replace(CAUSE, ticket=ticket, id="kb:9"))
    assert again.state == "executed"
    assert ticketing.standing(ticket.id, tickets).status is StatusCategory.OPEN


def test_what_nobody_could_deliver_hands_the_ticket_over(
    whole: ActDesk, tickets: TicketDesk, ticket: Ticket, channel: Counts
) -> None:
    failing = replace(whole, senders={"conversation": channel})
    channel.before = [RejectedError("422")]
    answered(failing, ticket)
    everything(failing)

    assert ticketing.standing(ticket.id, tickets).owner.type is not OwnerType.AI


def test_an_approval_is_asked_for_without_taking_the_ticket_away(
    whole: ActDesk, tickets: TicketDesk, ticket: Ticket
) -> None:
    asked(whole, cause=replace(CAUSE, ticket=ticket))

    now = ticketing.standing(ticket.id, tickets)
    assert (now.owner, now.version) == (ticket.owner, ticket.version + 1)
