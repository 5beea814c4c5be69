"""A bearer token (JWT, RFC 9068) -> the principal it proves, or the reason why it proves nobody.

joserfc looks at the signature. What libraries leave to their caller is looked at here: one algorithm, the token's type,
its size, where keys may come from, names given twice, and every claim that we rely on.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from harken.kit.clock import Clock
from harken.web.auth.keys import Algorithm, Keys, NoKeyError
from harken.web.auth.principal import Principal, Role

MOST_BYTES = 8_192
LEEWAY = timedelta(seconds=30)
"""Clocks differ."""

MOST_ID, MOST_ROLES, MOST_JURISDICTIONS = 255, 20, 50
_ELSEWHERE = frozenset({"jku", "x5u", "jwk", "x5c", "crit", "b64", "zip", "enc"})
"""Header names that bring a key along, or change what the signature means."""

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]+")


class BadTokenError(Exception):
    """`reason` is one of a closed set, for whoever counts; nothing of the token is in it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whose tokens are believed, and what they must look like."""

    name: str
    audience: str
    algorithm: Algorithm
    token_type: str  #: `at+jwt`; an issuer that does not know it says `JWT`
    keys: Keys


class Only(JWSRegistry):
    """One algorithm, whatever the token asks for. Its own look at headers knows fewer than issuers send."""

    def __init__(self, algorithm: str) -> None:
        super().__init__(algorithms=[algorithm], strict_check_header=False)
        self._one = JWSRegistry.algorithms[algorithm]
        self.max_header_length = MOST_BYTES

    def get_alg(self, name: str) -> Any:
        return self._one


def principal(token: str, issuer: Issuer, clock: Clock) -> Principal:
    """Raises BadTokenError."""
    if len(token) > MOST_BYTES:
        raise BadTokenError("too_large")
    segments = token.split(".")
    if len(segments) != 3 or not all(_SEGMENT.fullmatch(each) for each in segments):
        raise BadTokenError("malformed")
    header = _object(segments[0])
    _look_at(header, issuer)
    _verify(token, header, issuer)
    claims = _object(segments[1])
    expires = _times(claims, clock())
    _parties(claims, issuer)
    return _said(claims, expires, token)


def _object(segment: str) -> dict[str, Any]:
    try:
        content = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
        found = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (binascii.Error, ValueError, RecursionError):
        raise BadTokenError("malformed") from None
    if not isinstance(found, dict):
        raise BadTokenError("malformed")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers of a name given twice may read two different values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _look_at(header: Mapping[str, Any], issuer: Issuer) -> None:
    if _ELSEWHERE & header.keys():
        raise BadTokenError("header")
    if header.get("alg") != issuer.algorithm:
        raise BadTokenError("algorithm")
    kind = header.get("typ")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") != issuer.token_type.lower():
        raise BadTokenError("type")


def _verify(token: str, header: Mapping[str, Any], issuer: Issuer) -> None:
    kid = header.get("kid")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= MOST_ID):
        raise BadTokenError("key")
    try:
        jws.deserialize_compact(token, issuer.keys.key(kid), registry=Only(issuer.algorithm))
    except NoKeyError:
        raise BadTokenError("key") from None
    except (JoseError, ValueError, TypeError):
        raise BadTokenError("signature") from None


def _times(claims: Mapping[str, Any], now: datetime) -> datetime:
    expires, issued = _moment(claims, "exp"), _moment(claims, "iat")
    begins = _moment(claims, "nbf") if "nbf" in claims else issued  # many issuers leave it out
    if now >= expires + LEEWAY:
        raise BadTokenError("expired")
    if max(issued, begins) > now + LEEWAY:
        raise BadTokenError("early")
    return expires


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadTokenError("claims")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, ValueError, OSError):  # no number at all, or one of no year that we know
        raise BadTokenError("claims") from None


def _parties(claims: Mapping[str, Any], issuer: Issuer) -> None:
    if claims.get("iss") != issuer.name:
        raise BadTokenError("issuer")
    audience = claims.get("aud")
    meant = [audience] if isinstance(audience, str) else audience
    if not isinstance(meant, list) or issuer.audience not in meant:
        raise BadTokenError("audience")


def _said(claims: Mapping[str, Any], expires: datetime, token: str) -> Principal:
    """Roles that nobody here knows are left out; without any that is known there is nobody to let in."""
    roles = frozenset(Role(each) for each in _names(claims, "roles", MOST_ROLES) if each in set(Role))
    if not roles:
        raise BadTokenError("role")
    customer = _text(claims, "customer", required=False)
    if roles == {Role.CUSTOMER} and customer is None:
        raise BadTokenError("claims")
    jurisdictions = tuple(each.upper() for each in _names(claims, "jurisdiction", MOST_JURISDICTIONS))
    if not all(_JURISDICTION.fullmatch(each) for each in jurisdictions):
        raise BadTokenError("claims")
    return Principal(
        subject=_text(claims, "sub") or "",
        roles=roles,
        scopes=frozenset(_names(claims, "scope", MOST_ID)) if "scope" in claims else None,
        jurisdictions=jurisdictions,
        customer=customer,
        token_id=_text(claims, "jti", required=False) or hashlib.sha256(token.encode()).hexdigest(),
        expires_at=expires,
    )


def _text(claims: Mapping[str, Any], name: str, *, required: bool = True) -> str | None:
    value = claims.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= MOST_ID or not _PRINTABLE.fullmatch(value):
        raise BadTokenError("claims")
    return value


def _names(claims: Mapping[str, Any], name: str, most: int) -> list[str]:
    """A list, or words with spaces between."""
    value = claims.get(name, [])
    listed = value.split() if isinstance(value, str) else value
    if not isinstance(listed, list) or len(listed) > most or not all(isinstance(each, str) for each in listed):
        raise BadTokenError("claims")
    return listed
