"""A program shows its secret and gets a token that our own door takes, for what its role may and no more."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from access_cases import HERE
from journey import harken, rows_of
from oauth_cases import ASKS, NAME, bearer, guarded_on_the_wall_clock, served, token_of  # noqa: F401  a fixture among them

from harken.errors import UnsuitableError
from harken.flow.desk import Desk
from harken.settings import Settings
from harken.web.auth import clients, minting
from harken.web.auth.clients import Client
from harken.web.auth.minting import Mint


@pytest.mark.parametrize("algorithm", ["EdDSA", "HS256"])
def test_a_client_gets_a_token_that_opens_what_its_role_may(algorithm: Any, desk: Desk, tmp_path: Path) -> None:
    secret = clients.add(Client(id="website", roles=["service"], minutes=5), desk)
    with served(desk, tmp_path, algorithm) as web:
        got = token_of(web, "website", secret)
        said = got.json()
        inside = web.post("/predict_nba", json={"customer_id": "ada"}, headers=bearer(got))
        outside = web.get("/api/v1/actions", headers=bearer(got))

    assert (said["token_type"], said["expires_in"], "scope" in said) == ("Bearer", 300, False)
    assert (got.headers["cache-control"], got.headers["content-type"]) == ("no-store", "application/json")
    assert inside.status_code == 404  # nobody knows ada, but the question was let in
    assert outside.status_code == 403


def test_scopes_are_the_clients_or_fewer(desk: Desk, tmp_path: Path) -> None:
    secret = clients.add(Client(id="shop", roles=["service"], scopes=["tickets:read", "tickets:write"]), desk)
    with served(desk, tmp_path) as web:
        whole, less = token_of(web, "shop", secret), token_of(web, "shop", secret, scope="tickets:read")
        more = token_of(web, "shop", secret, scope="tickets:read metrics:read")
        seen = web.get("/metrics", headers=bearer(whole)).status_code
        listed = web.get("/api/v1/tickets", headers=bearer(less)).status_code

    assert (whole.json()["scope"], less.json()["scope"]) == ("tickets:read tickets:write", "tickets:read")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")
    assert seen == 403
    assert listed != 403


def test_a_secret_may_stand_in_the_form(desk: Desk, tmp_path: Path) -> None:
    secret = clients.add(Client(id="website", roles=["service"]), desk)
    with served(desk, tmp_path) as web:
        assert web.post("/oauth/token", data={**ASKS, "client_id": "website", "client_secret": secret}).is_success
        both = web.post("/oauth/token", data={**ASKS, "client_secret": secret}, auth=("website", secret))
        two = web.post("/oauth/token", data={**ASKS, "client_id": "another"}, auth=("website", secret))

    assert [both.json()["error"], two.json()["error"]] == ["invalid_request", "invalid_request"]


def test_a_customer_comes_of_it_only_where_one_was_named(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="come together"):
        clients.add(Client(id="portal", roles=["customer"]), desk)
    with pytest.raises(UnsuitableError, match="come together"):
        clients.add(Client(id="portal", roles=["service"], customer="ada"), desk)
    secret = clients.add(Client(id="portal", roles=["customer"], customer="ada"), desk)
    with served(desk, tmp_path) as web:
        ada = bearer(token_of(web, "portal", secret))
        assert web.get("/api/v1/profiles/ben", headers=ada).status_code == 403
        assert web.get("/api/v1/profiles/ada", headers=ada).status_code == 404
    plain = clients.add(Client(id="website", roles=["service"]), desk)
    with served(desk, tmp_path) as web:
        got = token_of(web, "website", plain, roles="customer", customer="ada", sub="ada")
        claims = json.loads(base64.urlsafe_b64decode(got.json()["access_token"].split(".")[1] + "=="))
    assert (claims["roles"], claims["sub"], claims["client_id"]) == (["service"], "client:website", "website")
    assert "customer" not in claims


def test_a_token_is_in_the_audit_by_its_digest_and_can_be_taken_back(
    desk: Desk, tmp_path: Path, store_url: str
) -> None:
    from harken.web.auth import revoking  # noqa: PLC0415  of this test only

    secret = clients.add(Client(id="website", roles=["service"], scopes=["metrics:read"]), desk)
    with served(desk, tmp_path) as web:
        headers = bearer(token_of(web, "website", secret))
        claims = json.loads(base64.urlsafe_b64decode(headers["Authorization"].split(".")[1] + "=="))
        before = web.get("/metrics", headers=headers).status_code
        revoking.revoke(claims["jti"], desk)
        after = web.get("/metrics", headers=headers).status_code

    assert (before, after) == (200, 401)
    rows = rows_of(store_url, "SELECT actor, action, body FROM audit_event WHERE action LIKE 'token.%%' ORDER BY id")
    assert [(row["actor"], row["action"]) for row in rows] == [
        ("local:somebody", "token.client_added"), ("client:website", "token.issued"),
    ]  # fmt: skip
    issued = json.loads(rows[1]["body"])
    assert (issued["scopes"], issued["minutes"]) == (["metrics:read"], 10)
    assert desk.live
    assert issued["token"] == revoking.digest(desk.live.master, claims["jti"]).hex()
    assert secret not in repr(rows_of(store_url, "SELECT * FROM oauth_client"))


def test_the_metadata_says_where_and_how(desk: Desk, tmp_path: Path) -> None:
    with served(desk, tmp_path) as web:
        told = web.get("/.well-known/oauth-authorization-server").json()
        keys = web.get(told["jwks_uri"].removeprefix(HERE)).json()
        described = web.get("/openapi.json").json()["paths"]["/oauth/token"]["post"]

    assert (told["issuer"], told["token_endpoint"]) == (NAME, f"{HERE}/oauth/token")
    assert told["grant_types_supported"] == ["client_credentials"]
    assert "tickets:read" in told["scopes_supported"]
    assert [sorted({"d", "k"} & each.keys()) for each in keys["keys"]] == [[]]
    assert {"200", "400", "401", "429", "503"} <= described["responses"].keys()
    assert "OAuthError" in json.dumps(described["responses"]["400"])
    assert "security" not in described


def test_where_somebody_else_makes_tokens_none_are_made_here(desk: Desk, tmp_path: Path) -> None:
    secret = clients.add(Client(id="website", roles=["service"]), desk)
    with served(desk, tmp_path, mint=None) as web:
        assert token_of(web, "website", secret).status_code == 404
        assert web.get("/.well-known/oauth-authorization-server").status_code == 404
        assert web.get("/oauth/keys").status_code == 404
    with served(desk, tmp_path, "HS256") as web:
        assert web.get("/oauth/keys").status_code == 404
        assert "jwks_uri" not in web.get("/.well-known/oauth-authorization-server").json()


def test_only_keys_of_our_own_make_tokens(tmp_path: Path) -> None:
    from harken.cli import admission  # noqa: PLC0415  of this test only

    path = tmp_path / "keys.json"
    minting.add_key(path, "EdDSA")
    public = tmp_path / "public.json"
    public.write_text(json.dumps(minting.public_set(path)))
    given = {"auth_keys": path, "home": tmp_path}

    def mint(**more: Any) -> Mint | None:
        return admission.rules_of(Settings(_env_file=None, **given | more), "127.0.0.1", loopback=True).mint

    assert mint() is not None
    assert mint(auth_keys=public) is None
    assert mint(auth_token_type="JWT") is None
    assert Settings(_env_file=None).auth_keys is None


def test_the_commands_add_show_and_revoke(store_url: str, command_line: None) -> None:
    added = harken("token", "client", "add", "website", "--scope", "tickets:write", "--store", store_url, "--json")
    again = harken("token", "client", "add", "website", "--store", store_url)
    unfit = harken("token", "client", "add", "Web Site", "--store", store_url)
    beyond = harken("token", "client", "add", "shop", "--scope", "actions:decide", "--store", store_url)
    listed = harken("token", "client", "list", "--store", store_url, "--json")
    revoked = harken("token", "client", "revoke", "website", "--store", store_url)
    twice = harken("token", "client", "revoke", "website", "--store", store_url)

    assert len(added.json["client_secret"]) >= 43
    assert "not used twice" in again.refusal
    assert "small letters" in unfit.refusal
    assert "may nothing of the scope actions:decide" in beyond.refusal
    assert [(each["id"], each["scopes"]) for each in listed.json["clients"]] == [("website", ["tickets:write"])]
    assert added.json["client_secret"] not in listed.out
    assert "10 minutes at most" in revoked.out
    assert "revoked before" in twice.refusal
