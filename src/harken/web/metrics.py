"""`GET /metrics`: what Prometheus reads; and how long each request took."""

import asyncio

from fastapi import APIRouter, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harken.flow import watching
from harken.flow.desk import Desk
from harken.kit import observe
from harken.kit.clock import stopwatch

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = ""


def router(desk: Desk) -> APIRouter:
    routes = APIRouter(tags=["metrics"])

    @routes.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Prometheus' text format. The names are in the reference."""
        page = await asyncio.to_thread(lambda: observe.page(watching.readings(desk)))
        return Response(page, media_type=observe.CONTENT_TYPE)

    return routes


class Timed:
    """Plain ASGI, around everything: also what was refused at the gate is a request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        elapsed, status = stopwatch(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            _measure(scope, status, elapsed())
        return None


def _measure(scope: Scope, status: int, seconds: float) -> None:
    """By the route's own pattern: a path may name a customer."""
    method = scope["method"]
    observe.measure(
        observe.HTTP_SECONDS,
        seconds,
        http_request_method=method if method in _METHODS else "_OTHER",
        http_route=getattr(scope.get("route"), "path", NO_ROUTE),
        http_response_status_code=str(status),
    )
