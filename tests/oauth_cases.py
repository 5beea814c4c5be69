"""A door that gives tokens to programs, with keys of its own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from access_cases import AUDIENCE, HERE, guarded_desk
from starlette.testclient import TestClient

from harken.flow.desk import Desk
from harken.kit.clock import wall_clock
from harken.web.app import app_of
from harken.web.auth import minting
from harken.web.auth.access import Rules
from harken.web.auth.keys import Keys, in_file
from harken.web.auth.minting import Mint, OwnAlgorithm
from harken.web.auth.tokens import Issuer

NAME = "harken-of-the-bank"
ASKS = {"grant_type": "client_credentials"}


@pytest.fixture(name="desk")
def guarded_on_the_wall_clock(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    with guarded_desk(store_url, tmp_path) as made:
        assert made.live
        yield replace(made, bench=replace(made.bench, clock=wall_clock), live=replace(made.live, clock=wall_clock))


def served(desk: Desk, folder: Path, algorithm: OwnAlgorithm = "EdDSA", **more: Any) -> TestClient:
    path = folder / f"{algorithm}.json"
    if not path.exists():
        minting.add_key(path, algorithm)
    known = Keys(in_file(path), algorithm)
    known.look()
    issuer = Issuer(name=NAME, audience=AUDIENCE, algorithm=algorithm, token_type="at+jwt", keys=known)
    mint = Mint(path=path, algorithm=algorithm, issuer=NAME, audience=AUDIENCE)
    given: dict[str, Any] = {"issuer": issuer, "mint": mint, "local_admin": False, "per_minute": 100_000}
    return TestClient(app_of(desk, Rules(**given | more)), base_url=HERE)


def token_of(web: TestClient, name: str, secret: str, **form: str) -> Any:
    return web.post("/oauth/token", data=ASKS | form, auth=(name, secret))


def bearer(got: Any) -> dict[str, str]:
    assert got.status_code == 200, got.text
    return {"Authorization": f"Bearer {got.json()['access_token']}"}
