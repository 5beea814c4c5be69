"""What workers do for tickets, as tasks: answer, deliver, seal, and what time alone makes due.

Any number of processes may run them. A ticket that cannot be answered at all ends with a person, never in a circle.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from harken.domain.ticket import OwnerType, TicketId
from harken.flow import answering, asking, deciding, pinning, sealing, ticket_watch
from harken.flow.agent_desk import AgentDesk
from harken.flow.audit_desk import AuditDesk
from harken.flow.ticket_handling import HandOver, hand_over
from harken.tickets import store as tickets

ANSWER, DELIVER = "answer", "deliver"
GAVE_UP = "could_not_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One task. `last_resort`: after it failed too often; None: its schedule tries again."""

    name: str
    do: Callable[[str], Awaitable[object]]
    last_resort: Callable[[str], Awaitable[object]] | None = None
    every: str = ""  #: cron with seconds; empty: only when asked for


def works(desk: AgentDesk, audit: AuditDesk) -> Sequence[Work]:
    return (
        Work(name=ANSWER, do=partial(_answer, desk), last_resort=partial(_give_up, desk)),
        Work(name=DELIVER, do=_aside(asking.deliver_all, desk), last_resort=_aside(asking.deliver_all, desk)),
        Work(name="deliver what waits", do=_aside(asking.deliver_all, desk), every="* * * * * */5"),
        Work(name="seal", do=_aside(sealing.seal_all, audit), every="* * * * * */2"),
        Work(name="keep heads elsewhere", do=_aside(pinning.publish, audit), every="* * * * * */5"),
        Work(name="wake the snoozed", do=_aside(ticket_watch.wake_snoozed, desk.tickets), every="* * * * * */15"),
        Work(name="look at the clocks", do=_aside(ticket_watch.clocks, desk.tickets), every="* * * * * */15"),
        Work(name="expire approvals", do=_aside(deciding.expire, desk.act), every="* * * * * */30"),
    )


async def _answer(desk: AgentDesk, ticket: str) -> None:
    await answering.answer(TicketId(ticket), desk)


async def _give_up(desk: AgentDesk, ticket: str) -> None:
    """The customer's words are kept, and somebody has them."""
    await asyncio.to_thread(_to_a_person, desk, TicketId(ticket))


def _to_a_person(desk: AgentDesk, id_: TicketId) -> None:
    with desk.tickets.live.database.transaction() as tx:
        ticket = tickets.lock(tx, id_, desk.tickets.ring)
        if ticket.owner.type is OwnerType.AI and ticket.waiting_since is not None:
            why = HandOver(reason=GAVE_UP, summary="The AI tried several times and could not answer.", by="system")
            hand_over(tx, ticket, why, desk.tickets.live.clock(), desk.tickets)


def _aside(do: Callable[..., object], *given: object) -> Callable[[str], Awaitable[object]]:
    async def run(about: str) -> object:
        return await asyncio.to_thread(do, *given)

    return run
