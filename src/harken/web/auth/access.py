"""A request's route and token -> the principal who may go on, or why not."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from harken.errors import HarkenError
from harken.kit.clock import Clock
from harken.kit.db import Database
from harken.kit.log import logger
from harken.privacy.keys import MasterKey
from harken.web.auth import permissions, revoking, store, tokens
from harken.web.auth.limits import Limits
from harken.web.auth.minting import Mint
from harken.web.auth.permissions import Grant
from harken.web.auth.principal import LOCAL, Principal, Role
from harken.web.auth.reads import Reads
from harken.web.auth.refusals import FLUSH_EVERY_S, Denied, Refusals
from harken.web.auth.routes import Declared
from harken.web.auth.store import Record
from harken.web.auth.tokens import BadTokenError, Issuer

SWEEP_EVERY_S = 60.0
FULL_AFTER = timedelta(minutes=10)
"""A bucket that nobody took from for so long is full, whatever is left in it."""

log = logger(__name__)

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_UNFIT = "This token is not good here: it has expired, was revoked, or was made for something else."


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How this server lets people in. Without an issuer, whoever is on this machine is its admin."""

    issuer: Issuer | None = None
    local_admin: bool = True  #: requests without a token are this machine's own
    public_hosts: frozenset[str] = frozenset()  #: names under which others reach this server
    per_minute: int = 100
    record: Record | None = None  #: None: refusals are counted, and stand in no audit
    mint: Mint | None = None  #: makes tokens for programs; None: somebody else does, or nobody
    read: Record | None = None  #: None: nobody writes down who looked


class Access:
    """Everything that is asked before a route is called."""

    def __init__(
        self, rules: Rules, *, master: MasterKey, clock: Clock, database: Database | None, keyed: bool
    ) -> None:
        self.rules, self.master, self.clock, self.database = rules, master, clock, database
        self.limits = Limits(database, clock, per_minute=rules.per_minute)
        self.refusals = Refusals(master, database, rules.record, clock)
        self.reads = Reads(master, database, rules.read)
        self._keyed = keyed  # a tracking plan names sources and their write keys

    def is_open(self, grant: Grant) -> bool:
        """Nobody need be known: the page is public, or its door looks at write keys itself."""
        return grant.public or (grant.write_key and self._keyed)

    def who(self, authorization: str | None) -> Principal:
        """Raises Denied (401)."""
        if self.needs_no_token(authorization):
            return LOCAL
        issuer = self.rules.issuer
        if issuer is None or authorization is None or not _is_bearer(authorization):
            raise Denied(401, "missing", "Send a token: Authorization: Bearer …", {"WWW-Authenticate": "Bearer"})
        try:
            return tokens.principal(authorization.partition(" ")[2].strip(), issuer, self.clock)
        except BadTokenError as wrong:
            raise Denied(401, wrong.reason, _UNFIT, {"WWW-Authenticate": 'Bearer error="invalid_token"'}) from None

    def needs_no_token(self, authorization: str | None) -> bool:
        """Whoever is on this machine is its admin, and says nothing of a token."""
        return self.rules.local_admin and (self.rules.issuer is None or not _is_bearer(authorization))

    def admit(self, principal: Principal, asked: Declared, grant: Grant) -> Mapping[str, str]:
        """The headers that say what is left. Raises Denied (401 revoked, 403, 429), TryAgainError for a write that
        nobody can count."""
        headers = self._count(principal, asked)
        if not principal.roles & grant.roles:
            raise Denied(403, "role", f"This is not for the role {principal.role}.")
        if principal.scopes is not None and grant.scope not in principal.scopes:
            raise Denied(
                403, "scope", f"This token's scope lacks {grant.scope}.",
                {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{grant.scope}"'},
            )  # fmt: skip
        if grant.own and not principal.may_see(str(asked.parts.get(grant.own, ""))):
            raise Denied(403, "owner", "A customer sees what is their own.")
        return headers

    def caller(self, principal: Principal) -> bytes:
        """Whose bucket and whose keys: a customer's, whichever token they come with; else the subject's."""
        whose = f"customer:{principal.customer}" if Role.CUSTOMER in principal.roles else f"subject:{principal.subject}"
        return self.master.fingerprint("caller", whose.encode())

    async def sweep_now_and_then(self) -> None:
        """Until cancelled."""
        while self.database is not None:
            await asyncio.sleep(SWEEP_EVERY_S)
            try:
                await asyncio.to_thread(self.sweep, self.database)
            except HarkenError as wrong:
                log.warning("sweep_waits", why=str(wrong))

    async def write_counts_now_and_then(self) -> None:
        """Until cancelled."""
        while self.database is not None:
            await asyncio.sleep(FLUSH_EVERY_S)
            await asyncio.to_thread(self.refusals.flush)

    def sweep(self, database: Database) -> None:
        """Forget what has expired."""
        now = self.clock()
        with database.transaction() as tx:
            store.sweep(tx, now, now - FULL_AFTER)

    def _count(self, principal: Principal, asked: Declared) -> Mapping[str, str]:
        if principal.local:
            return {}
        writes = asked.method not in _READS
        taken = self.limits.take(
            self.caller(principal), revoking.digest(self.master, principal.token_id), writes=writes
        )
        headers = self.limits.headers(taken)
        if taken.revoked:
            raise Denied(401, "revoked", _UNFIT, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if taken.left is None:
            wait = {"Retry-After": str(max(1, -int(-taken.wait_s // 1)))}
            raise Denied(429, "rate", f"{self.rules.per_minute} requests a minute are allowed.", {**wait, **headers})
        return headers


def _is_bearer(authorization: str | None) -> bool:
    return (authorization or "").partition(" ")[0].lower() == "bearer"


def of(method: str, route: str) -> Grant:
    """Raises Denied (403) for a route whose permission nobody declared."""
    grant = permissions.of(method, route)
    if grant is None:
        raise Denied(403, "undeclared", "Nobody has said who may use this, so nobody may.")
    return grant
