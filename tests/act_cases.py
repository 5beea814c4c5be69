"""What the tests of acting share: a ticket, a desk whose clock moves, and other sides that count what they did."""

import socketserver
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.hostile_proposals import START, TICKET, VERIFIED
from journey import MASTER, rows_of
from pydantic import SecretStr

from harken.act import catalogue
from harken.act.ports import Message, Receipt, Sender
from harken.adapters.channels.conversation import Conversation
from harken.adapters.channels.http_action import HttpAction
from harken.adapters.channels.outside import Rules
from harken.bootstrap import acting as wiring
from harken.domain.proposal import Proposal
from harken.errors import RefusedError
from harken.eventlog import registry
from harken.flow import ticket_acting
from harken.flow.act_desk import ActDesk
from harken.flow.acting import Cause
from harken.flow.desk import LiveDesk
from harken.flow.door import Door
from harken.flow.ticket_desk import TicketDesk
from harken.kit import db
from harken.tickets import desk_rules

SECRET = SecretStr("whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY=")
KEY = "4b0a2d0e-1111-5222-8333-444455556666"
CAUSE = Cause(ticket=TICKET, id="kb:1", live=VERIFIED)
REFUND = Proposal(action="refund", arguments={"amount_minor": 5000, "currency": "EUR"}, because="double charge")


class Ticking:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Noted:
    """What was recorded, done to tickets, and asked of people."""

    audit: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    tickets: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    people: list[tuple[str, str]] = field(default_factory=list)
    refuses: bool = False

    def record(self, tx: db.Tx, actor: str, action: str, body: Mapping[str, Any]) -> None:
        self.audit.append((actor, action, dict(body)))

    def act(self, tx: db.Tx, ticket: str, action: str, arguments: Mapping[str, Any]) -> None:
        if self.refuses:
            tx.execute("CREATE TEMPORARY TABLE half_done ()")
            raise RefusedError("closed")
        self.tickets.append((ticket, action, dict(arguments)))

    def ask(self, tx: db.Tx, ticket: str, reason: str) -> None:
        self.people.append((ticket, reason))

    @property
    def told(self) -> list[str]:
        return [action for _, action, _ in self.audit]


class Counts:
    """A channel that counts what happened, by key; and fails as it is told to, before or after."""

    def __init__(self, *, takes_keys: bool = True) -> None:
        self.effects: Counter[str] = Counter()
        self.calls: list[tuple[Message, str]] = []
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self._takes_keys = takes_keys

    def send(self, message: Message, key: str) -> Receipt:
        self.calls.append((message, key))
        if self.before:
            raise self.before.pop(0)
        if not (self._takes_keys and self.effects[key]):
            self.effects[key] += 1
        if self.after:
            raise self.after.pop(0)
        return Receipt(f"R-{len(self.calls)}")


CATALOGUE = """
[refund]
url = "{url}"

[account_closure]
url = "{url}"

[voucher]
title = "Send a voucher"
tier = "auto"
effect = "unkeyed"
executor = "http"
url = "{url}"
arguments = {{ type = "object", properties = {{ percent = {{ type = "integer", minimum = 1, maximum = 20 }} }} }}
limits = {{ count_per_day = 100 }}
"""


def catalogue_of(folder: Path, url: str = "https://erp.example/actions") -> catalogue.Catalogue:
    """What ships with Harken with an address, and an action that nobody can do twice by accident."""
    path = folder / "actions.toml"
    path.write_text(CATALOGUE.format(url=url))
    return catalogue.load(path)


@contextmanager
def act_desk(
    url: str, folder: Path, clock: Any, noted: Noted | None = None, senders: Mapping[str, Sender] | None = None, at: str = "https://erp.example/actions"
) -> Iterator[ActDesk]:  # fmt: skip
    database, told = db.Database(url), noted or Noted()
    live = LiveDesk(
        database=database,
        master=MASTER,
        clock=clock,
        open_door=lambda: Door(master=MASTER, registry=registry.load()),
        with_mood=False,
    )
    given = (
        {"conversation": Conversation(partial(ticket_acting.say, desk=ticket_desk(live)))}
        if senders is None
        else senders
    )
    try:
        yield ActDesk(
            database=database,
            master=MASTER,
            clock=clock,
            catalogue=catalogue_of(folder, at),
            senders=given,
            record=told.record,
            ticket_actions=told.act,
            ask_person=told.ask,
            address_of=wiring.address_of,
        )
    finally:
        database.close()


def ticket_desk(live: LiveDesk) -> TicketDesk:
    """Where nobody is known before they write."""
    return TicketDesk(live=live, people=lambda name: {}, rules=desk_rules.load())


def http(clock: Any, *, plain_loopback: bool = True, deadline_s: float = 5) -> HttpAction:
    return HttpAction(Rules(secrets=(SECRET,), plain_loopback=plain_loopback, deadline_s=deadline_s), clock)


class Effects(ThreadingHTTPServer):
    """A system of the organisation's. `takes_keys`: a key that it has seen changes nothing more."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *, takes_keys: bool = True) -> None:
        super().__init__(("127.0.0.1", 0), _Effects)
        self.takes_keys = takes_keys
        self.effects: Counter[str] = Counter()
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/actions"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that is killed midway is what these tests are about."""


class _Effects(BaseHTTPRequestHandler):
    server: Effects

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Idempotency-Key"]
        with self.server.lock:
            self.server.requests.append((dict(self.headers.items()), body))
            answer = self.server.answers.pop(0) if self.server.answers else (200, {}, b'{"reference": "R-1"}')
            if answer[0] < 300 and not (self.server.takes_keys and self.server.effects[key]):
                self.server.effects[key] += 1
        self.send_response(answer[0])
        for name, value in {"Content-Length": str(len(answer[2])), **answer[1]}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer[2])

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def effects(*, takes_keys: bool = True) -> Iterator[Effects]:
    with Effects(takes_keys=takes_keys) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def outbox(url: str) -> list[dict[str, Any]]:
    return rows_of(
        url,
        "SELECT id, action, channel, state, tries, fence, receipt, error, proposal FROM outbox ORDER BY enqueued_at, id",
    )


def proposals(url: str) -> list[dict[str, Any]]:
    return rows_of(
        url,
        "SELECT id, action, state, people, encode(arguments_hash, 'hex') AS hash FROM action_proposal ORDER BY proposed_at, action, id",
    )


@contextmanager
def speaks(handle: Any) -> Iterator[int]:
    """A server of raw bytes."""

    class Raw(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            handle(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """The caller hung up: that is what is tried here."""

    with Server(("127.0.0.1", 0), Raw) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
