"""Programs of the organisation's that fetch their tokens here (OAuth 2.0, client credentials): added, shown, refused."""

import hmac
import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from harken.audit import store as audit
from harken.errors import UnsuitableError
from harken.flow.desk import Desk, LiveDesk
from harken.kit.db import Database
from harken.privacy.keys import MasterKey
from harken.web.auth import permissions, store
from harken.web.auth.principal import Role

SECRET_BYTES = 32
ADDED, REVOKED = "token.client_added", "token.client_revoked"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What its tokens are good for. `customer` is there exactly where one of the roles is `customer`."""

    id: str
    roles: Sequence[str]
    scopes: Sequence[str] | None = None  #: None: whatever the roles may
    jurisdictions: Sequence[str] = ()
    customer: str | None = None
    minutes: int = 10
    added_at: datetime | None = None
    revoked_at: datetime | None = None

    def granted(self, asked: Sequence[str]) -> list[str] | None:
        """The scopes of a token that asks for these, or for none by name; None: no limit. Raises UnsuitableError."""
        if not asked:
            return None if self.scopes is None else sorted(self.scopes)
        allowed = scopes_of(self.roles) if self.scopes is None else set(self.scopes)
        if beyond := sorted(set(asked) - allowed):
            raise UnsuitableError(f"This client has no scope {beyond[0]}.")
        return sorted(set(asked))


def scopes_of(roles: Sequence[str]) -> set[str]:
    """Every scope that the table of permissions has for one of these roles."""
    known = {Role(each) for each in roles}
    return {grant.scope for grant in permissions.TABLE.values() if grant.scope and grant.roles & known}


def add(client: Client, desk: Desk) -> str:
    """Its secret, which nobody can show again. Raises UnsuitableError for one that there is, or that cannot be."""
    live = _live(desk)
    _refuse_unfit(client)
    secret = urlsafe_b64encode(os.urandom(SECRET_BYTES)).rstrip(b"=").decode()
    with live.database.transaction() as tx:
        if not store.add_client(tx, client, _digest(live.master, client.id, secret), live.clock()):
            raise UnsuitableError(f"There is a client {client.id} already, or was one: names are not used twice.")
        body: audit.Body = {
            "client": client.id,
            "roles": tuple(client.roles),
            "scopes": tuple(client.scopes) if client.scopes is not None else None,
            "minutes": client.minutes,
        }
        audit.record(tx, f"local:{desk.who}"[:200], ADDED, body)
    return secret


def listed(desk: Desk) -> list[Client]:
    with _live(desk).database.statement() as tx:
        return [Client(**row) for row in store.clients(tx)]


def revoke(id_: str, desk: Desk) -> Client:
    """It gets no token from now on; those that it has end within its minutes. Raises UnsuitableError."""
    live = _live(desk)
    with live.database.transaction() as tx:
        row = store.revoke_client(tx, id_, live.clock())
        if row is None:
            raise UnsuitableError(f"There is no client {id_}, or it was revoked before.")
        audit.record(tx, f"local:{desk.who}"[:200], REVOKED, {"client": id_})
    return Client(**row)


def authenticated(id_: str, secret: str, database: Database, master: MasterKey) -> Client | None:
    """None: nobody of that name has that secret; it takes as long whichever of the two is wrong."""
    with database.statement() as tx:
        row = store.client(tx, id_)
    kept = row.pop("secret") if row else b""
    right = hmac.compare_digest(_digest(master, id_, secret), kept or bytes(16))
    return Client(**row) if row and kept and right and row["revoked_at"] is None else None


def _digest(master: MasterKey, id_: str, secret: str) -> bytes:
    """A secret of 32 random bytes cannot be tried out: no slow digest is needed, and the key is not in the database."""
    return master.fingerprint("oauth client", f"{id_}\n{secret}".encode())


def _live(desk: Desk) -> LiveDesk:
    if desk.live is None:
        raise UnsuitableError("Clients are kept in PostgreSQL; this store keeps none.")
    return desk.live


def _refuse_unfit(client: Client) -> None:
    if not NAME.fullmatch(client.id):
        raise UnsuitableError("A client's name has small letters, digits, dots, dashes and underscores, 64 at most.")
    if (Role.CUSTOMER in client.roles) != (client.customer is not None):
        raise UnsuitableError("The role customer and --customer, whose things its tokens open, come together.")
    if beyond := sorted(set(client.scopes or ()) - scopes_of(client.roles)):
        raise UnsuitableError(
            f"{', '.join(client.roles)} may nothing of the scope {beyond[0]}. See docs/howto/access.md."
        )
