"""Who looked at what of whose -> a line in the audit, before the answer leaves.

Everybody but the customer themselves: people of the desk, this machine's own user, other programs. What nobody can write
down is not shown.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Scope

from harken.flow.looking import READ
from harken.kit.db import Database
from harken.privacy.audited import customer_token
from harken.privacy.keys import MasterKey
from harken.web.auth.principal import Principal, full_identity
from harken.web.auth.refusals import token_of
from harken.web.auth.routes import Declared
from harken.web.auth.store import Record

ABOUT = "about"
"""The state of a request: customers that its body named, which the route says."""

_CUSTOMER, _OF_CUSTOMER = "customer", "filter[customer]"


class Reads:
    def __init__(self, master: MasterKey, database: Database | None, record: Record | None) -> None:
        self._master, self._database, self._record = master, database, record

    def tell(self, who: Principal, asked: Declared, scope: Scope) -> None:
        """Nothing of a customer who looks at their own. Raises TryAgainError: then nothing may be shown."""
        if who.is_customer or self._database is None or self._record is None:
            return
        body: dict[str, Any] = {"method": asked.method, "route": asked.path, "token": self._token(who)}
        body |= {name: str(value) for name, value in asked.parts.items() if name != _CUSTOMER}
        if customers := _named(asked, scope):
            body["customers"] = sorted({customer_token(self._master, full_identity(each)) for each in customers})
        with self._database.statement() as tx:
            self._record(tx, token_of(self._master, who), READ, body)

    def _token(self, who: Principal) -> str:
        """Of this very token: which of a person's many it was, and which one to revoke."""
        return self._master.fingerprint("token", who.token_id.encode()).hex() if who.token_id else ""


def about(state: Any, *customers: str) -> None:
    """Of a request whose body says whom it is about."""
    setattr(state, ABOUT, customers)


def _named(asked: Declared, scope: Scope) -> Sequence[str]:
    state: Mapping[str, Any] = scope.get("state", {})
    path = [str(asked.parts[_CUSTOMER])] if _CUSTOMER in asked.parts else []
    query = parse_qs(scope.get("query_string", b"").decode("latin-1")).get(_OF_CUSTOMER, [])
    return [each for each in (*path, *query, *state.get(ABOUT, ())) if each]
