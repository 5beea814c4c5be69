"""Tickets on a real database: opened once, answered, handed over, merged, split, and always the fold of their changes."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pytest
from journey import one_of, rows_of
from ticket_cases import Office, office_on

from harken.act.ports import Message
from harken.domain.event import Channel
from harken.domain.ids import EventId
from harken.domain.ticket import Owner, OwnerType, Priority, StatusCategory, Ticket
from harken.errors import AmbiguousCustomerError
from harken.flow import ticket_acting, ticket_handling, ticket_turns, ticket_watch, ticketing
from harken.flow.ticket_handling import HandOver
from harken.flow.ticket_words import KeyUsedError, NotThisCustomerError, Words
from harken.flow.ticketing import Asked, ChangedMeanwhileError, Expected
from harken.kit import db
from harken.privacy.sealing import ErasedError
from harken.tickets import changes as c
from harken.tickets import store
from harken.tickets.fold import ClosedError, NotNowError

LENA = Owner(type=OwnerType.PERSON, id="lena")
AI = Owner(type=OwnerType.AI)
SIMPLE = {"customer": "ada", "subject": "Card declined", "description": "My card was declined."}

# What is killed is a process of its own, forked from one that has imported all this once and opened nothing.
processes = get_context("forkserver")
processes.set_forkserver_preload(["pytest", "ticket_cases", "harken.bootstrap", "harken.flow.ticketing"])


@pytest.fixture
def office(store_url: str, tmp_path: Path) -> Iterator[Office]:
    with office_on(store_url, tmp_path) as made:
        yield made
        assert ticket_watch.check(made.desk).mismatches == ()


def texts(office: Office, name: str) -> list[str]:
    return [each.text for each in ticket_turns.look(name, office.desk).messages if not each.private]


def test_a_message_becomes_an_event_a_ticket_and_an_acknowledgement(office: Office, store_url: str) -> None:
    ticket = office.open(channel=Channel.EMAIL, priority=Priority.HIGH)

    assert (ticket.number, ticket.status, ticket.owner) == (1, StatusCategory.NEW, Owner(type=OwnerType.AI, epoch=1))
    assert (ticket.customer, ticket.priority, ticket.turns) == ("customer:ada", Priority.HIGH, 1)
    assert ticket.newest_turn == one_of(store_url, "SELECT id FROM event WHERE kind = 'message_received'")
    assert one_of(store_url, "SELECT count(*) FROM conversation") == 1
    assert texts(office, "1") == [
        "Card declined\n\nMy card was declined in the shop.",
        "We have received your message. Its number is 1.",
    ]
    assert ticket_turns.look(ticket.id, office.desk).description == "My card was declined in the shop."
    assert office.woken.tickets == [ticket.id]


def test_the_words_of_people_rest_sealed(office: Office, store_url: str) -> None:
    ticket = office.open("My secret is kumquat.", subject="Kumquat trouble")
    ticket_handling.note(ticket.id, "They like kumquat.", "person:lena", office.desk)

    kept = str(rows_of(store_url, "SELECT * FROM ticket") + rows_of(store_url, "SELECT * FROM ticket_change"))
    assert "umquat" not in kept
    assert ticket_turns.look(ticket.id, office.desk).messages[-1].text == "They like kumquat."


@pytest.mark.parametrize("key", ["", "order-7"])
def test_the_same_request_twice_is_one_ticket(office: Office, store_url: str, key: str) -> None:
    first = ticketing.open(Asked(**SIMPLE, key=key), office.desk)
    again = ticketing.open(Asked(**SIMPLE, key=key), office.desk)

    assert (first.new, again.new) == (True, False)
    assert first.ticket == again.ticket
    assert one_of(store_url, "SELECT count(*) FROM ticket") == 1
    assert len(office.woken.tickets) == 1


def test_a_key_that_came_with_other_words_is_refused_and_nothing_is_kept(office: Office, store_url: str) -> None:
    ticketing.open(Asked(**SIMPLE, key="k"), office.desk)
    with pytest.raises(KeyUsedError):
        ticketing.open(Asked(**SIMPLE | {"description": "Something else."}, key="k"), office.desk)

    assert one_of(store_url, "SELECT count(*) FROM event") == 1
    assert one_of(store_url, "SELECT count(*) FROM rejected_event") == 0


def test_the_same_words_later_are_another_ticket(office: Office) -> None:
    first = office.open()
    office.clock.pass_(seconds=1)
    assert office.open().number == first.number + 1


def test_whom_a_name_means(office: Office) -> None:
    office.open(customer="crm:7")
    office.clock.pass_(seconds=1)
    assert office.open(customer="7").customer == "crm:7"
    office.open(customer="app:7", text="Another source.")
    with pytest.raises(AmbiguousCustomerError):
        office.open(customer="7", text="Who am I?")
    with pytest.raises(NotThisCustomerError):
        office.open(customer="two words")


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


def test_a_snooze_ends_by_itself_or_with_a_word(office: Office) -> None:
    ticket = office.open()
    until = office.clock.now.replace(hour=18)
    ticket_handling.change(ticket.id, [c.Snoozed(until=until)], "person:lena", office.desk)
    assert ticket_watch.wake_snoozed(office.desk) == 0
    office.clock.pass_(hours=7)
    assert ticket_watch.wake_snoozed(office.desk) == 1
    assert ticket_watch.wake_snoozed(office.desk) == 0
    assert office.now(ticket).snoozed_until is None


def test_broken_promises_are_told_once(office: Office) -> None:
    """NOW is a Friday, 8 in the morning in New York: an hour before work begins."""
    ticket = office.open(priority=Priority.HIGH)
    assert ticket_watch.clocks(office.desk) == []
    office.clock.pass_(minutes=60 + 44)
    assert ticket_watch.clocks(office.desk) == []
    office.clock.pass_(minutes=1)
    assert [(told.ticket, type(told.change)) for told in ticket_watch.clocks(office.desk)] == [
        (ticket.id, c.SlaWarning)
    ]
    assert ticket_watch.clocks(office.desk) == []
    office.clock.pass_(minutes=16)
    assert [type(told.change) for told in ticket_watch.clocks(office.desk)] == [c.SlaBreached]
    assert ticket_watch.clocks(office.desk) == []
    assert office.now(ticket).attributes["sla_first_response"] == "breached"


def test_a_promise_that_was_broken_is_on_record_before_the_answer(office: Office) -> None:
    """Nobody looked at the clocks in between."""
    ticket = office.open(priority=Priority.HIGH)
    office.clock.pass_(hours=3)
    ticketing.reply(ticket.id, Words(text="Sorry for the wait."), LENA, office.desk)

    names = [stamped.name for stamped in office.history(ticket)]
    assert names == ["conversation.created", "conversation.acknowledged", "sla.breached", "message.sent"]


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


def test_the_same_key_at_once_is_one_ticket(office: Office, store_url: str) -> None:
    with ThreadPoolExecutor(6) as crowd:
        done = list(crowd.map(lambda _: ticketing.open(Asked(**SIMPLE, key="k"), office.desk), range(18)))

    assert sum(each.new for each in done) == 1
    assert len({each.ticket.id for each in done}) == 1
    assert one_of(store_url, "SELECT count(*) FROM event") == 1


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def open_until_killed(url: str, home: Path, moment: str) -> None:
    """As `kill -9` does it, at a named step."""
    with office_on(url, home) as office:
        asked = Asked(**SIMPLE, key="once")
        apply = store.apply

        def applied(tx: db.Tx, ticket: Ticket | None, *rest: Any) -> Ticket:
            if moment == "before the ticket" or (moment == "before the acknowledgement" and ticket):
                die()
            return apply(tx, ticket, *rest)

        def wake(tx: db.Tx, ticket: str, at: datetime) -> None:
            die()

        store.apply = applied  # type: ignore[assignment]
        desk = replace(office.desk, wake=wake) if moment == "before the commit" else office.desk
        ticketing.open(asked, desk)
        die()


@pytest.mark.parametrize(
    "moment", ["before the ticket", "before the acknowledgement", "before the commit", "before the answer"]
)
def test_killed_midway_and_sent_again(store_url: str, tmp_path: Path, moment: str) -> None:
    process = processes.Process(target=open_until_killed, args=(store_url, tmp_path, moment))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    kept = int(moment == "before the answer")
    for table in ("event", "ticket", "ticket_message", "conversation", "profile"):
        assert one_of(store_url, f"SELECT count(*) FROM {table}") == kept

    with office_on(store_url, tmp_path) as office:
        again = ticketing.open(Asked(**SIMPLE, key="once"), office.desk)
        assert again.new is not bool(kept)
        assert [stamped.name for stamped in office.history(again.ticket)] == [
            "conversation.created",
            "conversation.acknowledged",
        ]
        assert ticket_watch.check(office.desk).mismatches == ()
    assert one_of(store_url, "SELECT count(*) FROM ticket") == 1


def test_an_erased_customer_leaves_numbers_and_no_words(office: Office, store_url: str) -> None:
    ticket = office.open("My secret is kumquat.", subject="Kumquat trouble")
    with psycopg.connect(store_url, autocommit=True) as owner:
        owner.execute("DELETE FROM subject_key")
    seen = ticket_turns.look("1", office.desk)

    assert seen.ticket.subject == store.ERASED
    assert "umquat" not in str(seen)
    with pytest.raises(ErasedError):
        ticket_handling.note(ticket.id, "One more word.", "person:lena", office.desk)
    assert ticket_handling.change(ticket.id, [c.TagsChanged(tags=("erased",))], "person:lena", office.desk).tags


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


def test_more_than_a_page_is_due_and_one_of_them_cannot_be_done(
    office: Office, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong with one ticket keeps nobody else asleep, in this run or the next."""
    monkeypatch.setattr(ticket_watch, "AT_ONCE", 3)
    tickets = [office.open(customer=f"sleeper-{number}") for number in range(8)]
    until = office.clock() + timedelta(hours=1)
    for ticket in tickets:
        ticket_handling.change(ticket.id, [c.Snoozed(until=until)], "person:lena", office.desk)
    office.clock.pass_(hours=30)
    broken = tickets[0]
    change_rows(
        store_url, "UPDATE ticket_change SET name = 'no.such.thing' WHERE ticket = %s AND version = 1", broken.id
    )

    for _ in range(4):
        with pytest.raises(KeyError, match=r"no\.such\.thing"):
            ticket_watch.wake_snoozed(office.desk)
    assert [office.now(ticket).snoozed_until is None for ticket in tickets] == [False] + [True] * 7
    change_rows(
        store_url, "UPDATE ticket_change SET name = 'conversation.created' WHERE ticket = %s AND version = 1", broken.id
    )
    assert ticket_watch.wake_snoozed(office.desk) == 1
    assert {told.ticket for told in ticket_watch.clocks(office.desk)} <= {broken.id}


def change_rows(url: str, statement: str, *given: str) -> None:
    """As no role of ours could: what is written is final."""
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE ticket_change DISABLE TRIGGER ticket_change_is_final")
        connection.execute(statement, given)
        connection.execute("ALTER TABLE ticket_change ENABLE TRIGGER ticket_change_is_final")
