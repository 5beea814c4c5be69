"""`/api/v1/tickets`, also called `/api/v1/conversations`: issues are opened, answered, handled, merged and split."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response

from harken.domain.ids import EventId, IdentityId
from harken.domain.ticket import OwnerType, StatusCategory, Ticket
from harken.errors import RefusedError, UnsuitableError
from harken.flow import ticket_handling, ticket_turns, ticketing
from harken.flow.desk import Desk
from harken.flow.ticket_desk import TicketDesk
from harken.flow.ticket_turns import Seen
from harken.flow.ticket_words import Words
from harken.flow.ticketing import Asked
from harken.tickets import changes as c
from harken.tickets.changes import Change
from harken.tickets.fold import NotNowError
from harken.tickets.store import Wanted
from harken.web import ticket_bodies as bodies
from harken.web import ticket_rights as rights
from harken.web import ticket_views as views
from harken.web.auth.principal import Asking, NotYoursError, Principal, full_identity
from harken.web.ticket_bodies import (
    CustomersPage,
    CustomersTicket,
    TicketName,
    TicketPage,
    TicketShown,
    WholeTicket,
)

PREFIXES = ("/api/v1/tickets", "/api/v1/conversations")

Key = Annotated[str, Header(alias="Idempotency-Key", max_length=255, include_in_schema=False)]
Match = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag of what was seen: nothing is written where it has changed since.",
        max_length=100,
    ),
]
As = Annotated[Literal["agent", "customer"], Query(alias="as", description="Whose eyes it is shown to.")]


class NoSuchWordError(RefusedError):
    """The desk knows no such status."""

    status = 422


class _Door:
    def __init__(self, desk: Desk) -> None:
        self._whole = desk

    def _desk(self) -> TicketDesk:
        if self._whole.tickets is None:
            raise UnsuitableError("This store takes files only: tickets need PostgreSQL.")
        return self._whole.tickets

    async def open(
        self, asked: bodies.NewTicket, request: Request, response: Response, who: Asking, key: Key = ""
    ) -> WholeTicket | CustomersTicket:
        """A new ticket: kept, numbered and acknowledged when this answers. What is asked twice with one key is one ticket."""
        who.see(asked.customer_id)
        said = rights.said(asked.attributes, who)
        wanted = Asked(
            customer=full_identity(asked.customer_id) if who.is_customer else asked.customer_id,
            subject=asked.subject,
            description=asked.description,
            priority=asked.priority,
            channel=bodies.channel_of(asked.channel),
            source=f"api:{who.subject}",
            key=key,
            tier=said.tier,
            jurisdiction=said.jurisdiction,
            verified=True,  # their own token says so, or whoever opens it for them
        )
        done = await asyncio.to_thread(ticketing.open, wanted, self._desk())
        response.headers["Location"] = f"{request.url.path.rstrip('/')}/{done.ticket.id}"
        return await self._shown(done.ticket, who, response)

    async def look(
        self, id: TicketName, response: Response, who: Asking, as_: As = "agent"
    ) -> WholeTicket | CustomersTicket:
        """By id or number: messages, status, owner, answers, and the promises that run. Customers see their own, as theirs."""
        seen = await asyncio.to_thread(ticket_turns.look, id.lower(), self._desk())
        rights.refuse_others(who, seen.ticket)
        response.headers["ETag"] = f'"{seen.ticket.version}"'
        return self._view(seen, to_customer=as_ == "customer" or who.is_customer)

    def _view(self, seen: Seen, *, to_customer: bool) -> WholeTicket | CustomersTicket:
        return views.for_customer(seen) if to_customer else views.whole(seen, self._desk().rules)

    async def changes(self, id: TicketName, who: Asking, as_: As = "agent") -> bodies.ChangesShown:
        """Everything that happened to it, in order."""
        seen = await asyncio.to_thread(ticket_turns.look, id.lower(), self._desk())
        rights.refuse_others(who, seen.ticket)
        return views.changes_shown(seen.changes, to_customer=as_ == "customer")

    async def page(
        self, request: Request, asked: Annotated[bodies.PageAsked, Query()], who: Asking
    ) -> TicketPage | CustomersPage:
        """Newest first, a page at a time: `links.next` leads on. Customers see their own."""
        type_, _, id_ = (asked.owner or "").partition(":")
        wanted = Wanted(
            status=asked.status,
            owner_type=OwnerType(type_) if type_ else None,
            owner_id=id_ or None,
            tag=asked.tag,
            customers=await self._customers(asked.customer, who),
            jurisdictions=None if who.is_customer else who.jurisdictions or None,
            updated_since=asked.updated_since,
        )
        found = await asyncio.to_thread(ticket_turns.listed, wanted, asked.after, asked.size + 1, self._desk())
        more, found = len(found) > asked.size, found[: asked.size]
        onward = request.url.include_query_params(**{"page[after]": found[-1].number}) if more else None
        meta = bodies.Page(has_more=more)
        links = bodies.Links(next=f"{onward.path}?{onward.query}" if onward else None)
        if who.is_customer:
            return CustomersPage(data=[views.line_for_customer(each) for each in found], meta=meta, links=links)
        return TicketPage(data=[views.shown(each, self._desk().rules) for each in found], meta=meta, links=links)

    async def _customers(self, name: str | None, who: Principal) -> Sequence[IdentityId] | None:
        if who.is_customer:
            who.see(name or who.customer or "")
            return [IdentityId(full_identity(who.customer or ""))]
        return await asyncio.to_thread(ticket_turns.identities_of, name, self._desk()) if name else None

    async def say(
        self,
        id: TicketName,
        said: bodies.NewMessage,
        response: Response,
        who: Asking,
        key: Key = "",
        if_match: Match = None,
    ) -> WholeTicket | CustomersTicket:
        """The customer's next message, or our answer to them. A message on a closed ticket opens a new one."""
        words = Words(text=said.text, source=f"api:{who.subject}", key=key)
        standing = await asyncio.to_thread(ticketing.standing, id.lower(), self._desk())
        rights.refuse_others(who, standing)
        if who.is_customer and said.author != "customer":
            raise NotYoursError
        if said.author == "customer":
            done = await asyncio.to_thread(ticketing.say, standing.id, words, self._desk())
        else:
            author, expected = rights.author(who), rights.expected(if_match)
            done = await asyncio.to_thread(ticketing.reply, standing.id, words, author, self._desk(), expected)
        return await self._shown(done.ticket, who, response)

    async def note(
        self, id: TicketName, said: bodies.NewNote, response: Response, who: Asking, if_match: Match = None
    ) -> TicketShown:
        """Among ourselves: no customer ever sees it."""
        return await self._changed(id, [c.NoteAdded(text=said.text)], who, response, if_match)

    async def status(
        self, id: TicketName, wanted: bodies.NewStatus, response: Response, who: Asking, if_match: Match = None
    ) -> TicketShown:
        """One of the desk's words, or a category."""
        rules = self._desk().rules
        category = rules.status_of(wanted.status)
        if category is None and wanted.status in set(StatusCategory):
            category = StatusCategory(wanted.status)
        if category is None:
            raise NoSuchWordError
        change = c.StatusChanged(status=category, label=wanted.status)
        return await self._changed(id, [change], who, response, if_match)

    async def priority(
        self, id: TicketName, wanted: bodies.NewPriority, response: Response, who: Asking, if_match: Match = None
    ) -> TicketShown:
        change = c.PriorityChanged(priority=wanted.priority, because="A person said so.")
        return await self._changed(id, [change], who, response, if_match)

    async def owner(
        self, id: TicketName, wanted: bodies.NewOwner, response: Response, who: Asking, if_match: Match = None
    ) -> TicketShown:
        """Take over, pass on, or give back to the AI. What was being written for the owner before is dropped."""
        nameless = wanted.type in (OwnerType.AI, OwnerType.NONE)
        if nameless == bool(wanted.id):
            raise NotNowError("A person, a team and a bot have an id; the AI and nobody have none.")
        change = c.Assigned(owner=wanted.type, owner_id=wanted.id)
        return await self._changed(id, [change], who, response, if_match)

    async def tags(
        self, id: TicketName, wanted: bodies.NewTags, response: Response, who: Asking, if_match: Match = None
    ) -> TicketShown:
        """All tags from now on."""
        return await self._changed(id, [c.TagsChanged(tags=tuple(wanted.tags))], who, response, if_match)

    async def snooze(
        self, id: TicketName, wanted: bodies.NewSnooze, response: Response, who: Asking, if_match: Match = None
    ) -> TicketShown:
        """Out of sight until then, or until the customer writes. Null ends it."""
        change: Change = c.Snoozed(until=wanted.until) if wanted.until else c.Woken()
        return await self._changed(id, [change], who, response, if_match)

    async def merge(
        self, id: TicketName, wanted: bodies.NewMerge, response: Response, who: Asking, if_match: Match = None
    ) -> WholeTicket:
        """The other ticket's messages become this one's. Both must be one customer's."""
        desk, expected, by = self._desk(), rights.expected(if_match), rights.by(who)

        def merged() -> Ticket:
            into, other = (rights.found(name, who, desk) for name in (id, wanted.other))
            return ticket_handling.merge(into.id, other.id, by, desk, expected)

        return await self._whole_of(await asyncio.to_thread(merged), response)

    async def split(
        self,
        id: TicketName,
        wanted: bodies.NewSplit,
        request: Request,
        response: Response,
        who: Asking,
        if_match: Match = None,
    ) -> WholeTicket:
        """Some messages become a ticket of their own, which is returned."""
        desk, expected, by = self._desk(), rights.expected(if_match), rights.by(who)

        def parted() -> Ticket:
            events = [EventId(name) for name in dict.fromkeys(wanted.messages)]
            found = rights.found(id, who, desk)
            return ticket_handling.split(found.id, events, wanted.subject or "", by, desk, expected)

        made = await asyncio.to_thread(parted)
        response.headers["Location"] = f"{request.url.path.rsplit('/', 2)[0]}/{made.id}"
        return await self._whole_of(made, response)

    async def _changed(
        self, name: str, changes: Sequence[Change], who: Principal, response: Response, if_match: str | None
    ) -> TicketShown:
        desk, expected = self._desk(), rights.expected(if_match)

        def changed() -> Ticket:
            return ticket_handling.change(rights.found(name, who, desk).id, changes, rights.by(who), desk, expected)

        ticket = await asyncio.to_thread(changed)
        response.headers["ETag"] = f'"{ticket.version}"'
        return views.shown(ticket, desk.rules)

    async def _shown(self, ticket: Ticket, who: Principal, response: Response) -> WholeTicket | CustomersTicket:
        seen = await asyncio.to_thread(ticket_turns.look, ticket.id, self._desk())
        response.headers["ETag"] = f'"{seen.ticket.version}"'
        return self._view(seen, to_customer=who.is_customer)

    async def _whole_of(self, ticket: Ticket, response: Response) -> WholeTicket:
        seen = await asyncio.to_thread(ticket_turns.look, ticket.id, self._desk())
        response.headers["ETag"] = f'"{seen.ticket.version}"'
        return views.whole(seen, self._desk().rules)


def router(desk: Desk) -> APIRouter:
    routes, door = APIRouter(), _Door(desk)
    for prefix in PREFIXES:
        routes.include_router(_under(prefix, door))
    return routes


def _under(prefix: str, door: _Door) -> APIRouter:
    routes = APIRouter(prefix=prefix, tags=[prefix.rpartition("/")[2]])
    problems: dict[int | str, dict[str, Any]] = {
        404: {"description": "There is no such ticket."},
        409: {"description": "Not possible as the ticket stands."},
        412: {"description": "The ticket was changed since the version in If-Match."},
    }

    def add(path: str, does: Callable[..., Any], method: str, status: int = 200) -> None:
        routes.add_api_route(path, does, methods=[method], status_code=status, responses=problems)

    add("", door.open, "POST", 201)
    add("", door.page, "GET")
    add("/{id}", door.look, "GET")
    add("/{id}/changes", door.changes, "GET")
    add("/{id}/messages", door.say, "POST", 201)
    add("/{id}/notes", door.note, "POST", 201)
    add("/{id}/merge", door.merge, "POST")
    add("/{id}/split", door.split, "POST", 201)
    for name in ("status", "priority", "owner", "tags", "snooze"):
        add(f"/{{id}}/{name}", getattr(door, name), "PUT")
    return routes
