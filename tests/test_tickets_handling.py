"""Tickets on a real database: answered, handed over, reopened, merged, split, and always the fold of their changes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from journey import one_of
from ticket_cases import LENA, Office, office_whose_tables_agree, texts  # noqa: F401  a fixture among them

from harken.act.ports import Message
from harken.domain.ids import EventId
from harken.domain.ticket import Owner, OwnerType, StatusCategory, Ticket
from harken.flow import ticket_acting, ticket_handling, ticket_turns, ticketing
from harken.flow.ticket_handling import HandOver
from harken.flow.ticket_words import Words
from harken.flow.ticketing import ChangedMeanwhileError, Expected
from harken.tickets import changes as c
from harken.tickets.fold import ClosedError, NotNowError

AI = Owner(type=OwnerType.AI)


def test_answers_take_turns(office: Office) -> None:
    ticket = office.open()
    office.clock.pass_(minutes=5)
    answered = ticketing.reply(ticket.id, Words(text="Please try again."), AI, office.desk).ticket
    assert (answered.status, answered.waiting_since, answered.owner.epoch) == (StatusCategory.PENDING, None, 1)
    office.clock.pass_(minutes=5)
    asked = office.say(ticket)
    assert (asked.status, asked.turns, asked.waiting_since) == (StatusCategory.OPEN, 2, office.clock.now)
    assert office.woken.tickets == [ticket.id, ticket.id]


def test_a_person_who_answers_has_the_ticket_and_the_ai_stays_out(office: Office) -> None:
    ticket = office.open()
    seen = Expected(epoch=ticket.owner.epoch, newest_turn=ticket.newest_turn)
    ticketing.reply(ticket.id, Words(text="Lena here."), LENA, office.desk)
    with pytest.raises(ChangedMeanwhileError):
        ticketing.reply(ticket.id, Words(text="I am the AI."), AI, office.desk, seen)
    office.clock.pass_(minutes=1)
    said = office.say(ticket)

    assert (said.owner.type, said.owner.id, said.owner.epoch) == (OwnerType.PERSON, "lena", 2)
    assert office.woken.tickets == [ticket.id]
    assert "I am the AI." not in texts(office, ticket.id)
    back = ticket_handling.give_back(ticket.id, "person:lena", office.desk)
    assert (back.owner.type, back.owner.epoch) == (OwnerType.AI, 3)
    assert office.woken.tickets == [ticket.id, ticket.id]


def test_an_answer_to_an_older_message_is_dropped(office: Office, store_url: str) -> None:
    ticket = office.open()
    seen = Expected(newest_turn=ticket.newest_turn)
    office.clock.pass_(seconds=2)
    office.say(ticket)
    with pytest.raises(ChangedMeanwhileError):
        ticketing.reply(ticket.id, Words(text="Too late."), AI, office.desk, seen)
    assert one_of(store_url, "SELECT count(*) FROM event WHERE kind = 'message_sent'") == 0


def test_resolved_is_reopened_and_closed_is_followed(office: Office) -> None:
    ticket = office.open()
    resolved = c.StatusChanged(status=StatusCategory.RESOLVED, label="done")
    ticket_handling.change(ticket.id, [resolved], "person:lena", office.desk)
    office.clock.pass_(minutes=1)
    again = office.say(ticket, "Not solved!")
    assert (again.id, again.status, again.reopened, again.resolved_at) == (ticket.id, StatusCategory.OPEN, 1, None)
    closed = c.StatusChanged(status=StatusCategory.CLOSED, label="closed")
    ticket_handling.change(ticket.id, [closed], "person:lena", office.desk)
    with pytest.raises(ClosedError):
        ticketing.reply(ticket.id, Words(text="One more thing."), LENA, office.desk)
    new = office.say(ticket, "And another thing.")
    assert new.id != ticket.id
    assert (new.number, new.attributes["follows"], new.subject) == (2, ticket.id, ticket.subject)
    assert office.now(ticket).status is StatusCategory.CLOSED


def test_a_hand_over_goes_where_the_routes_say(office: Office) -> None:
    ticket = office.open()
    with office.desk.live.database.transaction() as tx:
        why = HandOver(reason="customer_request", summary="They want a person.")
        handed = ticket_handling.hand_over(tx, ticket, why, office.clock.now, office.desk)

    assert (handed.owner.type, handed.owner.id) == (OwnerType.TEAM, "support")
    assert handed.attributes["escalated"] == "customer_request"
    [note] = [each for each in ticket_turns.look("1", office.desk).messages if each.private]
    assert note.text == "They want a person."


def test_a_merge_and_a_split_bring_the_messages_back(office: Office) -> None:
    one = office.open("First matter.")
    office.clock.pass_(minutes=1)
    two = office.open("Second matter.", subject="Other")
    office.clock.pass_(minutes=1)
    office.say(two, "Second again.")
    before = set(texts(office, two.id)) - {"We have received your message. Its number is 2."}
    ids = [each.id for each in ticket_turns.look(two.id, office.desk).messages if each.author_type == "customer"]
    merged = ticket_handling.merge(one.id, two.id, "person:lena", office.desk)
    gone = office.now(two)

    assert (merged.turns, gone.turns, gone.merged_into, gone.status) == (3, 0, one.id, StatusCategory.CLOSED)
    assert ticket_turns.conversation_of(merged, office.desk).facts.customer_turns == 3
    with pytest.raises(NotNowError):
        ticket_turns.conversation_of(gone, office.desk)
    assert ticketing.standing(two.id, office.desk).id == one.id
    office.clock.pass_(minutes=1)
    assert office.say(two, "To the old number.").id == one.id

    parted = ticket_handling.split(one.id, [EventId(id_) for id_ in ids], "", "person:lena", office.desk)
    assert set(texts(office, parted.id)) == before
    assert [turn.id for turn in ticket_turns.conversation_of(parted, office.desk).turns] == ids
    assert office.now(one).turns == 2
    assert parted.attributes["split_from"] == one.id


def test_what_may_not_be_merged_or_split(office: Office) -> None:
    one, other = office.open(), office.open(customer="ben")
    with pytest.raises(NotNowError, match="different customers"):
        ticket_handling.merge(one.id, other.id, "person:lena", office.desk)
    with pytest.raises(NotNowError, match="itself"):
        ticket_handling.merge(one.id, one.id, "person:lena", office.desk)
    assert one.newest_turn
    assert other.newest_turn
    with pytest.raises(NotNowError, match="Both"):
        ticket_handling.split(one.id, [one.newest_turn], "", "person:lena", office.desk)
    with pytest.raises(NotNowError, match="not in"):
        ticket_handling.split(one.id, [other.newest_turn], "", "person:lena", office.desk)


def test_of_two_workers_who_answer_one_message_one_does(office: Office, store_url: str) -> None:
    for race in range(20):
        ticket = office.open(f"Matter {race}.")
        seen = Expected(epoch=ticket.owner.epoch, newest_turn=ticket.newest_turn)

        def answer(worker: int, ticket: Ticket = ticket, seen: Expected = seen) -> bool:
            try:
                words = Words(text=f"Answer of worker {worker}.")
                return ticketing.reply(ticket.id, words, AI, office.desk, seen).new
            except ChangedMeanwhileError:
                return False

        with ThreadPoolExecutor(3) as crowd:
            assert sum(crowd.map(answer, range(3))) == 1
    assert one_of(store_url, "SELECT count(*) FROM event WHERE kind = 'message_sent'") == 20


def test_a_word_of_the_ai_does_not_answer_for_the_people_who_have_the_ticket(office: Office) -> None:
    """As when it says that a colleague takes over: the customer still waits, and the promise still runs."""
    ticket = office.open()
    ticket_handling.change(ticket.id, [c.Assigned(owner=OwnerType.TEAM, owner_id="support")], "ai", office.desk)
    told = ticketing.reply(ticket.id, Words(text="A colleague will write to you."), AI, office.desk).ticket

    assert (told.status, told.waiting_since, told.first_reply_at) == (StatusCategory.NEW, ticket.opened_at, None)
    merged = ticket_handling.merge(office.open("Another matter.").id, ticket.id, "person:lena", office.desk)
    assert merged.waiting_since == ticket.opened_at
    answered = ticketing.reply(merged.id, Words(text="Lena here."), LENA, office.desk).ticket
    assert (answered.status, answered.waiting_since) == (StatusCategory.PENDING, None)


def test_what_the_outbox_says_is_in_the_ticket_once(office: Office) -> None:
    ticket = office.open()
    message = Message(
        action="reply", channel="conversation", ticket=ticket.id, customer=ticket.customer,
        arguments={"text": "Please try again."}, at=office.clock.now, author="ai", epoch=ticket.owner.epoch,
    )  # fmt: skip
    for _ in range(2):
        office.clock.pass_(seconds=3)
        ticket_acting.say(message, "outbox-1", office.desk)

    answered = office.now(ticket)
    assert (answered.status, answered.waiting_since, answered.version) == (StatusCategory.PENDING, None, 3)
    assert ticket_turns.conversation_of(answered, office.desk).facts.brand_turns == 1
