"""The whole interface as its description says, asked by Schemathesis: all its checks, in all its phases."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fuzz_cases
import pytest
from conftest import fresh_store
from fuzz_asker import Asker, work_on_customers, work_on_the_rest, work_on_tickets
from fuzz_cases import CUSTOMERS, Seen, call, configured, fuzz

from harken.web.auth import clients, permissions
from harken.web.auth.clients import Client
from harken.web.auth.principal import Role
from harken.web.auth.routes import WEBSOCKET
from harken.web.tickets import PREFIXES

ALIAS = "/api/v1/conversations"
QUICK = f"""
# The other name of the same doors: in the quick form without the cases that are written down for each of them.
[[operations]]
include-path-regex = "^{ALIAS}"
phases.coverage.enabled = false
"""


@contextmanager
def open_desk(url: str, home: Path) -> Iterator[tuple[str, Seen]]:
    with fuzz_cases.bank(url, home) as desk:
        seen = Seen(fuzz_cases.application(desk), desk)
        with fuzz_cases.served(seen) as at:
            asyncio.run(fuzz_cases.live_in(at, desk))
            seen.answers.clear()
            yield at, seen


@pytest.fixture(scope="module")
def bank(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Seen]]:
    with (
        fresh_store(postgres_url, _template) as url,
        open_desk(url, tmp_path_factory.mktemp("fuzz")) as opened,
    ):
        yield opened


def operations(url: str) -> dict[tuple[str, str], Any]:
    described = call(f"{url}/openapi.json")["paths"]
    return {(method.upper(), path): said for path, item in described.items() for method, said in item.items()}


def never_answered(url: str, seen: Seen) -> set[tuple[str, str]]:
    return {
        (method, path)
        for method, path in operations(url)
        if not any(200 <= status < 300 for status in seen.statuses(method, path))
    }


def test_every_operation_does_what_it_is_for(bank: tuple[str, Seen]) -> None:
    """Made-up requests meet a success by chance; these do by intent, so that no operation is only ever refused."""
    url, seen = bank
    ask = Asker(url)

    for prefix in PREFIXES:
        work_on_tickets(ask, prefix)
    work_on_customers(ask)
    work_on_the_rest(ask)
    secret = clients.add(Client(id="shop", roles=["service"]), seen.desk)
    ask.token("shop", secret)

    assert never_answered(url, seen) == set()


def test_made_up_requests_are_answered_as_described(bank: tuple[str, Seen], tmp_path: Path) -> None:
    url, seen = bank
    seen.answers.clear()

    ended = fuzz(
        url,
        configured(tmp_path, QUICK),
        "--header",
        f"Authorization: {fuzz_cases.token('admin')}",
        "--max-examples",
        "2",
    )

    sys.stdout.write(seen.table())  # pytest shows it where something is amiss
    assert ended.code == 0, ended.said
    assert ended.cases >= 1_000
    assert (
        sum(number for (_, _, _, status), number in seen.answers.items() if status == 401) >= len(operations(url)) - 10
    )


def test_customers_do_not_see_each_others(bank: tuple[str, Seen], tmp_path: Path) -> None:
    """What they may ask for at all, as one of them, and what they got asked for again as the other."""
    url, seen = bank
    seen.answers.clear()
    theirs = [
        path
        for (method, path), grant in permissions.TABLE.items()
        if Role.CUSTOMER in grant.roles and method != WEBSOCKET
    ]
    wanted = [word for path in sorted(set(theirs)) for word in ("--include-path", path)]

    ended = fuzz(url, configured(tmp_path, fuzz_cases.peers(tmp_path)), *wanted, "--max-examples", "5")

    sys.stdout.write(seen.table())
    assert ended.code == 0, ended.said
    asked = {who for who, *_ in seen.answers}
    assert set(CUSTOMERS) <= asked, "the other customer was never sent"


@pytest.mark.fuzz
def test_twenty_thousand_answers_are_as_described(store_url: str, tmp_path: Path) -> None:
    """`just fuzz`."""
    with open_desk(store_url, tmp_path) as (url, seen):
        bearer = fuzz_cases.token("admin")
        ended = fuzz(url, configured(tmp_path), "--header", f"Authorization: {bearer}", "--max-examples", "200")
        sys.stdout.write(seen.table())
        assert ended.code == 0, ended.said
        assert ended.cases >= 20_000
