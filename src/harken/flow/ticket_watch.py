"""What time does to tickets: snoozes end, promises come near and are broken; and what the tables say is compared.

Each ticket in a transaction of its own; where another worker was quicker there is nothing left to do.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from harken.domain.ticket import TicketId
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_handling import wake_if_ours
from harken.flow.ticketing import SYSTEM, changed, wind_clocks
from harken.kit import db
from harken.tickets import changes as c
from harken.tickets import fold, sla, store

AT_ONCE, MOST_PAGES = 200, 50
"""So many at a time, and so often in one run: what is due beyond that is the next run's."""


def wake_snoozed(desk: TicketDesk) -> int:
    """How many were woken."""
    now, woken = desk.live.clock(), list[TicketId]()

    def wake(id_: TicketId) -> None:
        with desk.live.database.transaction() as tx:
            ticket = store.lock(tx, id_, desk.ring)
            if ticket.snoozed_until is None or ticket.snoozed_until > now:
                return
            ticket = changed(tx, ticket, [c.Woken()], SYSTEM, now, desk)
            wake_if_ours(tx, ticket, now, desk)
        woken.append(id_)

    _each(store.to_wake, wake, now, desk)
    return len(woken)


Due = Callable[[db.Tx, datetime, int], list[TicketId]]


def _each(due: Due, do: Callable[[TicketId], None], now: datetime, desk: TicketDesk) -> None:
    """Everything that is due. What goes wrong with one ticket is raised once all of its page are done, so that it keeps
    nobody else waiting, in this run or the next."""
    for _ in range(MOST_PAGES):
        with desk.live.database.statement() as tx:
            page = due(tx, now, AT_ONCE)
        with ExitStack() as all_of_them:
            for id_ in reversed(page):
                all_of_them.callback(do, id_)
        if len(page) < AT_ONCE:
            return


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a look at the clocks put on record."""

    ticket: TicketId
    change: c.SlaWarning | c.SlaBreached


def clocks(desk: TicketDesk) -> list[Told]:
    """Warnings and broken promises, each once."""
    now, told = desk.live.clock(), list[Told]()

    def look(id_: TicketId) -> None:
        with desk.live.database.transaction() as tx:
            ticket = store.lock(tx, id_, desk.ring)
            found = sla.due(store.history(tx, [id_], None)[id_], desk.rules, max(now, ticket.updated_at))
            if found:
                ticket = store.apply(tx, ticket, found, SYSTEM, max(now, ticket.updated_at), desk.ring)
            wind_clocks(tx, ticket, desk)
        told.extend(Told(ticket=id_, change=change) for change in found)

    _each(store.to_look_at, look, now, desk)
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    tickets: int
    mismatches: tuple[TicketId, ...]  #: whose table says something else than their changes


def check(desk: TicketDesk) -> Checked:
    """Every ticket folded anew from its changes, and compared with the tables. Changes nothing."""
    seen, wrong, after = 0, [], ""
    with desk.live.database.transaction() as tx:
        while ids := store.ids(tx, after, AT_ONCE):
            after = ids[-1]
            histories, links = store.history(tx, ids, desk.ring), store.linked(tx, ids)
            made = {id_: fold.folded(changes) for id_, changes in histories.items()}
            same = store.agrees(tx, [ticket for ticket in made.values() if ticket])
            for id_ in ids:
                kept = store.find(tx, id_, desk.ring)
                messages = set(fold.messages(histories[id_]))
                if kept != made[id_] or id_ not in same or messages != links[id_]:
                    wrong.append(id_)
            seen += len(ids)
    return Checked(tickets=seen, mismatches=tuple(wrong))
