"""What time does to tickets: snoozes end, promises come near and are broken; and what the tables say is compared.

Each ticket in a transaction of its own; where another worker was quicker there is nothing left to do.
"""

from dataclasses import dataclass

from harken.domain.ticket import TicketId
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_handling import wake_if_ours
from harken.flow.ticketing import SYSTEM, changed, wind_clocks
from harken.tickets import changes as c
from harken.tickets import fold, sla, store

AT_ONCE = 200


def wake_snoozed(desk: TicketDesk) -> int:
    """How many were woken."""
    now, woken = desk.live.clock(), 0
    with desk.live.database.statement() as tx:
        waiting = store.to_wake(tx, now, AT_ONCE)
    for id_ in waiting:
        with desk.live.database.transaction() as tx:
            ticket = store.lock(tx, id_, desk.ring)
            if ticket.snoozed_until is None or ticket.snoozed_until > now:
                continue
            ticket = changed(tx, ticket, [c.Woken()], SYSTEM, now, desk)
            wake_if_ours(tx, ticket, now, desk)
            woken += 1
    return woken


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a look at the clocks put on record."""

    ticket: TicketId
    change: c.SlaWarning | c.SlaBreached


def clocks(desk: TicketDesk) -> list[Told]:
    """Warnings and broken promises, each once."""
    now = desk.live.clock()
    with desk.live.database.statement() as tx:
        due = store.to_look_at(tx, now, AT_ONCE)
    told: list[Told] = []
    for id_ in due:
        with desk.live.database.transaction() as tx:
            ticket = store.lock(tx, id_, desk.ring)
            found = sla.due(store.history(tx, [id_], None)[id_], desk.rules, max(now, ticket.updated_at))
            if found:
                ticket = store.apply(tx, ticket, found, SYSTEM, max(now, ticket.updated_at), desk.ring)
            wind_clocks(tx, ticket, desk)
        told += [Told(ticket=id_, change=change) for change in found]
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
