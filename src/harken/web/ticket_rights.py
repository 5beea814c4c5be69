"""Who asks about a ticket -> whether it is theirs to see or to work on, what they may say of its customer, and as whom they act."""

from harken.domain.ticket import Owner, OwnerType, Ticket
from harken.flow import ticketing
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticketing import ANY, ChangedMeanwhileError, Expected
from harken.tickets.store import NoSuchTicketError
from harken.web.auth.principal import STAFF, NotYoursError, Principal, Role
from harken.web.ticket_bodies import SaidOfCustomer

MAY_SAY = frozenset({Role.SERVICE, Role.LEAD, Role.ADMIN})
"""Who may say what a customer pays for and whose law holds for them, where no profile does."""


class NotTheirsError(NoSuchTicketError):
    """There is no such ticket."""


def author(who: Principal) -> Owner:
    """A program that is no person's answers as somebody else's bot."""
    return Owner(type=OwnerType.PERSON if who.roles & STAFF else OwnerType.BOT, id=who.subject)


def refuse_others(who: Principal, ticket: Ticket) -> None:
    """Another's ticket, or one of another jurisdiction, is not there: not even that it exists is told."""
    if not (who.may_see(ticket.customer) and who.works_on(str(ticket.attributes.get("jurisdiction", "")))):
        raise NotTheirsError


def found(name: str, who: Principal, desk: TicketDesk) -> Ticket:
    ticket = ticketing.found(name.lower(), desk)
    refuse_others(who, ticket)
    return ticket


def said(given: SaidOfCustomer, who: Principal) -> SaidOfCustomer:
    """Nobody claims a tier for themselves; a customer's own token may say whose law holds for them."""
    if given != SaidOfCustomer() and not (who.roles & MAY_SAY and who.works_on(given.jurisdiction)):
        raise NotYoursError
    if who.is_customer and len(who.jurisdictions) == 1:
        return SaidOfCustomer(jurisdiction=who.jurisdictions[0])
    return given


def by(who: Principal) -> str:
    """As changes name them."""
    acting = author(who)
    return f"{acting.type}:{acting.id}"


def expected(if_match: str | None) -> Expected:
    """The version in an ETag of ours; another's is no version that a ticket ever has."""
    if if_match is None or if_match.strip() == "*":
        return ANY
    version = if_match.strip().removeprefix("W/").strip('"')
    if not (version.isascii() and version.isdigit()):
        raise ChangedMeanwhileError
    return Expected(version=int(version))
