"""What an action does to a ticket, and what a delivery that fails asks of people: changes of the ticket, in the caller's transaction."""

from collections.abc import Callable, Mapping

from harken.act.ports import Message
from harken.domain.profile import Value
from harken.domain.ticket import Owner, OwnerType, StatusCategory, Ticket, TicketId
from harken.errors import RefusedError
from harken.flow import ticketing
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_handling import HandOver, hand_over
from harken.flow.ticket_words import Words
from harken.kit import db
from harken.tickets import changes as c
from harken.tickets import store
from harken.tickets.changes import Change

WHO = "ai"
SOURCE = "harken"
NEEDS_APPROVAL = "needs_approval"


class UnknownTeamError(RefusedError):
    """There is no such team."""

    status = 422


def do(desk: TicketDesk, tx: db.Tx, ticket: str, action: str, arguments: Mapping[str, Value]) -> None:
    """note, tag, assign, close or reopen. Raises RefusedError where it does not fit."""
    now = store.lock(tx, TicketId(ticket), desk.ring)
    change = _CHANGES[action](now, arguments, desk)
    ticketing.changed(tx, now, [change], WHO, desk.live.clock(), desk)


def ask_person(desk: TicketDesk, tx: db.Tx, ticket: str, reason: str) -> None:
    """Who has it is told; what nobody but the AI has goes to people. An approval is asked for where approvals are shown."""
    if reason == NEEDS_APPROVAL:
        return
    now, at = store.lock(tx, TicketId(ticket), desk.ring), desk.live.clock()
    told = f"Something for this ticket could not be delivered: {reason.replace('_', ' ')}."
    if now.owner.type in (OwnerType.AI, OwnerType.NONE) and now.status is not StatusCategory.CLOSED:
        hand_over(tx, now, HandOver(reason=reason, summary=told, by="system"), at, desk)
    else:
        ticketing.changed(tx, now, [c.NoteAdded(text=told)], "system", at, desk)


def say(desk: TicketDesk, message: Message, key: str) -> str:
    """The AI's answer in the conversation, once for a key. Raises TryAgainError, RefusedError."""
    words = Words(text=str(message.arguments["text"]), source=SOURCE, key=key)
    ticketing.reply(TicketId(message.ticket), words, Owner(type=OwnerType.AI), desk)
    return key


def _note(ticket: Ticket, arguments: Mapping[str, Value], desk: TicketDesk) -> Change:
    return c.NoteAdded(text=str(arguments["text"]))


def _tag(ticket: Ticket, arguments: Mapping[str, Value], desk: TicketDesk) -> Change:
    return c.TagsChanged(tags=(*ticket.tags, str(arguments["tag"])))


def _assign(ticket: Ticket, arguments: Mapping[str, Value], desk: TicketDesk) -> Change:
    team = str(arguments["team"])
    if all(team != each.name for each in desk.rules.content.team):
        raise UnknownTeamError
    return c.Assigned(owner=OwnerType.TEAM, owner_id=team)


def _close(ticket: Ticket, arguments: Mapping[str, Value], desk: TicketDesk) -> Change:
    return c.StatusChanged(status=StatusCategory.RESOLVED, label=StatusCategory.RESOLVED.value)


def _reopen(ticket: Ticket, arguments: Mapping[str, Value], desk: TicketDesk) -> Change:
    return c.StatusChanged(status=StatusCategory.OPEN, label=StatusCategory.OPEN.value)


_CHANGES: Mapping[str, Callable[[Ticket, Mapping[str, Value], TicketDesk], Change]] = {
    "note": _note,
    "tag": _tag,
    "assign": _assign,
    "close": _close,
    "reopen": _reopen,
}
