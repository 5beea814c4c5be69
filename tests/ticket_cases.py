"""What the tests of tickets share: a desk on a clock that is moved by hand, and tickets on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from journey import MASTER, NOW
from live_cases import whole_desk

from harken.domain.ticket import Owner, OwnerType, Ticket, TicketId
from harken.flow import ticket_turns, ticket_watch, ticketing
from harken.flow.desk import Desk
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_words import Words
from harken.flow.ticketing import Asked
from harken.kit import db
from harken.privacy.ring import KeyRing
from harken.tickets import desk_rules, store
from harken.tickets.changes import Stamped

LENA = Owner(type=OwnerType.PERSON, id="lena")


@dataclass
class HandClock:
    """Stands still until somebody moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Woken:
    """Workers that only write down that they were woken."""

    tickets: list[TicketId] = field(default_factory=list)

    def __call__(self, tx: db.Tx, ticket: TicketId, at: datetime) -> None:
        self.tickets.append(ticket)


@dataclass
class Office:
    desk: TicketDesk
    clock: HandClock
    woken: Woken
    whole: Desk

    def open(self, text: str = "My card was declined in the shop.", customer: str = "ada", **more: Any) -> Ticket:
        asked = Asked(**{"customer": customer, "subject": "Card declined", "description": text} | more)
        return ticketing.open(asked, self.desk).ticket

    def say(self, ticket: Ticket, text: str = "Is anybody there?") -> Ticket:
        return ticketing.say(ticket.id, Words(text=text), self.desk).ticket

    def history(self, ticket: Ticket) -> list[Stamped]:
        with self.desk.live.database.statement() as tx:
            return store.history(tx, [ticket.id], KeyRing(MASTER))[ticket.id]

    def now(self, ticket: Ticket) -> Ticket:
        with self.desk.live.database.statement() as tx:
            found = store.find(tx, ticket.id, KeyRing(MASTER))
        assert found
        return found


@contextmanager
def office_on(url: str, home: Path, *, rules: Path | None = None, now: datetime = NOW) -> Iterator[Office]:
    clock, woken = HandClock(now), Woken()
    with whole_desk(url, home, now=now) as bare:
        assert bare.live
        live = replace(bare.live, clock=clock)
        desk = TicketDesk(live=live, people=bare.warehouse.people, rules=desk_rules.load(rules), wake=woken)
        whole = replace(bare, live=live, bench=replace(bare.bench, clock=clock), open_tickets=partial(_same, desk))
        yield Office(desk, clock, woken, whole)


def _same(desk: TicketDesk) -> TicketDesk:
    return desk


@pytest.fixture(name="office")
def office_whose_tables_agree(store_url: str, tmp_path: Path) -> Iterator[Office]:
    with office_on(store_url, tmp_path) as made:
        yield made
        assert ticket_watch.check(made.desk).mismatches == ()


def texts(office: Office, name: str) -> list[str]:
    return [each.text for each in ticket_turns.look(name, office.desk).messages if not each.private]
