"""A live chat: what a customer types becomes a ticket or its next message, and what is new in it is told once.

The ticket is the truth. A connection that drops loses nothing: whoever comes back is told everything again, each message with
its id, and what was sent twice under one id is one message.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from harken.domain.event import Channel
from harken.domain.ticket import OwnerType, Ticket, TicketId
from harken.errors import RefusedError
from harken.flow import ticket_turns, ticketing
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_turns import Message
from harken.flow.ticket_words import Words
from harken.flow.ticketing import Asked

SOURCE = "chat"


class NotYourChatError(RefusedError):
    """There is no such conversation of yours."""

    status = 404


@dataclass
class Chat:
    """One customer's side of it. `conversation` None: the first message opens one."""

    customer: str
    desk: TicketDesk
    conversation: TicketId | None = None
    verified: bool = False
    _version: int = -1
    _told: set[str] = field(default_factory=set)

    def hear(self, id_: str, text: str) -> Ticket:
        """The same `id_` again is the same message. Raises RefusedError, TryAgainError where nothing was kept."""
        key = f"{self.customer}:{id_}"
        if self.conversation is None:
            asked = Asked(
                customer=self.customer,
                subject=ticketing.subject_of(text),
                description=text,
                channel=Channel.CHAT,
                source=SOURCE,
                key=key,
                verified=self.verified,
            )
            ticket = ticketing.open(asked, self.desk).ticket
        else:
            words = Words(text=text, channel=Channel.CHAT, source=SOURCE, key=key)
            ticket = ticketing.say(self.conversation, words, self.desk).ticket
        self.conversation = ticket.id
        return ticket

    def news(self) -> tuple[Sequence[Message], Ticket | None]:
        """What this connection has not told yet, and the ticket where anything of it changed."""
        if self.conversation is None:
            return (), None
        now = ticketing.standing(self.conversation, self.desk)
        if (now.id, now.version) == (self.conversation, self._version):
            return (), None
        self.conversation, self._version = now.id, now.version
        shown = [each for each in ticket_turns.look(now.id, self.desk).messages if not each.private]
        new = [each for each in shown if each.id not in self._told]
        self._told.update(each.id for each in new)
        return new, now


def opened(customer: str, conversation: str | None, desk: TicketDesk, *, verified: bool) -> Chat:
    """Raises NotYourChatError: whose it is, is looked up and never believed."""
    if conversation is None:
        return Chat(customer, desk, verified=verified)
    try:
        ticket = ticketing.standing(conversation, desk)
    except RefusedError:
        raise NotYourChatError from None
    if ticket.customer not in ticket_turns.identities_of(customer, desk):
        raise NotYourChatError
    return Chat(customer, desk, ticket.id, verified)


def whose_turn(ticket: Ticket) -> str:
    """For the customer: who has it."""
    if ticket.owner.type in (OwnerType.PERSON, OwnerType.TEAM):
        return "A colleague has your question"
    return "We are looking at it" if ticket.waiting_since else "Connected"
