"""`/oauth/token`: a program shows its secret and gets a token for some minutes (RFC 6749, client credentials).

For an installation that is its own identity provider. Whoever has another one gets no token here.
"""

import asyncio
import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from harken.errors import RefusedError, UnsuitableError
from harken.web.auth import clients, minting, permissions, revoking
from harken.web.auth.access import Access
from harken.web.auth.clients import Client
from harken.web.auth.minting import Bearer, Mint
from harken.web.problems import problem

TOKEN, METADATA, KEYS = "/oauth/token", "/.well-known/oauth-authorization-server", "/oauth/keys"
FORM = "application/x-www-form-urlencoded"
GRANT = "client_credentials"
ISSUED = "token.issued"
MOST_BYTES, MOST_FIELDS = 8_192, 20
_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class NoIssuerError(RefusedError):
    """No tokens are made here: an identity provider of the organisation's makes them, or nobody does."""

    status = 404


class OAuthToken(BaseModel):
    access_token: str
    token_type: str = "Bearer"
    expires_in: int  #: seconds
    scope: str | None = None  #: absent: all that the client's roles may


class OAuthError(BaseModel):
    """RFC 6749, section 5.2."""

    error: str
    error_description: str


class Issuing(BaseModel):
    """RFC 8414."""

    issuer: str
    token_endpoint: str
    jwks_uri: str | None = None
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    response_types_supported: list[str]
    scopes_supported: list[str]


class _NoError(Exception):
    """A request that gets no token, with one of the standard's words."""

    def __init__(self, error: str, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.error, self.status = error, status

    def response(self) -> Response:
        headers = _NOT_KEPT | ({"WWW-Authenticate": 'Basic realm="oauth"'} if self.status == 401 else {})
        return JSONResponse({"error": self.error, "error_description": str(self)}, self.status, headers)


_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "enum": [GRANT]},
                        "scope": {"type": "string", "description": "Words with spaces between; absent: all of the client's."},
                        "client_id": {"type": "string", "description": "With client_secret, instead of Basic authentication."},
                        "client_secret": {"type": "string"},
                    },
                }
            }
        },
    }
}  # fmt: skip
_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": OAuthError, "description": "Not a request for a token, or for a scope that the client has not."},
    401: {"model": OAuthError, "description": "No such client, or not its secret."},
    429: {"description": "Too fast."},
}


class _Door:
    def __init__(self, access: Access) -> None:
        self._access = access

    async def token(self, request: Request) -> Response:
        """A token for a client: `grant_type=client_credentials`, its name and secret as Basic authentication or in the form."""
        mint = self._mint()
        try:
            form = await _form(request)
            id_, secret = _shown(request.headers.get("authorization"), form)
            if form.get("grant_type") != GRANT:
                known = "grant_type" in form
                raise _NoError("unsupported_grant_type" if known else "invalid_request", f"Say grant_type={GRANT}.")
            return await asyncio.to_thread(self._issued, mint, (id_, secret), form.get("scope", ""), request)
        except _NoError as no:
            if no.status == 401:
                request.state.refusal = "client"
            return no.response()

    def _issued(self, mint: Mint, shown: tuple[str, str], scope: str, request: Request) -> Response:
        access = self._access
        if access.database is None:
            raise NoIssuerError
        found = clients.authenticated(*shown, access.database, access.master)
        address = request.client.host if request.client else ""
        whose = f"client:{found.id}" if found else f"stranger:{address}"
        taken = access.limits.take(access.master.fingerprint("oauth", whose.encode()), b"", writes=True)
        if taken.left is None:
            wait = {"Retry-After": str(max(1, -int(-taken.wait_s // 1)))}
            return problem(429, f"{access.rules.per_minute} requests a minute are allowed.", wait)
        if found is None:
            raise _NoError("invalid_client", "No client of this name has this secret.", 401)
        try:
            scopes = found.granted(scope.split())
        except UnsuitableError as beyond:
            raise _NoError("invalid_scope", str(beyond)) from None
        return self._made(mint, found, scopes)

    def _made(self, mint: Mint, client: Client, scopes: list[str] | None) -> Response:
        access = self._access
        bearer = Bearer(
            subject=f"client:{client.id}", roles=client.roles, jurisdictions=client.jurisdictions,
            customer=client.customer, scopes=scopes, client=client.id,
        )  # fmt: skip
        token, id_ = mint.token(bearer, access.clock(), client.minutes)
        body = {"client": client.id, "token": revoking.digest(access.master, id_).hex(), "minutes": client.minutes}
        assert access.database is not None
        if access.rules.record is not None:
            with access.database.transaction() as tx:
                said = {**body, "scopes": scopes}
                access.rules.record(tx, f"client:{client.id}", ISSUED, said)
        scope = None if scopes is None else " ".join(scopes)
        made = OAuthToken(access_token=token, expires_in=client.minutes * 60, scope=scope)
        return JSONResponse(made.model_dump(exclude_none=True), headers=_NOT_KEPT)

    async def metadata(self, request: Request) -> Response:
        """Where tokens are fetched, and how."""
        mint = self._mint()
        here = mint.issuer if mint.issuer.startswith("https://") else str(request.base_url)
        base = here.rstrip("/")
        told = Issuing(
            issuer=mint.issuer,
            token_endpoint=base + TOKEN,
            jwks_uri=base + KEYS if mint.has_public_keys else None,
            grant_types_supported=[GRANT],
            token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
            response_types_supported=[],
            scopes_supported=sorted({each.scope for each in permissions.TABLE.values() if each.scope}),
        )
        return JSONResponse(told.model_dump(exclude_none=True))

    async def keys(self) -> Response:
        """The public keys with which anybody checks our tokens."""
        mint = self._mint()
        if not mint.has_public_keys:
            raise NoIssuerError
        return JSONResponse(await asyncio.to_thread(minting.public_set, mint.path))

    def _mint(self) -> Mint:
        if self._access.rules.mint is None or self._access.database is None:
            raise NoIssuerError
        return self._access.rules.mint


def router(access: Access) -> APIRouter:
    routes, door = APIRouter(tags=["oauth"]), _Door(access)
    add = routes.add_api_route
    add(TOKEN, door.token, methods=["POST"], response_model=OAuthToken, responses=_RESPONSES, openapi_extra=_FORM)
    add(METADATA, door.metadata, response_model=Issuing)
    add(KEYS, door.keys, response_model=dict[str, Any])
    return routes


async def _form(request: Request) -> Mapping[str, str]:
    """Each name once, as the standard wants it."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise _NoError("invalid_request", f"Send a form: Content-Type: {FORM}.")
    try:
        body = (await request.body()).decode("ascii")
        if len(body) > MOST_BYTES:
            raise ValueError
        pairs = parse_qsl(
            body, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise _NoError("invalid_request", "This is no form.") from None
    if len(dict(pairs)) != len(pairs):
        raise _NoError("invalid_request", "Each name may be given once.")
    return dict(pairs)


def _shown(header: str | None, form: Mapping[str, str]) -> tuple[str, str]:
    """The client's name and secret, in one of the two ways and not in both."""
    in_form = (form["client_id"], form["client_secret"]) if "client_secret" in form and "client_id" in form else None
    if header is None:
        if in_form is None:
            raise _NoError("invalid_client", "Say who asks: Basic authentication, or client_id and client_secret.", 401)
        return in_form
    scheme, _, given = header.partition(" ")
    if "client_secret" in form:
        raise _NoError("invalid_request", "Show the secret in one way, not in two.")
    try:
        name, colon, secret = base64.b64decode(given.strip(), validate=True).decode("ascii").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = colon = secret = ""
    if scheme.lower() != "basic" or not colon:
        raise _NoError("invalid_client", "Basic authentication is what is understood here.", 401)
    found = unquote_plus(name), unquote_plus(secret)
    if form.get("client_id", found[0]) != found[0]:
        raise _NoError("invalid_request", "Two clients are named.")
    return found
