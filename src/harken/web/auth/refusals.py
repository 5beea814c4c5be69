"""Who was turned away -> a metric each, and a line in the audit or a count in one, within bounds that a flood cannot push."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from harken.errors import HarkenError
from harken.kit import observe
from harken.kit.clock import Clock, stopwatch
from harken.kit.db import Database
from harken.kit.log import logger
from harken.privacy.keys import MasterKey
from harken.web.auth.principal import Principal
from harken.web.auth.store import Record

log = logger(__name__)

REFUSED, REFUSED_MANY = "access.refused", "access.refused_many"
NOBODY, OTHERS, ACTOR = "nobody", "others", "system:door"
RECORDED_PER_S, RECORDED_BURST = 5.0, 100.0
"""Beyond this, refusals are counted by who, why and where, and the counts written."""

FLUSH_EVERY_S = 10.0
MOST_KINDS, KINDS_AN_EVENT = 2_000, 200


class Denied(Exception):
    """Not for this caller. `reason` is one of a closed set; `detail` is told to the caller."""

    def __init__(self, status: int, reason: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.detail = status, reason, detail
        self.headers = dict(headers or {})


def token_of(master: MasterKey, principal: Principal | None) -> str:
    """Who it was, for those who may compare: a subject is often an e-mail address."""
    if principal is None:
        return NOBODY
    return f"{principal.role}:{master.fingerprint('principal', principal.subject.encode()).hex()}"


class Refusals:
    """Each is in the audit: by itself, or within a flood as one of so many in a count that is written every few seconds."""

    def __init__(
        self, master: MasterKey, database: Database | None, record: Record | None, clock: Clock, seconds: Callable[[], float] | None = None
    ) -> None:  # fmt: skip
        self._master, self._database, self._record, self._clock = master, database, record, clock
        self._seconds = seconds or stopwatch()
        self._left, self._at = RECORDED_BURST, self._seconds()
        self._turn, self._counted, self._since = threading.Lock(), Counter[_Kind](), clock()

    def tell(self, denied: Denied, who: Principal | None, method: str, route: str) -> None:
        """`route` as declared: a path may name a customer. Never fails the refusal itself."""
        kind = _kind(token_of(self._master, who), denied, method, route)
        _measure(denied, who)
        if self._database is None or self._record is None:
            return None
        if not self._may_record():
            return self._count(kind)
        try:
            with self._database.transaction() as tx:
                self._record(tx, kind.who, REFUSED, kind.said())
        except HarkenError as wrong:
            self._count(kind)
            log.warning("refusal_waits", why=str(wrong))

    def count(self, denied: Denied, method: str, route: str) -> None:
        """As `tell`, of nobody that we know, for whoever must not wait for a database."""
        _measure(denied, None)
        if self._database is not None and self._record is not None:
            self._count(_kind(NOBODY, denied, method, route))

    def flush(self) -> None:
        """Write what was only counted so far. What cannot be written stays counted."""
        with self._turn:
            counted, since, self._counted, self._since = self._counted, self._since, Counter(), self._clock()
        if not counted or self._database is None or self._record is None:
            return
        try:
            with self._database.transaction() as tx:
                for some in _batches(sorted(counted.items())):
                    self._record(tx, ACTOR, REFUSED_MANY, self._said(some, since))
        except HarkenError as wrong:
            with self._turn:
                self._counted.update(counted)
                self._since = since
            log.warning("refusals_wait", why=str(wrong))

    def _said(self, some: Sequence[tuple["_Kind", int]], since: datetime) -> dict[str, Any]:
        refusals = [{"who": kind.who, **kind.said(), "times": times} for kind, times in some]
        until = self._clock().isoformat()
        return {
            "since": since.isoformat(),
            "until": until,
            "times": sum(times for _, times in some),
            "refusals": refusals,
        }

    def _count(self, kind: "_Kind") -> None:
        with self._turn:
            full = len(self._counted) >= MOST_KINDS and kind not in self._counted
            self._counted[kind._replace(who=OTHERS, route=OTHERS) if full else kind] += 1

    def _may_record(self) -> bool:
        with self._turn:
            now = self._seconds()
            self._left, self._at = min(RECORDED_BURST, self._left + (now - self._at) * RECORDED_PER_S), now
            if self._left < 1:
                return False
            self._left -= 1
            return True


class _Kind(NamedTuple):
    """What refusals have in common that are counted together."""

    who: str
    status: int
    reason: str
    method: str
    route: str

    def said(self) -> dict[str, Any]:
        return {"status": self.status, "reason": self.reason, "method": self.method, "route": self.route}


def _kind(who: str, denied: Denied, method: str, route: str) -> _Kind:
    return _Kind(who, denied.status, denied.reason, method, route)


def _measure(denied: Denied, who: Principal | None) -> None:
    if denied.status == 429:
        observe.add(observe.RATE_LIMITED, scope=who.role.value if who else NOBODY)
    else:
        observe.add(observe.AUTH_FAILURES, reason=denied.reason)


def _batches(counted: list[tuple[_Kind, int]]) -> Iterator[list[tuple[_Kind, int]]]:
    """An event's body has a largest size."""
    for start in range(0, len(counted), KINDS_AN_EVENT):
        yield counted[start : start + KINDS_AN_EVENT]
