"""What actions say and change is in the ticket, once; and what nobody could deliver is with a person."""

from dataclasses import replace
from functools import partial

import pytest
from act_cases import CAUSE, TICKET, Counts, Ticking, outbox, ticket_desk
from acting_cases import counted_desk, counting_channel, everything, proposed, ticking_clock, what_is_noted  # noqa: F401  fixtures among them
from benchmarks.hostile_proposals import MARIA
from journey import rows_of

from harken.act.ports import RejectedError
from harken.adapters.channels.conversation import Conversation
from harken.domain.event import Channel
from harken.domain.proposal import Proposal
from harken.domain.ticket import OwnerType, StatusCategory, Ticket
from harken.eventlog import registry
from harken.flow import sending, ticket_acting, ticket_handling, ticketing
from harken.flow.act_desk import ActDesk
from harken.flow.desk import LiveDesk
from harken.flow.door import Door
from harken.flow.sending import Why
from harken.flow.ticket_desk import TicketDesk


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
    team = tickets.rules.content.team[0].name
    wanted = (
        Proposal(action="tag", arguments={"tag": "limits"}),
        Proposal(action="tag", arguments={"tag": "cards"}),
        Proposal(action="note", arguments={"text": "Asked twice."}),
        Proposal(action="assign", arguments={"team": team}),
        Proposal(action="close", arguments={}),
    )
    done = proposed(whole, *wanted, cause=replace(CAUSE, ticket=ticket))

    assert {each.state for each in done} == {"executed"}
    now = ticketing.standing(ticket.id, tickets)
    assert (set(now.tags), now.status, now.owner.id) == ({"limits", "cards"}, StatusCategory.RESOLVED, team)
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


def test_a_ticket_that_takes_no_note_keeps_no_delivery_from_ending(
    whole: ActDesk, tickets: TicketDesk, ticket: Ticket, channel: Counts, store_url: str
) -> None:
    elsewhere = replace(ticket, id=TICKET.id)
    channel.before = [RejectedError("422")]
    failing = replace(whole, senders={"conversation": channel})
    answered(failing, elsewhere)
    assert everything(failing) == 1

    assert [row["state"] for row in outbox(store_url)] == ["failed"]
