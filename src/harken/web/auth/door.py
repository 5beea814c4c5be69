"""In front of every route: who asks, may they, how often, and did they ask the same before.

Plain ASGI, and before the framework reads the body: who may not ask is not listened to.
"""

import asyncio
from collections.abc import Mapping
from functools import cached_property

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harken.errors import HarkenError, TryAgainError
from harken.web.auth import access, idempotency
from harken.web.auth.access import Access
from harken.web.auth.idempotency import Answers
from harken.web.auth.once import once
from harken.web.auth.permissions import Grant
from harken.web.auth.principal import Principal
from harken.web.auth.refusals import Denied
from harken.web.auth.routes import WEBSOCKET, Declared, Routes
from harken.web.problems import problem

_REFUSED_SOCKET = 4403
_UNWRITTEN = "Who looks at customers' data is written down first, and that cannot be done just now. Nothing is shown."
_WITHIN = {401: "key", 403: "owner", 429: "rate"}
"""Why a route itself refuses, where it does not say."""


class Door:
    def __init__(self, app: ASGIApp, *, inside: FastAPI, rules: Access) -> None:
        self._app, self._inside, self._access = app, inside, rules
        self._answers = Answers(rules.database, rules.master, rules.clock) if rules.database else None

    @cached_property
    def _routes(self) -> Routes:
        return Routes(self._inside)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self._app(scope, receive, send)
        method = WEBSOCKET if scope["type"] == "websocket" else scope["method"]
        found = self._routes.find(method, scope["path"])
        if found is None:
            return await self._app(scope, receive, send)  # which says that there is no such page
        if method == WEBSOCKET:
            return await self._socket(found, scope, receive, send)
        if method not in found.methods:
            allow = ", ".join(found.methods)
            return await problem(405, f"This page takes {allow}.", {"Allow": allow})(scope, receive, send)
        try:
            return await self._asked(found, scope, receive, send)
        except TryAgainError as later:
            wait = {"Retry-After": str(max(1, round(later.after_s)))}
            return await problem(503, str(later), wait)(scope, receive, send)

    async def _socket(self, found: Declared, scope: Scope, receive: Receive, send: Send) -> None:
        """A socket's own door asks for its ticket; one that nobody declared lets nobody in."""
        try:
            access.of(WEBSOCKET, found.path)
        except Denied as denied:
            await self._tell(denied, None, found)
            return await send({"type": "websocket.close", "code": _REFUSED_SOCKET})
        return await self._app(scope, receive, send)

    async def _asked(self, found: Declared, scope: Scope, receive: Receive, send: Send) -> None:
        who: list[Principal] = []
        try:
            grant = access.of(found.method, found.path)
            if self._access.is_open(grant):
                return await self._app(scope, receive, self._watched(found, grant, None, (scope, receive, send)))
            told = _with(await self._admitted(found, grant, scope, who), send)
            watched = self._watched(found, grant, who[0], (scope, receive, told))
            return await self._let_in(found, who[0], (scope, receive, watched))
        except Denied as denied:
            await self._tell(denied, who[0] if who else None, found)
            return await problem(denied.status, denied.detail, denied.headers)(scope, receive, send)

    async def _admitted(self, found: Declared, grant: Grant, scope: Scope, who: list[Principal]) -> Mapping[str, str]:
        """The headers that every answer gets; `who` has whoever asks, also where they may not."""
        given = Headers(scope=scope).get("authorization")
        if self._access.needs_no_token(given):
            principal = self._access.who(given)
        else:
            principal = await asyncio.to_thread(self._access.who, given)  # keys may be fetched
        who.append(principal)
        scope.setdefault("state", {})["principal"] = principal
        if principal.local:
            return self._access.admit(principal, found, grant)
        return await asyncio.to_thread(self._access.admit, principal, found, grant)

    async def _let_in(self, found: Declared, principal: Principal, at: tuple[Scope, Receive, Send]) -> None:
        key = Headers(scope=at[0]).get(idempotency.HEADER)
        if found.method != "POST" or key is None or self._answers is None:
            return await self._app(*at)
        caller = self._access.caller(principal)
        return await once(self._app, self._answers, idempotency.checked(key), caller, at)

    def _watched(self, found: Declared, grant: Grant, who: Principal | None, at: tuple[Scope, Receive, Send]) -> Send:
        """What leaves passes here: who was shown something is written down first, and what a route itself refuses, too."""
        scope, receive, send = at
        unwritten: list[HarkenError] = []

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                status: int = message["status"]
                if refused := _refusal(status, scope):
                    await self._tell(refused, who, found)
                elif status < 400 and grant.personal and who is not None:
                    try:
                        await asyncio.to_thread(self._access.reads.tell, who, found, scope)
                    except TryAgainError as away:
                        unwritten.append(away)
                        await problem(503, _UNWRITTEN, {"Retry-After": "5"})(scope, receive, send)
            if not unwritten:
                await send(message)

        return watched

    async def _tell(self, denied: Denied, who: Principal | None, found: Declared) -> None:
        await asyncio.to_thread(self._access.refusals.tell, denied, who, found.method, found.path)


def _refusal(status: int, scope: Scope) -> Denied | None:
    """What a route refused after its door let somebody in: a write key that is nobody's, another customer's ticket."""
    reason = scope.get("state", {}).get("refusal") or _WITHIN.get(status)
    return Denied(status, reason, "") if reason and status >= 400 else None


def _with(headers: Mapping[str, str], send: Send) -> Send:
    if not headers:
        return send

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return told
