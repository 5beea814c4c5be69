"""A desk on which something is going on, and its server, for made-up requests: so that they meet what is there."""

import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from access_cases import AUDIENCE, ED, bearing, issuer_of
from act_cases import SECRET, TICKET, catalogue_of, effects
from fastapi import FastAPI
from journey import Steady
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harken import bootstrap
from harken.cli import demo_agent
from harken.domain.proposal import Proposal
from harken.flow import acting, asking, delivering, sending, ticketing
from harken.flow.acting import Cause
from harken.flow.desk import Desk
from harken.flow.sending import Why
from harken.kit.clock import wall_clock
from harken.settings import Settings
from harken.web.app import app_of
from harken.web.auth import minting
from harken.web.auth.access import Rules
from harken.web.auth.minting import Mint

CONFIG = Path(__file__).with_name("schemathesis.toml")
LASTS = timedelta(days=1)
CUSTOMERS = ("ada", "ben")
HELD = ("Please close my current account.", "Please refund me 24.50 euros, I was charged twice.")
ASKED = (
    "Up to which amount can I send an instant transfer?",
    "It does not work.",
    "I want to talk to a real person, please.",
)
FACTS: tuple[dict[str, Any], ...] = (
    {"type": "message", "properties": {"direction": "inbound", "channel": "chat", "text": "My card was declined."}},
    {"type": "login", "properties": {"success": True}},
    {"type": "payment", "version": 2, "properties": {"amount_minor": 1250, "currency": "EUR"}},
    {"type": "consent", "properties": {"channel": "email", "granted": True}},
)


def token(*roles: str, **more: Any) -> str:
    """Good for a day of this machine's clock."""
    now = int(wall_clock().timestamp())
    said = {"iat": now - 10, "nbf": now - 10, "exp": now + int(LASTS.total_seconds())} | more
    return bearing(*roles, **said)["Authorization"]


def customers_token(name: str) -> str:
    return token("customer", customer=name, sub=name, jti=name)


@contextmanager
def bank(url: str, home: Path) -> Iterator[Desk]:
    """As commands have it, with a handbook, and a system of the bank's that does what it is asked."""
    home.mkdir(parents=True, exist_ok=True)
    with effects() as system:
        catalogue_of(home, system.url)
        given = Settings(
            _env_file=None, home=home, database_url=SecretStr(url), burst_quiet_s=0,
            actions=home / "actions.toml", action_secret=SECRET, action_hosts="loopback",
        )  # fmt: skip
        with bootstrap.desk_of(given) as desk:
            demo_agent.add_handbook(desk, Steady())
            for cause in ("kb:1", "kb:2"):
                system.answers = [(500, {}, b"")]
                _leave_in_doubt(desk, cause)
            yield desk


def _leave_in_doubt(desk: Desk, cause: str) -> None:
    """Something was sent to a system that broke on it."""
    assert desk.acts
    spec = desk.acts.catalogue.get("voucher")
    assert spec
    with desk.acts.database.transaction() as tx:
        message = sending.message(spec, TICKET, {"percent": 5}, author="ai", at=desk.acts.clock())
        sending.enqueue(tx, message, Why(cause=cause), desk.acts)
    assert delivering.deliver(desk.acts)


def application(desk: Desk) -> FastAPI:
    """Nobody's bucket empties: how fast one may ask has tests of its own."""
    path = desk.home / "signing.json"
    minting.add_key(path, "EdDSA")
    mint = Mint(path=path, algorithm="EdDSA", issuer="harken-of-the-bank", audience=AUDIENCE)
    return app_of(desk, Rules(issuer=issuer_of(ED), mint=mint, local_admin=False, per_minute=1_000_000))


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.05)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def call(url: str, body: Mapping[str, Any] | None = None, *, method: str = "", bearer: str = "") -> Any:
    """The JSON that is answered. Raises for a refusal."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": bearer or token("admin"), "Content-Type": "application/json"}
    asked = urllib.request.Request(url, data, headers, method=method or ("POST" if body is not None else "GET"))
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)


async def live_in(url: str, desk: Desk) -> None:
    """Customers with a past, tickets in several states, proposals that wait for a person, a segment."""
    assert desk.agent
    for customer in CUSTOMERS:
        for number, fact in enumerate(FACTS):
            call(f"{url}/api/v1/events", {"messageId": f"{customer}:{number}", "userId": customer, **fact})
        for text in (*HELD, *ASKED):
            await asking.ask(text, customer, desk.agent)
    tickets = [each["id"] for each in call(f"{url}/api/v1/tickets")["data"]]
    for status, name in zip(("resolved", "pending", "closed"), tickets, strict=False):
        call(f"{url}/api/v1/tickets/{name}/status", {"status": status}, method="PUT")
    call(f"{url}/api/v1/tickets/{tickets[0]}/notes", {"text": "Seen."})
    _close(tickets[3], desk)
    condition = {"all": [{"feature": "disputes_90d", "is": ">=", "value": 0}], "why": "They wrote."}
    call(f"{url}/api/v1/segments/vip", condition, method="PUT")


def _close(name: str, desk: Desk) -> None:
    """As the AI does it: that can be taken back."""
    assert desk.acts
    assert desk.tickets
    ticket = ticketing.standing(name, desk.tickets)
    with desk.acts.database.transaction() as tx:
        done = acting.order(tx, Proposal(action="close"), Cause(ticket=ticket, id="kb:3"), desk.acts)
    assert done.state == "executed"


@dataclass
class Seen:
    """Whose requests met which route, and what they were answered. Around the whole application."""

    app: ASGIApp
    desk: Desk
    answers: Counter[tuple[str, str, str, int]] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = getattr(scope.get("route"), "path", "")
                who = getattr(scope.get("state", {}).get("principal"), "subject", "")
                self.answers[who, scope["method"], path, message["status"]] += 1
            await send(message)

        await self.app(scope, receive, watched if scope["type"] == "http" else send)

    def statuses(self, method: str, path: str) -> Counter[int]:
        found: Counter[int] = Counter()
        for (_, how, where, status), number in self.answers.items():
            if (how, where) == (method, path):
                found[status] += number
        return found

    def table(self) -> str:
        """How many of each status, a line an operation."""
        operations = sorted({(path, method) for _, method, path, _ in self.answers})
        lines = []
        for path, method in operations:
            told = " ".join(f"{status}:{number}" for status, number in sorted(self.statuses(method, path).items()))
            lines.append(f"{method:7}{path or '(before any route)':45}{told}")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Fuzzed:
    code: int
    said: str

    @property
    def cases(self) -> int:
        [count] = re.findall(r"([\d,]+) generated", self.said)
        return int(count.replace(",", ""))


def fuzz(url: str, config: Path, *more: str) -> Fuzzed:
    """All checks, from one seed, in a process of its own."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", f"{url}/openapi.json",
        "--checks", "all", "--seed", "1", "--continue-on-failure", *more,
    ]  # fmt: skip
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CONFIG.parent)
    return Fuzzed(ended.returncode, ended.stdout + ended.stderr)


def configured(folder: Path, more: str = "") -> Path:
    """The configuration of all runs, with what only this one says. Hooks are found beside the tests."""
    path = folder / CONFIG.name
    path.write_text(CONFIG.read_text() + more)
    return path


def peers(folder: Path) -> str:
    """Two customers who must not see what is the other's; the first of them asks."""
    known = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": customers_token(name)}]}
        for name in CUSTOMERS
    ]
    path = folder / "customers.json"
    path.write_text(json.dumps({"auth": known}))
    return f'\n[auth.wfc]\npath = "{path}"\nuser = "{CUSTOMERS[0]}"\npeers = {json.dumps(CUSTOMERS)}\n'
