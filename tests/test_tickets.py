"""A message becomes one ticket, whoever sends it twice, at once or again after a kill; and its words rest sealed."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
import pytest
from journey import one_of, rows_of
from ticket_cases import Office, office_on, office_whose_tables_agree, texts  # noqa: F401  a fixture among them

from harken.domain.event import Channel
from harken.domain.ticket import Owner, OwnerType, Priority, StatusCategory, Ticket
from harken.errors import AmbiguousCustomerError
from harken.flow import ticket_handling, ticket_turns, ticket_watch, ticketing
from harken.flow.ticket_words import KeyUsedError, NotThisCustomerError
from harken.flow.ticketing import Asked
from harken.kit import db
from harken.privacy.sealing import ErasedError
from harken.tickets import changes as c
from harken.tickets import store

SIMPLE = {"customer": "ada", "subject": "Card declined", "description": "My card was declined."}

# What is killed is a process of its own, forked from one that has imported all this once and opened nothing.
processes = get_context("forkserver")
processes.set_forkserver_preload(["pytest", "ticket_cases", "harken.bootstrap", "harken.flow.ticketing"])


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
