"""A POST with an Idempotency-Key, around its route: its answer is kept before it is sent."""

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harken.errors import HarkenError
from harken.kit.log import logger
from harken.web.auth.idempotency import Answer, Answers, Held
from harken.web.auth.principal import Principal

log = logger(__name__)

_REPLAYED = (b"idempotent-replayed", b"true")


async def once(app: ASGIApp, answers: Answers, key: str, caller: bytes, at: tuple[Scope, Receive, Send]) -> None:
    """Raises Denied where the key is another request's, or under way."""
    scope, receive, send = at
    principal: Principal = scope["state"]["principal"]
    body = await Request(scope, receive).body()
    asked = b"\0".join([scope["method"].encode(), scope["path"].encode(), scope["query_string"], body])
    held = await asyncio.to_thread(answers.begin, principal, caller, key, asked)
    if isinstance(held, Answer):
        return await _send(held, [_REPLAYED], send)
    answer = await _answered(app, answers, held, (scope, _again(body, receive), send))
    try:
        await asyncio.to_thread(answers.finish, held, answer)
    except HarkenError as wrong:  # it was done, and whoever asked hears so; the key is free again in a while
        log.warning("answer_not_kept", why=str(wrong))
    return await _send(answer, [], send)


async def _answered(app: ASGIApp, answers: Answers, held: Held, at: tuple[Scope, Receive, Send]) -> Answer:
    scope, receive, _ = at
    told: list[Message] = []

    async def keep(message: Message) -> None:
        told.append(message)

    try:
        await app(scope, receive, keep)
    except Exception:
        await asyncio.to_thread(answers.release, held)
        raise
    start, *parts = told
    return Answer(start["status"], start.get("headers", ()), b"".join(part.get("body", b"") for part in parts))


async def _send(answer: Answer, more: Sequence[tuple[bytes, bytes]], send: Send) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [each for each in answer.headers if each[0] != length[0]]
    await send({"type": "http.response.start", "status": answer.status, "headers": [*headers, length, *more]})
    await send({"type": "http.response.body", "body": answer.body})


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, and then what really comes."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def told() -> Message:
        return waiting.pop() if waiting else await receive()

    return told
