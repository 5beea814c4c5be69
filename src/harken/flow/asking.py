"""One question -> a ticket, its answer and its delivery, now and in this process: what workers do otherwise."""

import asyncio

from harken.domain.event import Channel
from harken.errors import TryAgainError
from harken.flow import answering, delivering, ticketing
from harken.flow.agent_desk import AgentDesk
from harken.flow.ending import Answered
from harken.flow.ticketing import Asked


async def ask(text: str, customer: str, desk: AgentDesk) -> Answered:
    """Whoever may run this vouches for who asks. Raises RefusedError for a customer or a text that cannot be taken, TryAgainError where somebody else answers."""
    subject = ticketing.subject_of(text)
    asked = Asked(
        customer=customer, subject=subject, description=text, channel=Channel.CHAT, source="ask", verified=True
    )
    opened = await asyncio.to_thread(ticketing.open, asked, desk.tickets)
    answered = await answering.answer(opened.ticket.id, desk)
    if answered is None:
        raise TryAgainError(f"Ticket {opened.ticket.number} is in somebody else's hands: look at it there.")
    await asyncio.to_thread(deliver_all, desk)
    return answered


def deliver_all(desk: AgentDesk) -> int:
    """How many were taken out of the outbox."""
    sent = 0
    while delivering.deliver(desk.act):
        sent += 1
    return sent
