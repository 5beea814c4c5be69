"""From where somebody may ask: this machine or this server's own names, and nobody else's web page.

A page in a browser can reach loopback by a name of its own (DNS rebinding) or by a cross-site request, so the Host
must be a loopback name and an Origin, where one is given, must be ours.
"""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from harken.web.problems import problem

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


def foreign_hosts(public: frozenset[str]) -> Callable[[Request], Response | None]:
    """Refuses what did not come to this server's own names. `public` beside those of this machine; `*`: any."""

    def refuse(request: Request) -> Response | None:
        if is_welcome(request.headers, public):
            return None
        return problem(
            403, "This server does not answer to that name." if public else "Only requests from this machine."
        )

    return refuse


def is_welcome(headers: Headers, public: frozenset[str]) -> bool:
    if "*" in public:
        return True
    host, origin = headers.get("host", ""), headers.get("origin")
    return _is_ours(f"//{host}", public) and (origin is None or _is_ours(origin, public))


def _is_ours(url: str, public: frozenset[str]) -> bool:
    try:
        name = urlsplit(url).hostname
    except ValueError:
        return False  # `http://[` and the like
    return name in LOCAL_NAMES or name in public
