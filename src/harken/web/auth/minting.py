"""Keys and tokens of our own, for an installation without an identity provider."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

from joserfc import jws
from joserfc.jwk import Key, OctKey, OKPKey

from harken.errors import UnsuitableError
from harken.web.auth.keys import MOST_KEY_BYTES
from harken.web.auth.tokens import Only

OwnAlgorithm: TypeAlias = Literal["EdDSA", "HS256"]

MOST_MINUTES = 60 * 24 * 365
ID_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Whom a token is made for."""

    subject: str
    roles: Sequence[str]
    jurisdictions: Sequence[str] = ()
    customer: str | None = None
    scopes: Sequence[str] | None = None
    client: str | None = None  #: who fetched it, where a program did


@dataclass(frozen=True, slots=True, kw_only=True)
class Mint:
    """Makes the tokens of an installation that is its own identity provider."""

    path: Path
    algorithm: OwnAlgorithm
    issuer: str
    audience: str

    @property
    def has_public_keys(self) -> bool:
        return self.algorithm == "EdDSA"

    def token(self, bearer: Bearer, now: datetime, minutes: int) -> tuple[str, str]:
        return token(self.path, bearer, self.issuer, self.audience, now, minutes)


def can_sign(path: Path, algorithm: str) -> bool:
    """Whether this is a file of ours, and its newest key one of this algorithm."""
    try:
        newest = _listed(path)[0]
    except (UnsuitableError, IndexError):
        return False
    return bool({"d", "k"} & newest.keys()) and newest.get("alg") == algorithm


def add_key(path: Path, algorithm: OwnAlgorithm) -> str:
    """A new key, first in the file, which signs from now on; those that were there are still believed. Its id."""
    kept = _listed(path) if path.exists() else []
    key: Key = OKPKey.generate_key("Ed25519") if algorithm == "EdDSA" else OctKey.generate_key(256)
    key.ensure_kid()
    made = {**key.as_dict(private=True), "alg": algorithm, "use": "sig"}
    _write(path, [made, *kept])
    return str(key.kid)


def drop_key(path: Path, kid: str) -> None:
    """Tokens that it signed are refused from the next start on. Raises UnsuitableError where there is no such key."""
    listed = _listed(path)
    kept = [each for each in listed if each.get("kid") != kid]
    if len(kept) == len(listed):
        raise UnsuitableError(f"{path} has no key {kid}.")
    _write(path, kept)


def public_set(path: Path) -> dict[str, Any]:
    """What others need to check tokens: no secret is in it."""
    secret = {"d", "k"}
    return {"keys": [{name: each[name] for name in each if name not in secret} for each in _listed(path)]}


def token(path: Path, bearer: Bearer, issuer: str, audience: str, now: datetime, minutes: int) -> tuple[str, str]:
    """A signed token and its id. Raises UnsuitableError for a file without a key that can sign."""
    signing = next((each for each in _listed(path) if "d" in each or "k" in each), None)
    if signing is None:
        raise UnsuitableError(f"No key in {path} can sign. `harken token key` adds one.")
    algorithm = "HS256" if signing["kty"] == "oct" else "EdDSA"
    key: Key = OctKey.import_key(signing) if algorithm == "HS256" else OKPKey.import_key(signing)
    id_ = os.urandom(ID_BYTES).hex()
    claims = _claims(bearer, now, timedelta(minutes=minutes)) | {"iss": issuer, "aud": audience, "jti": id_}
    header = {"alg": algorithm, "typ": "at+jwt", "kid": signing["kid"]}
    return jws.serialize_compact(header, json.dumps(claims), key, registry=Only(algorithm)), id_


def _claims(bearer: Bearer, now: datetime, lives: timedelta) -> dict[str, Any]:
    made: dict[str, Any] = {"sub": bearer.subject, "roles": list(bearer.roles)}
    seconds = int(now.timestamp())
    made |= {"iat": seconds, "nbf": seconds, "exp": seconds + int(lives.total_seconds())}
    if bearer.jurisdictions:
        made["jurisdiction"] = list(bearer.jurisdictions)
    if bearer.customer:
        made["customer"] = bearer.customer
    if bearer.client:
        made["client_id"] = bearer.client
    if bearer.scopes is not None:
        made["scope"] = " ".join(bearer.scopes)
    return made


def _listed(path: Path) -> list[dict[str, Any]]:
    try:
        given = json.loads(path.read_bytes()[:MOST_KEY_BYTES])
        listed = given["keys"]
        if all(isinstance(each, Mapping) and each.get("kty") in ("OKP", "oct") and each.get("kid") for each in listed):
            return [dict(each) for each in listed]
    except OSError as wrong:
        raise UnsuitableError(f"The keys in {path} cannot be read: {wrong.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        pass  # the same line says so
    raise UnsuitableError(f"{path} holds no keys of our own making. `harken token key --out FILE` makes a file.")


def _write(path: Path, keys: Sequence[Mapping[str, Any]]) -> None:
    """A whole file at once, for its owner only."""
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w") as out:
            json.dump({"keys": keys}, out, indent=1)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    except OSError as wrong:
        raise UnsuitableError(f"{path} cannot be written: {wrong.strerror}.") from None
