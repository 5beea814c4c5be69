"""Who may ask: on loopback everybody who is on this machine, and nobody's web page.

A page in a browser can reach loopback by a name of its own (DNS rebinding) or by a cross-site request, so the Host
must be a loopback name and an Origin, where one is given, must be ours.
"""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Gate:
    """Asks each refusal in turn. Plain ASGI: a middleware of the framework's function kind starts two tasks a request."""

    def __init__(self, app: ASGIApp, refusals: Sequence[Callable[[Request], Response | None]]) -> None:
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope)
            for refuse in self._refusals:
                if refused := refuse(request):
                    return await refused(scope, receive, send)
        return await self._app(scope, receive, send)


def refuse_foreign_hosts(request: Request) -> Response | None:
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    if not (_is_local(f"//{host}") and (origin is None or _is_local(origin))):
        body = {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "Only requests from this machine.",
        }
        return JSONResponse(body, 403, media_type="application/problem+json")
    return None


def _is_local(url: str) -> bool:
    try:
        return urlsplit(url).hostname in LOCAL_NAMES
    except ValueError:
        return False  # `http://[` and the like
