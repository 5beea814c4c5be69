"""`/ws/chat`: a live chat with a customer, and a small page to try it by hand at `/chat`.

Frames are JSON objects. In: `{"type": "message", "id", "text"}`. Out: `ack` (the ticket has it), `message`, `status`, `refused`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib import resources
from typing import Annotated, Any, Final

import anyio
import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harken.errors import RefusedError, TryAgainError
from harken.flow import chatting
from harken.flow.chatting import Chat
from harken.flow.desk import Desk
from harken.flow.ticket_turns import Message
from harken.kit.clock import Clock
from harken.web.auth import sockets
from harken.web.auth.principal import Principal

PAGE: Final[Mapping[str, str]] = {"chat.html": "text/html", "chat.css": "text/css", "chat.js": "text/javascript"}
POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'none'"
)
LOOK_EVERY_S = 0.3
MOST_FRAME, MOST_NAME, MOST_CHATS = 20_000, 200, 500
MESSAGES, WITHIN_S = 20, 60
"""What one connection may say in a while."""

UNKNOWN_CUSTOMER, TOO_MANY, GONE = 4400, 4429, 4401


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    type: Annotated[str, Field(pattern=r"^message$")]
    id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
    text: Annotated[str, Field(min_length=1, max_length=4_000, pattern=r"\S")]


class _Line:
    """One connection."""

    def __init__(self, socket: WebSocket, chat: Chat, principal: Principal, clock: Clock) -> None:
        self._socket, self._chat, self._principal, self._clock = socket, chat, principal, clock
        self._one_at_a_time, self._heard = asyncio.Lock(), deque[float](maxlen=MESSAGES)

    async def talk(self) -> None:
        """Until either side ends it."""
        async with anyio.create_task_group() as both:
            both.start_soon(self._until_gone, self._tell)
            await self._until_gone(self._listen)
            both.cancel_scope.cancel()

    async def _until_gone(self, part: Callable[[], Awaitable[None]]) -> None:
        with suppress(WebSocketDisconnect):
            await part()

    async def _listen(self) -> None:
        while True:
            frame = await self._socket.receive_text()
            said = self._read(frame)
            if said is None:
                await self._send({"type": "refused", "id": None, "detail": "That was no message."})
            elif self._too_fast():
                await self._send(
                    {"type": "refused", "id": said.id, "detail": "That is too fast. Please wait a moment."}
                )
            else:
                await self._hear(said)

    async def _hear(self, said: Said) -> None:
        try:
            async with self._one_at_a_time:
                ticket = await asyncio.to_thread(self._chat.hear, said.id, said.text)
        except (RefusedError, TryAgainError) as refused:
            await self._send({"type": "refused", "id": said.id, "detail": str(refused)})
        else:
            await self._send({"type": "ack", "id": said.id, "conversation": ticket.id, "number": ticket.number})

    async def _tell(self) -> None:
        while not self._is_over():
            async with self._one_at_a_time:
                new, ticket = await asyncio.to_thread(self._chat.news)
            for message in new:
                await self._send(_told(message))
            if ticket:
                await self._send({"type": "status", "text": chatting.whose_turn(ticket), "status": ticket.status})
            await asyncio.sleep(LOOK_EVERY_S)
        await self._socket.close(GONE, "The token has expired.")

    def _is_over(self) -> bool:
        ends = self._principal.expires_at
        return ends is not None and self._clock() >= ends

    def _too_fast(self) -> bool:
        now = self._clock().timestamp()
        full = len(self._heard) == MESSAGES and now - self._heard[0] < WITHIN_S
        if not full:
            self._heard.append(now)
        return full

    def _read(self, frame: str) -> Said | None:
        if len(frame) > MOST_FRAME:
            return None
        try:
            return Said.model_validate_json(frame)
        except ValidationError:
            return None

    async def _send(self, told: Mapping[str, Any]) -> None:
        await self._socket.send_text(orjson.dumps(told).decode())


def router(whole: Desk) -> APIRouter:
    routes = APIRouter(tags=["chat"])
    open_now = 0

    @routes.get("/chat", include_in_schema=False)
    def page() -> Response:
        return _file("chat.html")

    @routes.get("/chat/{name}", include_in_schema=False)
    def part(name: str) -> Response:
        return _file(name) if name in PAGE else Response(status_code=404)

    @routes.websocket("/ws/chat")
    async def chat(socket: WebSocket) -> None:
        nonlocal open_now
        principal = await sockets.admitted(socket)
        if principal is None:
            return None
        customer = principal.customer or socket.query_params.get("customer_id")
        desk = whole.tickets
        if desk is None or not customer or len(customer) > MOST_NAME:
            return await socket.close(UNKNOWN_CUSTOMER, "Say whose chat it is.")
        if open_now >= MOST_CHATS:
            return await socket.close(TOO_MANY, "Too many chats are open here. Try again in a moment.")
        open_now += 1
        try:
            asked = principal.conversation or socket.query_params.get("conversation")
            opened = await asyncio.to_thread(chatting.opened, customer, asked, desk, verified=principal.is_customer)
            await _Line(socket, opened, principal, desk.live.clock).talk()
        except RefusedError as refused:
            await socket.close(sockets.NOT_FROM_THERE, str(refused))
        finally:
            open_now -= 1
        return None

    return routes


def _told(message: Message) -> dict[str, Any]:
    return {
        "type": "message",
        "id": message.id,
        "from": message.author_type,
        "by": message.author,
        "text": message.text,
        "at": message.at.isoformat(),
    }


def _file(name: str) -> Response:
    text = resources.files("harken.web").joinpath("pages", name).read_text("utf-8")
    headers = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
    return Response(text, media_type=PAGE[name], headers=headers)
