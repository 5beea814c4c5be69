"""A file or an address of public keys -> the key that a token names, looked up again when a new one turns up."""

import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from harken.errors import TryAgainError, UnsuitableError
from harken.kit.clock import stopwatch
from harken.kit.log import logger
from harken.web.guests import LOCAL_NAMES

Algorithm: TypeAlias = Literal["RS256", "ES256", "EdDSA", "HS256"]
"""One for an issuer: what a token says of itself chooses nothing."""

KEY_TYPES: Mapping[str, type[Key]] = {"RS256": RSAKey, "ES256": ECKey, "EdDSA": OKPKey, "HS256": OctKey}

LEAST_SECRET_BYTES = 32
LEAST_RSA_BITS = 2048
MOST_KEY_BYTES = 256_000
MOST_KEYS = 100
FETCH_TIMEOUT_S = 5.0
REFRESH_EVERY_S = 30.0
"""An unknown key id costs its issuer at most one question in this time, whoever makes ids up."""

log = logger(__name__)

Read: TypeAlias = Callable[[], bytes]


class NoKeyError(Exception):
    """No key of this id, not even after looking again."""


class Keys:
    """What was read last, by key id. An old key stays as long as the issuer lists it beside the new one."""

    def __init__(self, read: Read, algorithm: Algorithm, seconds: Callable[[], float] | None = None) -> None:
        self._read, self._algorithm = read, algorithm
        self._seconds = seconds or stopwatch()
        self._turn = threading.Lock()
        self._known: dict[str | None, Key] = {}
        self._asked_at: float | None = None

    def key(self, kid: str | None) -> Key:
        """Raises NoKeyError. A token without an id is tried with the only key there is, if there is one alone."""
        found = self._found(kid)
        if found is None and self._refresh():
            found = self._found(kid)
        if found is None:
            raise NoKeyError
        return found

    def look(self) -> None:
        """Read them now. Raises UnsuitableError where there is none for this algorithm."""
        self._known = parse(self._read(), self._algorithm)

    def _found(self, kid: str | None) -> Key | None:
        known = self._known
        if kid is None:
            return next(iter(known.values())) if len(known) == 1 else None
        return known.get(kid)

    def _refresh(self) -> bool:
        """Whether anybody looked; others of that moment wait for the one who does."""
        with self._turn:
            if self._asked_at is not None and self._seconds() - self._asked_at < REFRESH_EVERY_S:
                return True  # just now, perhaps while this one waited
            self._asked_at = self._seconds()
            try:
                self.look()
            except (UnsuitableError, TryAgainError) as wrong:
                log.warning("keys_stay", why=str(wrong))  # those known so far hold
            return True


def parse(content: bytes, algorithm: Algorithm) -> dict[str | None, Key]:
    """A JWK set, one JWK, or a PEM public key -> keys that fit the algorithm, by id. Raises UnsuitableError."""
    try:
        text = content.decode()
        listed = _in_pem(text, algorithm) if text.lstrip().startswith("-----BEGIN") else _in_json(text, algorithm)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as wrong:
        raise UnsuitableError(f"These keys cannot be read: {type(wrong).__name__}. Give a JWK set or a PEM.") from None
    if not listed:
        raise UnsuitableError(f"There is no key for {algorithm} among these: HARKEN_AUTH_ALGORITHM names another kind?")
    for key in listed:
        _refuse_weak(key)
    return {key.kid: key for key in listed}


def _in_pem(text: str, algorithm: Algorithm) -> list[Key]:
    if algorithm == "HS256":
        raise UnsuitableError("A PEM is no secret: HS256 needs a JWK set with a key of type oct.")
    return [KEY_TYPES[algorithm].import_key(text)]


def _in_json(text: str, algorithm: Algorithm) -> list[Key]:
    given = json.loads(text)
    listed = given.get("keys", [given])
    return [KEY_TYPES[algorithm].import_key(each) for each in listed[:MOST_KEYS] if _fits(each, algorithm)]


def _fits(jwk: Mapping[str, Any], algorithm: Algorithm) -> bool:
    """Others of the set are for something else, or of a kind that nobody here knows."""
    curve = {"ES256": "P-256", "EdDSA": "Ed25519"}.get(algorithm)
    return (
        jwk.get("kty") == KEY_TYPES[algorithm].key_type
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", algorithm) in {algorithm, "Ed25519" if algorithm == "EdDSA" else algorithm}
        and (curve is None or jwk.get("crv") == curve)
    )


def _refuse_weak(key: Key) -> None:
    if isinstance(key, OctKey) and len(key.raw_value) < LEAST_SECRET_BYTES:
        raise UnsuitableError(f"A secret for HS256 must have {LEAST_SECRET_BYTES} bytes or more.")
    if isinstance(key, RSAKey):
        public = key.public_key
        assert isinstance(public, RSAPublicKey)
        if public.key_size < LEAST_RSA_BITS:
            raise UnsuitableError(f"An RSA key must have {LEAST_RSA_BITS} bits or more.")


def in_file(path: Path) -> Read:
    def read() -> bytes:
        try:
            with path.open("rb") as file:
                return file.read(MOST_KEY_BYTES)
        except OSError as wrong:
            raise UnsuitableError(f"The keys in {path} cannot be read: {wrong.strerror}.") from None

    return read


def at_address(url: str) -> Read:
    """Raises UnsuitableError for an address that is not https, unless it is on this machine."""
    asked = urlsplit(url)
    if asked.scheme != "https" and not (asked.scheme == "http" and asked.hostname in LOCAL_NAMES):
        raise UnsuitableError(
            "HARKEN_AUTH_JWKS_URL must begin with https://: whoever sits between could swap the keys."
        )
    opener = urllib.request.build_opener(_Stay)

    def read() -> bytes:
        try:
            with opener.open(url, timeout=FETCH_TIMEOUT_S) as answer:
                content: bytes = answer.read(MOST_KEY_BYTES)
                return content
        except (OSError, HTTPException) as wrong:
            raise TryAgainError(f"The keys at {asked.hostname} could not be fetched: {type(wrong).__name__}.") from None

    return read


class _Stay(urllib.request.HTTPRedirectHandler):
    """Keys come from the address that was set, and from nowhere that it points to."""

    def redirect_request(self, *ignored: Any) -> None:
        return None
