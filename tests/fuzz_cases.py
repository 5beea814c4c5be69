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
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import schemathesis
import uvicorn
from access_cases import AUDIENCE, ED, bearing, issuer_of
from act_cases import SECRET, TICKET, catalogue_of, effects
from fastapi import FastAPI
from journey import Steady
from pydantic import SecretStr
from schemathesis.config import SchemathesisConfig
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


class Asker:
    """Good requests, whose answers are held against the description as those of made-up ones are."""

    def __init__(self, url: str) -> None:
        with chdir(CONFIG.parent):  # where its hooks are
            config = SchemathesisConfig.from_path(CONFIG)
            self._schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
        self._headers = {"Authorization": token("admin")}

    def __call__(
        self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None, **named: str
    ) -> Any:
        """The JSON of an answer that is a success."""
        made = {} if body is None else {"body": body, "media_type": "application/json"}
        case = self._schema[path][method].Case(path_parameters=named, query=dict(query or {}), **made)
        answer = case.call(headers=self._headers)
        case.validate_response(answer)
        assert 200 <= answer.status_code < 300, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content and "json" in answer.headers.get("content-type", [""])[0] else None

    def token(self, name: str, secret: str) -> None:
        """The one request with a form, and with a secret instead of a token."""
        body = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
        case = self._schema["/oauth/token"]["POST"].Case(body=body, media_type="application/x-www-form-urlencoded")
        answer = case.call()
        case.validate_response(answer)
        assert answer.status_code == 200, answer.text


def work_on_tickets(ask: Asker, prefix: str) -> None:
    """What only fits as a ticket stands: no schema says when."""
    new = {"customer_id": "ada", "subject": "Card", "description": "My card was declined."}
    one, other = (ask("POST", prefix, new | {"subject": name})["id"] for name in ("Card", "Fee"))
    path = prefix + "/{id}"
    ask("POST", f"{path}/messages", {"text": "Is anybody there?"}, id=one)
    said = ask("GET", path, id=one)["messages"][-1]["id"]
    ask("POST", f"{path}/split", {"messages": [said]}, id=one)
    ask("PUT", f"{path}/owner", {"type": "person", "id": "lena"}, id=one)
    ask("PUT", f"{path}/priority", {"priority": "urgent"}, id=one)
    ask("PUT", f"{path}/tags", {"tags": ["card"]}, id=one)
    ask("POST", f"{path}/suggestion", id=one)
    ask("PUT", f"{path}/snooze", {"until": "2100-01-01T09:00:00Z"}, id=one)
    ask("POST", f"{path}/notes", {"text": "Seen."}, id=one)
    ask("POST", f"{path}/merge", {"other": other}, id=one)
    ask("PUT", f"{path}/status", {"status": "resolved"}, id=one)
    assert len(ask("GET", f"{path}/changes", id=one)["data"]) > 8
    assert ask("GET", prefix, query={"filter[customer]": "ada"})["data"]


def work_on_customers(ask: Asker) -> None:
    """Profiles, segments, decisions, and what is sent of customers."""
    ask("POST", "/api/v1/events", {"messageId": "good:1", "userId": "ada", **FACTS[1]})
    ask("POST", "/api/v1/events/batch", {"batch": [{"messageId": "good:2", "userId": "ada", **FACTS[1]}]})
    ask("POST", "/predict_nba", {"customer_id": "ada"})
    ask("GET", "/api/v1/profiles/{customer}", customer="ada")
    ask("GET", "/api/v1/profiles/{customer}/changes", customer="ada")
    ask("POST", "/api/v1/profiles:batch", {"customers": list(CUSTOMERS)})
    condition = {"all": [{"feature": "angry_30d", "is": ">", "value": 7}]}
    ask("PUT", "/api/v1/segments/{name}", condition, name="risky")
    ask("GET", "/api/v1/segments/{name}/members", name="risky")
    ask("GET", "/api/v1/segments/{name}/changes", name="risky")
    ask("DELETE", "/api/v1/segments/{name}", name="risky")
    assert [each["segment"]["name"] for each in ask("GET", "/api/v1/segments")["segments"]] == ["vip"]


def work_on_the_rest(ask: Asker) -> None:
    """Knowledge, what waits for people, and what a server says of itself."""
    found = ask("POST", "/api/v1/knowledge/search", {"query": "What does a payment abroad cost?"})["results"][0]
    document = {"document_id": found["document_id"]}
    ask("GET", "/api/v1/knowledge/document", query=document)
    ask("GET", "/api/v1/knowledge/passages", query=document | {"version": 1, "ordinal": 0})
    yes, no = ask("GET", "/api/v1/actions")["actions"][:2]
    ask("GET", "/api/v1/actions/{id}", id=yes["id"])
    edited = ask("PUT", "/api/v1/actions/{id}/arguments", {"arguments": yes["arguments"]}, id=yes["id"])
    ask("POST", "/api/v1/actions/{id}/approve", {"arguments_hash": edited["arguments_hash"]}, id=yes["id"])
    ask("POST", "/api/v1/actions/{id}/deny", {"arguments_hash": no["arguments_hash"]}, id=no["id"])
    done = ask("GET", "/api/v1/actions", query={"state": "executed"})["actions"]
    ask("POST", "/api/v1/actions/{id}/undo", id=next(each["id"] for each in done if each["action"] == "close"))
    doubtful = ask("GET", "/api/v1/outbox")["deliveries"][0]
    ask("POST", "/api/v1/outbox/{id}/decide", {"decision": "delivered"}, id=doubtful["id"])
    assert ask("POST", "/api/v1/chat/tickets", {"customer_id": "ada"})["ticket"]
    assert ask("GET", "/health")["status"] == "healthy"
    ask("GET", "/metrics")
    ask("GET", "/.well-known/oauth-authorization-server")
    ask("GET", "/oauth/keys")
