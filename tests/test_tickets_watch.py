"""Who sleeps wakes by itself or with a word, and broken promises are told once."""

from datetime import timedelta

import psycopg
import pytest
from ticket_cases import LENA, Office, office_whose_tables_agree  # noqa: F401  a fixture among them

from harken.domain.ticket import Priority
from harken.flow import ticket_handling, ticket_watch, ticketing
from harken.flow.ticket_words import Words
from harken.tickets import changes as c


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
