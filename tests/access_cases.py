"""Keys, tokens and servers that ask for them, for the tests of who may ask what."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from journey import MASTER, NOW, desk_on
from live_cases import live_desk
from starlette.testclient import TestClient

from harken.flow.desk import Desk
from harken.flow.library_desk import LibraryDesk
from harken.kit.clock import stopped_at
from harken.web.app import app_of
from harken.web.auth.access import Rules
from harken.web.auth.keys import Algorithm, Keys
from harken.web.auth.tokens import Issuer, Only

HERE = "http://127.0.0.1:8000"
ISSUER, AUDIENCE = "https://id.example", "harken-here"
SECONDS = int(NOW.timestamp())

ED = OKPKey.generate_key("Ed25519", parameters={"kid": "ed-1"})
RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa-1"})
EC = ECKey.generate_key("P-256", parameters={"kid": "ec-1"})
SECRET = OctKey.generate_key(256, parameters={"kid": "oct-1"})
SIGNING: Mapping[str, Key] = {"EdDSA": ED, "RS256": RSA, "ES256": EC, "HS256": SECRET}


def listed(*keys: Key) -> bytes:
    """As an issuer lists them: public parts, and for HS256 the secret that both have."""
    return json.dumps({"keys": [key.as_dict(private=isinstance(key, OctKey)) for key in keys]}).encode()


def issuer_of(*keys: Key, algorithm: Algorithm = "EdDSA", **more: Any) -> Issuer:
    known = Keys(partial(listed, *keys), algorithm)
    known.look()
    given: dict[str, Any] = {"name": ISSUER, "audience": AUDIENCE, "algorithm": algorithm, "token_type": "at+jwt"}
    return Issuer(**given | {"keys": known} | more)


def claims(**more: Any) -> dict[str, Any]:
    """Those of a good token; None leaves one out."""
    made = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "lena", "jti": "j-1", "roles": ["agent"],
        "iat": SECONDS - 10, "nbf": SECONDS - 10, "exp": SECONDS + 600,
    }  # fmt: skip
    return {name: value for name, value in (made | more).items() if value is not None}


def signed(said: Mapping[str, Any] | str, key: Key = ED, algorithm: str = "EdDSA", **header: Any) -> str:
    """A token as somebody may make it: any header, any payload."""
    top = {"alg": algorithm, "typ": "at+jwt", "kid": key.kid} | header
    payload = said if isinstance(said, str) else json.dumps(said)
    kept = {name: value for name, value in top.items() if value is not None}
    return jws.serialize_compact(kept, payload, key, registry=Only(algorithm))


def bearing(*roles: str, **more: Any) -> dict[str, str]:
    """The header of a good token."""
    return {"Authorization": f"Bearer {signed(claims(roles=list(roles), **more))}"}


@contextmanager
def guarded_desk(url: str, home: Path, library: LibraryDesk | None = None) -> Iterator[Desk]:
    with live_desk(url) as live, desk_on(url, home) as desk:
        yield replace(desk, live=live, open_library=(lambda: library) if library else None)


def guarded(desk: Desk, **more: Any) -> TestClient:
    """A server that wants tokens."""
    given: dict[str, Any] = {"issuer": issuer_of(ED), "local_admin": False, "per_minute": 100_000}
    return TestClient(app_of(desk, Rules(**given | more)), base_url=HERE, raise_server_exceptions=False)


__all__ = ["MASTER", "NOW", "stopped_at"]
