"""`POST /api/v1/tickets/{id}/suggestion`: words to begin with, streamed to a person who works on the ticket."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from harken.errors import UnsuitableError
from harken.flow import suggesting, ticketing
from harken.flow.agent_desk import AgentDesk
from harken.flow.desk import Desk
from harken.flow.suggesting import Suggested
from harken.web import ticket_rights as rights
from harken.web.auth.principal import Asking
from harken.web.ticket_bodies import TicketName
from harken.web.tickets import PREFIXES

_EVENTS = """Server-sent events. `piece`: `{"text"}`, words as they come, checked by nobody. The last one is `suggestion`:
`{"text", "mode", "outcome", "reasons", "findings", "sources", "record"}`, all of the words and what the guard says of them."""


class _Door:
    def __init__(self, whole: Desk) -> None:
        self._whole = whole

    def _desk(self) -> AgentDesk:
        if self._whole.agent is None:
            raise UnsuitableError("This store takes files only: tickets need PostgreSQL.")
        return self._whole.agent

    async def suggest(self, id: TicketName, who: Asking) -> StreamingResponse:
        """For a person's screen, whoever has the ticket: nothing is sent to the customer, and nothing of the ticket changes."""
        desk = await asyncio.to_thread(self._desk)
        ticket = await asyncio.to_thread(ticketing.standing, id.lower(), desk.tickets)
        rights.refuse_others(who, ticket)
        seen = await suggesting.look(ticket.id, desk)  # so that a ticket that is over is a plain 409
        told = _told(suggesting.suggest(seen, f"person:{who.subject}", desk))
        return StreamingResponse(told, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _told(pieces: AsyncIterator[str | Suggested]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        if isinstance(piece, str):
            yield b"event: piece\ndata: %s\n\n" % orjson.dumps({"text": piece.encode("utf-8", "replace").decode()})
        else:
            yield b"event: suggestion\ndata: %s\n\n" % orjson.dumps(_shown(piece))


def _shown(suggested: Suggested) -> dict[str, Any]:
    verdict = suggested.verdict
    return {
        "text": suggested.draft.message,
        "mode": suggested.draft.mode,
        "outcome": verdict.outcome,
        "reasons": list(verdict.reasons),
        "findings": [{"check": each.check, "detail": each.detail} for each in verdict.findings],
        "sources": list(suggested.sources),
        "record": suggested.record,
    }


def router(desk: Desk) -> APIRouter:
    routes, door = APIRouter(), _Door(desk)
    problems: dict[int | str, dict[str, Any]] = {
        200: {"description": _EVENTS, "content": {"text/event-stream": {}}},
        404: {"description": "There is no such ticket."},
        409: {"description": "The ticket is over."},
    }
    for prefix in PREFIXES:
        routes.add_api_route(
            f"{prefix}/{{id}}/suggestion",
            door.suggest,
            methods=["POST"],
            response_class=StreamingResponse,
            responses=problems,
            tags=[prefix.rpartition("/")[2]],
        )
    return routes
