"""Whatever else is shown gets no token, and leaves a line; what was given and then changed is none."""

import base64
import json
from pathlib import Path

import pytest
from access_cases import stopped_at
from journey import rows_of
from oauth_cases import ASKS, guarded_on_the_wall_clock, served, token_of  # noqa: F401  a fixture among them
from test_access_tokens import by_hand, part

from harken.flow.desk import Desk
from harken.kit.clock import wall_clock
from harken.web.auth import clients, tokens
from harken.web.auth.clients import Client
from harken.web.auth.principal import Role
from harken.web.auth.tokens import BadTokenError


def test_whoever_cannot_show_the_secret_gets_nothing(desk: Desk, tmp_path: Path, store_url: str) -> None:
    secret = clients.add(Client(id="website", roles=["service"]), desk)
    other = clients.add(Client(id="shop", roles=["service"]), desk)
    gone = clients.add(Client(id="gone", roles=["service"]), desk)
    clients.revoke("gone", desk)
    basic = base64.b64encode(f"website:{secret}".encode()).decode()
    with served(desk, tmp_path) as web:
        tried = [
            token_of(web, "website", other),
            token_of(web, "website", ""),
            token_of(web, "website", secret[:-1]),
            token_of(web, "nobody", secret),
            token_of(web, "gone", gone),
            token_of(web, "website' OR '1'='1", secret),
            token_of(web, "WEBSITE", secret),
            web.post("/oauth/token", data=ASKS),
            web.post("/oauth/token", data=ASKS, headers={"Authorization": f"Bearer {basic}"}),
            web.post("/oauth/token", data=ASKS, headers={"Authorization": "Basic !!!"}),
        ]

    assert {(got.status_code, got.json()["error"]) for got in tried} == {(401, "invalid_client")}
    assert all(got.headers["www-authenticate"].startswith("Basic") for got in tried)
    rows = rows_of(store_url, "SELECT body FROM audit_event WHERE action = 'access.refused'")
    assert [json.loads(row["body"])["reason"] for row in rows] == ["client"] * len(tried)
    assert secret not in repr(rows)


@pytest.mark.parametrize(
    ("content", "kind", "error"),
    [
        (b"grant_type=client_credentials&grant_type=password", "form", "invalid_request"),
        (b"grant_type=password&username=a&password=b", "form", "unsupported_grant_type"),
        (b"scope=tickets%3Aread", "form", "invalid_request"),
        (b"", "form", "invalid_request"),
        (b"grant_type", "form", "invalid_request"),
        (b"\xff=\xff", "form", "invalid_request"),
        (b"grant_type=%ff", "form", "invalid_request"),
        (b'{"grant_type": "client_credentials"}', "json", "invalid_request"),
        (b"a=1&" * 3_000 + b"grant_type=client_credentials", "form", "invalid_request"),
    ],
)
def test_what_is_no_request_for_a_token(content: bytes, kind: str, error: str, desk: Desk, tmp_path: Path) -> None:
    secret = clients.add(Client(id="website", roles=["service"]), desk)
    types = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
    with served(desk, tmp_path) as web:
        got = web.post("/oauth/token", content=content, headers={"Content-Type": types[kind]}, auth=("website", secret))

    assert (got.status_code, got.json()["error"]) == (400, error)
    assert got.headers["cache-control"] == "no-store"


def spoilt(token: str) -> dict[str, str]:
    """The ways of an attacker, begun from a token that was really given."""
    front, middle, end = token.split(".")
    header = json.loads(base64.urlsafe_b64decode(front + "=="))
    said = json.loads(base64.urlsafe_b64decode(middle + "=="))
    return {
        "no signature": f"{front}.{middle}.",
        "another role": f"{front}.{part({**said, 'roles': ['admin']})}.{end}",
        "a customer": f"{front}.{part({**said, 'roles': ['customer'], 'customer': 'ada'})}.{end}",
        "a longer life": f"{front}.{part({**said, 'exp': said['exp'] + 10**6})}.{end}",
        "alg none": by_hand({**header, "alg": "none"}, said),
        "alg none, unsigned": f"{part({**header, 'alg': 'none'})}.{middle}.",
        "the key id as a secret": by_hand({**header, "alg": "HS256"}, said, header["kid"].encode()),
        "its own key": by_hand({**header, "jwk": {"kty": "oct", "k": "AAAA"}}, said, b"\0\0\0"),
        "an identity token": f"{part({**header, 'typ': 'JWT'})}.{middle}.{end}",
        "four parts": f"{token}.{end}",
        "cut": token[:-2],
        "another header": f"{part({**header, 'kid': 'x'})}.{middle}.{end}",
    }


def test_a_token_that_was_given_and_then_changed_is_none(desk: Desk, tmp_path: Path) -> None:
    secret = clients.add(Client(id="website", roles=["service"]), desk)
    with served(desk, tmp_path) as web:
        token = token_of(web, "website", secret).json()["access_token"]
        issuer = web.app.state.access.rules.issuer  # type: ignore[attr-defined]
        assert tokens.principal(token, issuer, wall_clock).roles == {Role.SERVICE}
        for attack, made in spoilt(token).items():
            with pytest.raises(BadTokenError):
                tokens.principal(made, issuer, wall_clock)
            assert web.get("/metrics", headers={"Authorization": f"Bearer {made}"}).status_code == 401, attack
        later = stopped_at(wall_clock().replace(year=wall_clock().year + 1, day=1))
        with pytest.raises(BadTokenError, match="expired"):
            tokens.principal(token, issuer, later)


def test_too_many_requests_are_told_when_to_come_again(desk: Desk, tmp_path: Path) -> None:
    """Whoever guesses spends their own requests, and not those of the client whose name they use."""
    secret = clients.add(Client(id="website", roles=["service"]), desk)
    with served(desk, tmp_path, per_minute=5) as web:
        guesses = [token_of(web, "website", "guess").status_code for _ in range(7)]
        asked = [token_of(web, "website", secret) for _ in range(7)]

    assert guesses == [401] * 5 + [429] * 2
    assert [got.status_code for got in asked] == [200] * 5 + [429] * 2
    assert int(asked[-1].headers["retry-after"]) >= 1
