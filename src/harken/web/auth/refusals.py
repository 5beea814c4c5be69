"""Who was turned away -> a metric each, and a line in the audit, within bounds that a flood cannot push."""

from collections.abc import Callable, Mapping

from harken.errors import HarkenError
from harken.kit import observe
from harken.kit.clock import stopwatch
from harken.kit.db import Database
from harken.kit.log import logger
from harken.privacy.keys import MasterKey
from harken.web.auth.principal import Principal
from harken.web.auth.store import Record

log = logger(__name__)

REFUSED = "access.refused"
NOBODY = "nobody"
RECORDED_PER_S, RECORDED_BURST = 5.0, 100.0
"""Beyond this, refusals are counted, and the next one that is recorded says how many went before it."""


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
    def __init__(
        self, master: MasterKey, database: Database | None, record: Record | None, seconds: Callable[[], float] | None = None
    ) -> None:  # fmt: skip
        self._master, self._database, self._record = master, database, record
        self._seconds = seconds or stopwatch()
        self._left, self._at, self._unrecorded = RECORDED_BURST, self._seconds(), 0

    def tell(self, denied: Denied, who: Principal | None, method: str, route: str) -> None:
        """`route` as declared: a path may name a customer. Never fails the refusal itself."""
        if denied.status == 429:
            observe.add(observe.RATE_LIMITED, scope=who.role.value if who else NOBODY)
        else:
            observe.add(observe.AUTH_FAILURES, reason=denied.reason)
        if self._database is None or self._record is None or not self._may_record():
            return
        body = {
            "status": denied.status,
            "reason": denied.reason,
            "method": method,
            "route": route,
            "unrecorded": self._unrecorded,
        }
        try:
            with self._database.transaction() as tx:
                self._record(tx, token_of(self._master, who), REFUSED, body)
            self._unrecorded = 0
        except HarkenError as wrong:
            self._unrecorded += 1
            log.warning("refusal_not_recorded", why=str(wrong))

    def _may_record(self) -> bool:
        now = self._seconds()
        self._left, self._at = min(RECORDED_BURST, self._left + (now - self._at) * RECORDED_PER_S), now
        if self._left < 1:
            self._unrecorded += 1
            return False
        self._left -= 1
        return True
