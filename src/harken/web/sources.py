"""A request -> which source of the tracking plan sent it, and whether it may send more just now."""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException

from harken.eventlog.plan import Plan, Source
from harken.kit.clock import stopwatch

BURST_S = 2.0
"""A source may send this many seconds' worth at once."""

LOCAL = "api"
"""Whose events they are where no tracking plan names sources."""


class Bucket:
    """Tokens of one source. A batch may take more than are left; what it owes is waited for by the next."""

    def __init__(self, per_second: float, seconds: Callable[[], float]) -> None:
        self._rate, self._seconds = per_second, seconds
        self._most = max(1.0, per_second * BURST_S)
        self._left, self._at = self._most, seconds()

    def wait_s(self, events: int) -> float:
        """Take them and return 0, or take none and return how long until the next may come."""
        now = self._seconds()
        self._left, self._at = min(self._most, self._left + (now - self._at) * self._rate), now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= events
        return 0.0


class Senders:
    """The sources of a plan, each with what it has left."""

    def __init__(self, plan: Plan | None, seconds: Callable[[], float] | None = None) -> None:
        self._plan = plan
        clock = seconds or stopwatch()
        self._buckets = {
            name: Bucket(source.events_per_second, clock) for name, source in (plan.sources.items() if plan else ())
        }

    def sender(self, request: Request, body: Any) -> Source | None:
        """None: there is no plan. Raises 401 where the write key is missing or nobody's."""
        if self._plan is None:
            return None
        found = self._plan.source_of(_key(request, body))
        if found is None:
            raise HTTPException(
                401,
                "Send the source's write key: as the user of Basic authentication, or as a Bearer token.",
                {"WWW-Authenticate": 'Basic realm="write key"'},
            )
        return found

    def take(self, source: Source | None, events: int) -> None:
        """Raises 429 where the source sent more than its plan allows."""
        if source and (wait_s := self._buckets[source.name].wait_s(events)):
            raise HTTPException(
                429,
                f"The source {source.name} may send {source.events_per_second:g} events a second. Nothing of this was kept.",
                {"Retry-After": str(max(1, round(wait_s + 0.5)))},
            )


def _key(request: Request, body: Any) -> str:
    """As Segment's libraries send it: the user of Basic authentication, a Bearer token, or `writeKey` in the body."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(given, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    key = body.get("writeKey") if isinstance(body, dict) else None
    return key if isinstance(key, str) else ""
