"""What actions do to a ticket: its changes, the words that go into its conversation, and the person who has to look.

say   an answer of the outbox -> an event of the log and a change of the ticket, in one transaction; a key says it once
act   an action of the catalogue -> changes, in the caller's transaction
ask   a person -> the ticket is theirs, or they find a note in it
"""

from collections.abc import Callable, Mapping, Sequence

from harken.act.ports import Message
from harken.domain.ids import EventId
from harken.domain.profile import Value
from harken.domain.ticket import Owner, OwnerType, StatusCategory, Ticket, TicketId
from harken.errors import RefusedError
from harken.flow import ticketing
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_handling import HandOver, hand_over
from harken.flow.ticket_words import Words
from harken.flow.ticketing import Expected
from harken.kit import db
from harken.kit.log import logger
from harken.tickets import changes as c
from harken.tickets import store
from harken.tickets.changes import Change
from harken.tickets.fold import NotNowError

AI, OUTBOX = "ai", "outbox"
NEEDS_APPROVAL = "needs_approval"
_NOTES = {
    NEEDS_APPROVAL: "An action waits for somebody's approval.",
    "in_doubt": "Nobody knows whether something that was sent has arrived: look, then decide.",
    "undeliverable": "Something could not be delivered: look, then decide.",
    "unconfigured": "Something waits until its channel is configured.",
}

log = logger(__name__)

Arguments = Mapping[str, Value]


class NothingForTicketsError(RefusedError):
    """No ticket knows this action, or there is no such team."""


def say(message: Message, key: str, desk: TicketDesk) -> str:
    """The event's id. An answer of the AI's is refused where somebody else has the ticket by now.

    Raises ChangedMeanwhileError, NoSuchTicketError, ClosedError; TryAgainError where nothing was kept.
    """
    mine = message.author == AI
    author = Owner(type=OwnerType.AI) if mine else Owner(type=OwnerType.PERSON, id=message.author)
    answered = EventId(message.answers) if mine and message.answers else None
    words = Words(text=str(message.arguments["text"]), source=OUTBOX, key=key, answers=answered)
    expected = Expected(epoch=message.epoch if mine else None)
    ticketing.reply(TicketId(message.ticket), words, author, desk, expected)
    return key


def act(tx: db.Tx, ticket: str, action: str, arguments: Arguments, *, desk: TicketDesk) -> None:
    """Raises NothingForTicketsError, NoSuchTicketError, NotNowError."""
    wanted, teams = _CHANGES.get(action), [team.name for team in desk.rules.content.team]
    if wanted is None or arguments.get("team", teams[0]) not in teams:
        raise NothingForTicketsError
    held = store.lock(tx, TicketId(ticket), desk.ring)
    if changes := wanted(held, arguments):
        ticketing.changed(tx, held, changes, "action", desk.live.clock(), desk)


def _tagged(ticket: Ticket, arguments: Arguments) -> Sequence[Change]:
    tag = str(arguments["tag"])
    return () if tag in ticket.tags else (c.TagsChanged(tags=(*ticket.tags, tag)),)


def _turned(status: StatusCategory) -> Callable[[Ticket, Arguments], Sequence[Change]]:
    def turn(ticket: Ticket, arguments: Arguments) -> Sequence[Change]:
        return () if ticket.status is status else (c.StatusChanged(status=status, label=status.value),)

    return turn


_CHANGES: Mapping[str, Callable[[Ticket, Arguments], Sequence[Change]]] = {
    "note": lambda ticket, arguments: (c.NoteAdded(text=str(arguments["text"])),),
    "tag": _tagged,
    "assign": lambda ticket, arguments: (c.Assigned(owner=OwnerType.TEAM, owner_id=str(arguments["team"])),),
    "close": _turned(StatusCategory.RESOLVED),
    "reopen": _turned(StatusCategory.OPEN),
}


def ask(tx: db.Tx, ticket: str, reason: str, *, desk: TicketDesk) -> None:
    """The AI hands over, but for an approval, which does not keep it from answering. Never fails: the outbox has it, too."""
    log.info("a_person_is_needed", ticket=ticket, reason=reason)
    try:
        with tx.transaction():  # a savepoint: a ticket that takes no change any more keeps nothing from being recorded
            held = store.lock(tx, TicketId(ticket), desk.ring)
            at = desk.live.clock()
            if held.owner.type is OwnerType.AI and reason != NEEDS_APPROVAL:
                hand_over(tx, held, HandOver(reason=reason, summary=_NOTES[reason], by=OUTBOX), at, desk)
            else:
                ticketing.changed(tx, held, [c.NoteAdded(text=_NOTES[reason])], OUTBOX, at, desk)
    except (store.NoSuchTicketError, NotNowError):
        log.warning("ticket_takes_no_note", ticket=ticket, reason=reason)
