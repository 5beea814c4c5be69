"""Requests -> sentences -> answers, and errors -> problem+json (RFC 9457)."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from harken import __version__
from harken.audit import store as audit
from harken.errors import HarkenError, RefusedError, TryAgainError
from harken.flow import segmenting
from harken.flow.desk import Desk
from harken.flow.inbox import Inbox
from harken.flow.keeping import keep
from harken.flow.pool import Seat
from harken.kit.clock import stopwatch
from harken.kit.log import logger
from harken.web import (
    actions,
    chat,
    events,
    health,
    knowledge,
    metrics,
    oauth,
    predict,
    profiles,
    segments,
    suggestions,
    tickets,
)
from harken.web.auth import sockets
from harken.web.auth.access import Access, Rules
from harken.web.auth.door import Door
from harken.web.auth.principal import NotYoursError
from harken.web.auth.refusals import Denied
from harken.web.described import describe
from harken.web.guests import Gate, foreign_hosts
from harken.web.problems import problem
from harken.web.ticket_rights import NotTheirsError

log = logger(__name__)

MAX_BODY_BYTES = 100_000
ANY_ROUTE = "*"


def app_of(desk: Desk, rules: Rules | None = None) -> FastAPI:
    """The application for one store. Without rules, requests are this machine's own and need no token."""
    seat = Seat(desk.bench)
    inbox = Inbox(desk.live) if desk.live else None
    access = access_to(desk, rules or Rules())

    app = FastAPIOffline(  # /docs and /redoc with scripts of our own: no third party learns who reads them
        lifespan=_while_serving(desk, seat, inbox, access),
        title="Harken",
        version=__version__,
        description="From what customers say to the next best action, explained and on record. "
        "Every POST takes an Idempotency-Key: the same request with the same key is done once and answered alike.",
    )
    app.state.desk, app.state.access, app.state.uptime = desk, access, stopwatch()
    for routes in (
        health.router,
        predict.router(desk, seat),
        events.router(desk, inbox),
        profiles.router(desk, seat),
        segments.router(desk, seat),
        knowledge.router(desk.library),
        actions.router(desk),
        tickets.router(desk),
        suggestions.router(desk),
        chat.router(desk),
        sockets.router(access),
        oauth.router(access),
        metrics.router(desk),
    ):
        app.include_router(routes)
    _guard(app, access)
    setattr(app, "openapi", describe(app, access, desk))  # noqa: B010  the framework's own way, which no type allows
    return app


def _while_serving(
    desk: Desk, seat: Seat, inbox: Inbox | None, access: Access
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What works beside the requests, from the first to the last."""

    @asynccontextmanager
    async def while_serving(app: FastAPI) -> AsyncIterator[None]:
        ended = threading.Event()
        writing = asyncio.create_task(inbox.work()) if inbox else None
        following = _following(desk, seat, ended) if inbox else None
        tidying = [
            asyncio.create_task(each()) for each in (access.sweep_now_and_then, access.write_counts_now_and_then)
        ]
        yield
        ended.set()
        for each in tidying:
            each.cancel()
        await asyncio.to_thread(access.refusals.flush)
        if writing:
            writing.cancel()
        if following:
            await asyncio.to_thread(following.join)
        await seat.let_the_writer_go()

    return while_serving


def _guard(app: FastAPI, access: Access) -> None:
    """What a request passes on its way in, the last named first, and how what goes wrong is told."""
    app.add_middleware(Door, inside=app, rules=access)
    app.add_middleware(Gate, refusals=(_refuse_large_bodies, _strangers(access)))
    app.add_middleware(metrics.Timed)
    app.add_exception_handler(HarkenError, _on_harken)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(Exception, _on_bug)


def _strangers(access: Access) -> Callable[[Request], Response | None]:
    refuse = foreign_hosts(access.rules.public_hosts)

    def told(request: Request) -> Response | None:
        if refused := refuse(request):
            access.refusals.count(Denied(refused.status_code, "host", ""), request.method, ANY_ROUTE)
        return refused

    return told


def _following(desk: Desk, seat: Seat, ended: threading.Event) -> threading.Thread:
    """Segments follow the log beside the requests."""
    step = segmenting.Follower(desk, seat.policy).step
    told = (step, ended.wait, lambda line: log.warning("segments_wait", why=line))
    thread = threading.Thread(target=keep, args=told, name="segments")
    thread.start()
    return thread


def access_to(desk: Desk, rules: Rules) -> Access:
    """Callers are counted, and answers kept, where events come one by one."""
    live = desk.live
    return Access(
        replace(rules, record=rules.record or audit.record, read=rules.read or audit.record_unwaited),
        master=desk.bench.master,
        clock=desk.bench.clock,
        database=live.database if live else None,
        keyed=live is not None and live.open_door().plan is not None,
    )


def _refuse_large_bodies(request: Request) -> Response | None:
    declared = request.headers.get("content-length")
    most = events.MAX_BATCH_BYTES if request.url.path == events.BATCH else MAX_BODY_BYTES
    if declared is not None and (not declared.isdigit() or int(declared) > most):
        return problem(413, f"A request may have {most:,} bytes at most.")
    if declared is None and "transfer-encoding" in request.headers:
        return problem(411, "Say how long the request is: Content-Length is missing.")
    return None


async def _on_harken(request: Request, error: Exception) -> Response:
    if isinstance(error, TryAgainError):
        return problem(503, str(error), {"Retry-After": str(max(1, round(error.after_s)))})
    if isinstance(error, NotTheirsError | NotYoursError):
        request.state.refusal = "owner"  # for the audit; a customer may be told that there is nothing
    if isinstance(error, RefusedError):
        return problem(error.status, str(error))
    return await _on_bug(request, error)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), dict(error.headers or {}))


async def _on_invalid(request: Request, error: Exception) -> Response:
    """Names the field and what is wrong with it; never repeats the value."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
    return problem(422, f"{where}: {first['msg'].removeprefix('Value error, ')}")


async def _on_bug(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, exc_info=error)
    return problem(500, "Something went wrong on our side; the log says what. Nothing was changed.")
