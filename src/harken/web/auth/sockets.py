"""One-time tickets for WebSockets: a browser can send no header with one, and a token does not belong in an address."""

import asyncio
import binascii
import hashlib
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Annotated

import orjson
from fastapi import APIRouter, Request, WebSocket
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from harken.errors import RefusedError
from harken.privacy import sealing
from harken.privacy.sealing import Body
from harken.web.auth import store
from harken.web.auth.access import Access
from harken.web.auth.principal import LOCAL, Asking, Principal
from harken.web.auth.reads import about
from harken.web.auth.refusals import Denied
from harken.web.auth.routes import WEBSOCKET, Declared
from harken.web.guests import is_welcome

TICKET_BYTES, GOOD_FOR = 32, timedelta(seconds=30)
NOT_ADMITTED, NOT_FROM_THERE = 4401, 4403
"""Close codes, as 401 and 403. 4401 also ends a socket whose principal's `expires_at` has come."""

_PRINCIPAL: TypeAdapter[Principal] = TypeAdapter(Principal)
_PLACE = "socket-ticket"
SOCKET = "/ws/chat"
_ASKED = Declared(SOCKET, WEBSOCKET, (), {})

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NoTicketsError(RefusedError):
    """This store keeps no tickets for sockets: serve from PostgreSQL."""


class Wanted(BaseModel):
    """Whose chat, and which one; a customer's token says whose by itself."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Name | None = None
    conversation_id: Name | None = None


class Given(BaseModel):
    ticket: str
    expires_in: int  #: seconds


def router(access: Access) -> APIRouter:
    routes = APIRouter(prefix="/api/v1/chat", tags=["chat"])

    @routes.post("/tickets", status_code=201)
    def ticket(principal: Asking, wanted: Wanted, request: Request) -> Given:
        """A ticket for one WebSocket: `/ws/chat?ticket=…`, once, within half a minute."""
        customer = wanted.customer_id or principal.customer
        if customer is not None:
            principal.see(customer)
            about(request.state, customer)
        bound = replace(principal, customer=customer, conversation=wanted.conversation_id)
        return Given(ticket=issue(access, bound), expires_in=int(GOOD_FOR.total_seconds()))

    return routes


def issue(access: Access, principal: Principal) -> str:
    if access.database is None:
        raise NoTicketsError
    chance = os.urandom(TICKET_BYTES)
    sealed = sealing.seal(_key(chance), _PLACE, Body(orjson.dumps(asdict(principal), default=list).decode()))
    with access.database.statement() as tx:
        store.give_ticket(tx, _id(chance), sealed, access.clock() + GOOD_FOR)
    return urlsafe_b64encode(chance).rstrip(b"=").decode()


def redeem(access: Access, ticket: str) -> Principal | None:
    """Whom the ticket was given to; None where it is nobody's, was used, or came too late."""
    chance = _chance(ticket)
    if chance is None or access.database is None:
        return None
    with access.database.statement() as tx:
        sealed = store.take_ticket(tx, _id(chance), access.clock())
    if sealed is None:
        return None
    return _PRINCIPAL.validate_json(sealing.unseal(_key(chance), _PLACE, sealed).text)


async def admitted(websocket: WebSocket) -> Principal | None:
    """The principal of an accepted socket; None where it was closed instead, with 4401 or 4403.

    `customer` and `conversation` are those that the ticket was given for. On this machine's own server, where no
    token is needed, a socket without a ticket is the local admin's.
    """
    access: Access = websocket.app.state.access
    await websocket.accept()  # a close code reaches a browser on an open socket only
    if not is_welcome(websocket.headers, access.rules.public_hosts):
        access.refusals.count(Denied(403, "host", ""), WEBSOCKET, SOCKET)
        await websocket.close(NOT_FROM_THERE, "Not from this page.")
        return None
    ticket = websocket.query_params.get("ticket")
    local = ticket is None and access.rules.local_admin
    found = LOCAL if local else await asyncio.to_thread(redeem, access, ticket or "")
    if found is None:
        await asyncio.to_thread(access.refusals.tell, Denied(401, "ticket", ""), None, WEBSOCKET, SOCKET)
        await websocket.close(NOT_ADMITTED, "This ticket is not good, or not any more.")
    else:
        await asyncio.to_thread(access.reads.tell, found, _ASKED, websocket.scope)
    return found


def _chance(ticket: str) -> bytes | None:
    try:
        chance = urlsafe_b64decode(ticket + "=" * (-len(ticket) % 4))
    except (binascii.Error, ValueError):
        return None
    return chance if len(chance) == TICKET_BYTES else None


def _id(chance: bytes) -> bytes:
    return hashlib.sha256(b"id" + chance).digest()


def _key(chance: bytes) -> bytes:
    return hashlib.sha256(b"key" + chance).digest()
