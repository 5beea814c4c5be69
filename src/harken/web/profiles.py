"""`/api/v1/profiles`: a customer's profile as of now or any moment, many at once, or as it changes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from harken.domain.ids import CustomerId
from harken.errors import RefusedError, TryAgainError
from harken.flow.desk import Desk
from harken.flow.pool import Seat
from harken.flow.showing import Wanted, Watch, etag, show
from harken.web.auth.principal import Asking, Principal
from harken.web.auth.reads import about
from harken.web.moments import Moment
from harken.web.profile_rights import refuse_elsewhere

LOOK_EVERY_S = 0.2
QUIET_S = 15.0
"""A line that says nothing keeps proxies from closing a quiet stream."""

MOST_STREAMS = 50

Customer = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class Several(BaseModel):
    customers: Annotated[list[Customer], Field(min_length=1, max_length=100)]
    as_of: Moment | None = None
    features: list[str] = []


class _Door:
    def __init__(self, desk: Desk, seat: Seat) -> None:
        self._desk, self._seat = desk, seat
        self._streams = asyncio.Semaphore(MOST_STREAMS)

    async def _shown(self, customer: str, wanted: Wanted, who: Principal) -> dict[str, Any]:
        return await asyncio.to_thread(self._theirs, customer, wanted, who)

    def _theirs(self, customer: str, wanted: Wanted, who: Principal) -> dict[str, Any]:
        refuse_elsewhere(customer, who, self._desk, self._seat)
        return show(CustomerId(customer), self._desk, self._seat.policy, wanted)

    async def profile(
        self,
        customer: Customer,
        who: Asking,
        as_of: Moment | None = None,
        features: Annotated[str, Query(description="Names, separated by commas; unsaid: all.")] = "",
        min_position: Annotated[int, Query(ge=0)] = 0,
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Every feature, the identities, the last events, and how fresh all this is."""
        names = tuple(filter(None, features.split(",")))
        found = await self._shown(customer, Wanted(as_of=as_of, features=names, min_position=min_position), who)
        tag = {"ETag": etag(found), "Cache-Control": "no-cache"}
        if if_none_match and tag["ETag"] in if_none_match:
            return Response(status_code=304, headers=tag)
        return Response(orjson.dumps(found), headers=tag, media_type="application/json")

    async def several(self, asked: Several, who: Asking, request: Request) -> Response:
        """Up to a hundred; each is a profile, or says why not."""
        about(request.state, *asked.customers)
        wanted = Wanted(as_of=asked.as_of, features=tuple(asked.features))
        found = [await self._one_of_several(customer, wanted, who) for customer in asked.customers]
        return Response(orjson.dumps({"profiles": found}), media_type="application/json")

    async def _one_of_several(self, customer: str, wanted: Wanted, who: Principal) -> dict[str, Any]:
        try:
            return await self._shown(customer, wanted, who)
        except RefusedError as why:
            return {"customer": customer, "status": why.status, "detail": str(why)}

    async def changes(self, customer: Customer, who: Asking, request: Request) -> StreamingResponse:
        """Server-sent events: the profile, and then what changes of it."""
        await asyncio.to_thread(refuse_elsewhere, customer, who, self._desk, self._seat)
        if self._streams.locked():
            raise TryAgainError("Too many profiles are being watched here.")
        watch = Watch(CustomerId(customer), self._desk, self._seat.policy)
        first = await asyncio.to_thread(list, watch.changes())  # so that an unknown customer is a plain 404
        told = self._told(watch, first, request)
        return StreamingResponse(told, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _told(self, watch: Watch, first: list[dict[str, Any]], request: Request) -> AsyncIterator[bytes]:
        async with self._streams:
            async for line in _lines(watch, first, request):
                yield line


def router(desk: Desk, seat: Seat) -> APIRouter:
    routes = APIRouter(prefix="/api/v1", tags=["profiles"])
    door = _Door(desk, seat)
    unknown: dict[int | str, dict[str, Any]] = {404: {"description": "No event has ever mentioned this customer."}}
    add = routes.add_api_route
    add("/profiles/{customer}", door.profile, responses={304: {"description": "It is as you have it."}, **unknown})
    add("/profiles:batch", door.several, methods=["POST"])
    add("/profiles/{customer}/changes", door.changes, response_class=StreamingResponse, responses=unknown)
    return routes


async def _lines(watch: Watch, first: list[dict[str, Any]], request: Request) -> AsyncIterator[bytes]:
    found, quiet = first, 0.0
    while not await request.is_disconnected():
        for change in found:
            yield b"id: %d\nevent: profile\ndata: %s\n\n" % (change["freshness"]["position"], orjson.dumps(change))
        quiet = 0.0 if found else quiet + LOOK_EVERY_S
        if quiet >= QUIET_S:
            yield b": still here\n\n"
            quiet = 0.0
        await asyncio.sleep(LOOK_EVERY_S)
        found = await asyncio.to_thread(list, watch.changes())
