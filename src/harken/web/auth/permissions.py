"""Each route -> who may use it. A route that is not here is refused, and fails a test."""

from collections.abc import Mapping
from dataclasses import dataclass

from harken.web.auth.principal import STAFF, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token needs one of the roles, and the scope where it says any scopes at all."""

    scope: str = ""
    roles: frozenset[Role] = frozenset()
    own: str = ""  #: the part of the path that says whose it is: a customer may say themselves only
    own_in_body: bool = False  #: the body says whose it is, and the route asks `Principal.see`
    write_key: bool = False  #: a tracking plan's write key is enough, and its source's own limits hold
    public: bool = False
    personal: bool = True
    """What is answered may be about a customer: whoever else is shown it leaves a line in the audit."""


PUBLIC = Grant(public=True, personal=False)

_PROGRAMS = frozenset({Role.SERVICE, Role.ADMIN})
_WORKERS = STAFF | {Role.SERVICE}
_LEADS = frozenset({Role.LEAD, Role.COMPLIANCE, Role.ADMIN})
_ALL = frozenset(Role)

_READ_TICKETS = Grant(scope="tickets:read", roles=_ALL)
_OPEN_TICKETS = Grant(scope="tickets:write", roles=_ALL, own_in_body=True)
_WRITE_TICKETS = Grant(scope="tickets:write", roles=_ALL)
_WORK_TICKETS = Grant(scope="tickets:work", roles=_WORKERS)

_DECIDE = Grant(scope="actions:decide", roles=STAFF)
"""Which of them may decide what, the action's own file says."""


def _tickets(prefix: str) -> dict[tuple[str, str], Grant]:
    """Whose ticket it is, is known when it was read: the doors ask `Principal.see`."""
    one = f"{prefix}/{{id}}"
    worked = [("POST", each) for each in ("notes", "merge", "split")]
    worked += [("PUT", each) for each in ("status", "priority", "owner", "tags", "snooze")]
    return {
        ("GET", prefix): _READ_TICKETS,
        ("POST", prefix): _OPEN_TICKETS,
        ("GET", one): _READ_TICKETS,
        ("POST", f"{one}/messages"): _WRITE_TICKETS,
        ("GET", f"{one}/changes"): Grant(scope="tickets:read", roles=_WORKERS),
        **{(method, f"{one}/{what}"): _WORK_TICKETS for method, what in worked},
    }


TABLE: Mapping[tuple[str, str], Grant] = {
    ("GET", "/health"): PUBLIC,
    ("GET", "/docs"): PUBLIC,
    ("GET", "/docs/oauth2-redirect"): PUBLIC,
    ("GET", "/redoc"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/static-offline-docs"): PUBLIC,
    ("POST", "/oauth/token"): PUBLIC,
    ("GET", "/oauth/keys"): PUBLIC,
    ("GET", "/.well-known/oauth-authorization-server"): PUBLIC,
    ("GET", "/metrics"): Grant(scope="metrics:read", roles=_PROGRAMS, personal=False),
    ("POST", "/predict_nba"): Grant(scope="decisions:make", roles=_WORKERS),
    ("POST", "/api/v1/events"): Grant(scope="events:write", roles=_PROGRAMS, write_key=True, personal=False),
    ("POST", "/api/v1/events/batch"): Grant(scope="events:write", roles=_PROGRAMS, write_key=True, personal=False),
    ("GET", "/api/v1/profiles/{customer}"): Grant(scope="profiles:read", roles=_ALL, own="customer"),
    ("GET", "/api/v1/profiles/{customer}/changes"): Grant(scope="profiles:read", roles=_WORKERS),
    ("POST", "/api/v1/profiles:batch"): Grant(scope="profiles:read", roles=_WORKERS),
    ("GET", "/api/v1/segments"): Grant(scope="segments:read", roles=_WORKERS, personal=False),
    ("PUT", "/api/v1/segments/{name}"): Grant(scope="segments:write", roles=_LEADS, personal=False),
    ("DELETE", "/api/v1/segments/{name}"): Grant(scope="segments:write", roles=_LEADS, personal=False),
    ("GET", "/api/v1/segments/{name}/members"): Grant(scope="segments:read", roles=_WORKERS),
    ("GET", "/api/v1/segments/{name}/changes"): Grant(scope="segments:read", roles=_WORKERS),
    ("POST", "/api/v1/knowledge/search"): Grant(scope="knowledge:read", roles=_ALL),
    ("GET", "/api/v1/knowledge/document"): Grant(scope="knowledge:read", roles=_ALL),
    ("GET", "/api/v1/knowledge/passages"): Grant(scope="knowledge:read", roles=_ALL),
    **_tickets("/api/v1/tickets"),
    **_tickets("/api/v1/conversations"),
    ("GET", "/api/v1/actions"): Grant(scope="actions:read", roles=STAFF),
    ("GET", "/api/v1/actions/{id}"): Grant(scope="actions:read", roles=STAFF),
    ("POST", "/api/v1/actions/{id}/approve"): _DECIDE,
    ("POST", "/api/v1/actions/{id}/deny"): _DECIDE,
    ("PUT", "/api/v1/actions/{id}/arguments"): _DECIDE,
    ("GET", "/api/v1/outbox"): Grant(scope="actions:read", roles=STAFF),
    ("POST", "/api/v1/outbox/{id}/decide"): Grant(scope="actions:decide", roles=_LEADS),
    ("GET", "/chat"): PUBLIC,
    ("GET", "/chat/{name}"): PUBLIC,
    ("POST", "/api/v1/chat/tickets"): Grant(scope="chat:use", roles=_ALL, own_in_body=True),
    ("WEBSOCKET", "/ws/chat"): Grant(scope="chat:use", roles=_ALL),
}


def of(method: str, path: str) -> Grant | None:
    """`path` as the route declares it. What may be got may be asked for its head."""
    return TABLE.get(("GET" if method == "HEAD" else method, path))
