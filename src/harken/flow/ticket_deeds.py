"""What actions do to tickets, in the transaction of whoever acts: what was allowed, what was said, what needs a person."""

from collections.abc import Callable, Mapping
from typing import Final

from harken.act.ports import Message
from harken.domain.ids import EventId
from harken.domain.profile import Value
from harken.domain.ticket import OwnerType, StatusCategory, Ticket, TicketId
from harken.errors import RefusedError
from harken.flow.counting import Received
from harken.flow.live import Also
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_handling import HandOver, hand_over
from harken.flow.ticketing import SYSTEM, changed, followed
from harken.kit import db
from harken.kit.log import logger
from harken.tickets import changes as c
from harken.tickets.changes import Change
from harken.tickets.store import NoSuchTicketError

log = logger(__name__)

AI, PERSON = "ai", "person:"


class UnknownTeamError(RefusedError):
    """The desk has no such team."""


class TicketDeeds:
    """`act` and `ask_person` are ports of those who act."""

    def __init__(self, desk: TicketDesk) -> None:
        self._desk = desk

    def act(self, tx: db.Tx, ticket: str, action: str, arguments: Mapping[str, Value]) -> None:
        """Raises RefusedError: no such ticket, action or team, or not as the ticket stands."""
        if action not in _DEEDS:
            raise RefusedError(f"A ticket knows no action {action!r}.")
        found = followed(tx, TicketId(ticket), self._desk)
        change = _DEEDS[action](found, arguments)
        if isinstance(change, c.Assigned) and change.owner_id not in {t.name for t in self._desk.rules.content.team}:
            raise UnknownTeamError
        changed(tx, found, [change], AI, self._desk.live.clock(), self._desk)

    def ask_person(self, tx: db.Tx, ticket: str, reason: str) -> None:
        """The AI's ticket goes to whom the routes name; on anybody else's the reason is left as a note."""
        now = self._desk.live.clock()
        try:
            found = followed(tx, TicketId(ticket), self._desk)
        except NoSuchTicketError:
            log.warning("a_person_is_needed", ticket=ticket, reason=reason)
            return
        if found.owner.type in (OwnerType.AI, OwnerType.NONE):
            hand_over(tx, found, HandOver(reason=reason, summary="", by=SYSTEM), now, self._desk)
        else:
            changed(tx, found, [c.NoteAdded(text=f"A person is needed: {reason}.")], SYSTEM, now, self._desk)

    def said(self, message: Message) -> Also:
        """The event of an answer that was delivered -> the ticket has been answered; once, however often it is delivered."""

        def also(tx: db.Tx, received: Received) -> None:
            for entry, _ in received.new:
                try:
                    found = followed(tx, TicketId(message.ticket), self._desk)
                except NoSuchTicketError:
                    return  # said by somebody who has no tickets
                changed(tx, found, [_replied(entry.id, message.author)], _by(message.author), message.at, self._desk)

        return also


def _by(author: str) -> str:
    return author if author.startswith(PERSON) else AI


def _replied(event: str, author: str) -> c.Replied:
    if author.startswith(PERSON):
        return c.Replied(event=EventId(event), author=OwnerType.PERSON, author_id=author.removeprefix(PERSON))
    return c.Replied(event=EventId(event), author=OwnerType.AI)


def _status(status: StatusCategory) -> Callable[[Ticket, Mapping[str, Value]], Change]:
    return lambda ticket, arguments: c.StatusChanged(status=status, label=status.value)


_DEEDS: Final[Mapping[str, Callable[[Ticket, Mapping[str, Value]], Change]]] = {
    "note": lambda ticket, arguments: c.NoteAdded(text=str(arguments["text"])),
    "tag": lambda ticket, arguments: c.TagsChanged(tags=(*ticket.tags, str(arguments["tag"]))),
    "assign": lambda ticket, arguments: c.Assigned(owner=OwnerType.TEAM, owner_id=str(arguments["team"])),
    # Closed for good only by people: who writes again after "close" goes on where they were.
    "close": _status(StatusCategory.RESOLVED),
    "reopen": _status(StatusCategory.OPEN),
}
