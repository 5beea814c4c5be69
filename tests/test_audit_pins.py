"""Signed heads leave for a server of somebody else: each one, in order, as often as it takes; and sealing waits for nobody."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest
from audit_cases import SECRET, audit_on, record, superuser
from journey import NOW, harken
from pydantic import SecretStr

from harken.adapters.channels import elsewhere
from harken.adapters.channels.elsewhere import Elsewhere
from harken.adapters.channels.outside import Rules
from harken.audit import note
from harken.audit.note import Signer
from harken.errors import TryAgainError, UnsuitableError
from harken.flow import auditing, pinning, sealing
from harken.flow.audit_desk import AuditDesk
from harken.kit import observe
from harken.kit.clock import stopped_at

KEY = bytes(range(24))
HOOK = f"whsec_{base64.b64encode(KEY).decode()}"
RULES = Rules(secrets=(SecretStr(HOOK),), plain_loopback=True, deadline_s=0.5)


@dataclass
class Auditor:
    """Takes heads over HTTP, by a mood that may change, and hands out what it took."""

    mood: int = 200  #: the status it answers with; 0: it hangs
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    url: str = ""

    def take(self, headers: dict[str, str], body: bytes) -> None:
        self.calls.append((headers, body))
        if 200 <= self.mood < 300:
            self.kept.append(json.loads(body)["data"]["checkpoint"])


@pytest.fixture
def auditor() -> Iterator[Auditor]:
    made = Auditor()
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if made.mood == 0:
                ended.wait(20)
                return
            made.take({name.lower(): value for name, value in self.headers.items()}, body)
            self._answer(made.mood, b"{}")

        def do_GET(self) -> None:
            self._answer(made.mood, "".join(f"{each}\n" for each in made.kept).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *ignored: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/heads"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def desk(store_url: str, tmp_path: Path, auditor: Auditor) -> Iterator[AuditDesk]:
    with audit_on(store_url, tmp_path) as made:
        yield replace(made, elsewhere=sending(auditor.url), fetch=lambda url: elsewhere.fetched(url, RULES))


def sending(url: str, rules: Rules = RULES) -> Elsewhere:
    return Elsewhere(url, rules, Signer(SECRET).public.text, stopped_at(NOW))


def seal_some(desk: AuditDesk, url: str, turns: int, first: int = 0) -> None:
    for turn in range(first, first + turns):
        record(url, 5, 5 * turn)
        sealing.seal(desk)


def sizes(notes: list[str]) -> list[int]:
    return [note.said(each).size for each in notes]


def counted(outcome: str) -> float:
    page: Any = observe.AUDIT_PINS.labels(outcome=outcome)
    value: float = page._value.get()
    return value


def test_every_head_is_sent_once_in_order_and_signed(desk: AuditDesk, store_url: str, auditor: Auditor) -> None:
    seal_some(desk, store_url, 3)
    first = pinning.publish(desk)
    seal_some(desk, store_url, 2, first=3)
    second, third = pinning.publish(desk), pinning.publish(desk)

    assert (first.sent, second.sent, third.sent) == (3, 2, 0)
    assert sizes(auditor.kept) == [5, 10, 15, 20, 25]
    assert "".join(f"{each}\n" for each in auditor.kept) == desk.pins.path.read_text("utf-8")
    for headers, body in auditor.calls:
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mark = base64.b64encode(hmac.new(KEY, content, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{mark}"
        told = json.loads(body)
        assert (told["id"], told["type"]) == (headers["webhook-id"], "audit.checkpoint")
        assert (
            note.public_key(told["data"]["public_key"]).opened(told["data"]["checkpoint"]).size
            == (told["data"]["tree_size"])
        )


@pytest.mark.parametrize(("mood", "outcome"), [(0, "away"), (500, "away"), (429, "away"), (410, "refused")])
def test_a_server_that_does_not_take_a_head_gets_it_later(
    mood: int, outcome: str, desk: AuditDesk, store_url: str, auditor: Auditor
) -> None:
    auditor.mood, before = mood, counted(outcome)
    seal_some(desk, store_url, 2)

    first = pinning.publish(desk)
    seal_some(desk, store_url, 1, first=2)
    auditor.mood = 200
    later = pinning.publish(desk)

    assert first.sent == 0
    assert first.why.startswith("A signed head ")
    assert first.why.endswith("It waits here.")
    assert later.sent == 3
    assert sizes(auditor.kept) == [5, 10, 15]
    assert counted(outcome) == before + 1


def test_a_dead_server_stops_no_sealing(desk: AuditDesk, store_url: str) -> None:
    """Nobody listens there; nor does a thread of sending hold the one that seals."""
    dead = replace(desk, elsewhere=sending("http://127.0.0.1:9/heads"))
    seal_some(dead, store_url, 3)

    assert "cannot be reached" in pinning.publish(dead).why
    assert auditing.verify(dead).ok
    assert len(list(dead.pins.unsent(10))) == 3


def test_while_a_slow_server_thinks_others_seal(desk: AuditDesk, store_url: str, auditor: Auditor) -> None:
    auditor.mood = 0
    seal_some(desk, store_url, 1)
    told: list[str] = []
    sends = threading.Thread(target=lambda: told.append(pinning.publish(desk).why))
    sends.start()
    seal_some(desk, store_url, 3, first=1)
    sealed_first = sends.is_alive()
    sends.join()

    assert sealed_first
    assert "no whole answer came" in told[0]


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "https://10.0.0.8/x", "https://169.254.169.254/x", "https://[::1]/x", "http://1.1.1.1/x"]
)  # fmt: skip
def test_an_address_inside_is_refused(url: str, desk: AuditDesk, store_url: str) -> None:
    rules = replace(RULES, plain_loopback=False)
    seal_some(desk, store_url, 1)

    found = pinning.publish(replace(desk, elsewhere=sending(url, rules)))

    assert found.sent == 0
    assert "its address is inside" in found.why or "only https:// is spoken" in found.why
    with pytest.raises(UnsuitableError, match="are not fetched"):
        elsewhere.fetched(url, rules)


def test_without_a_secret_nothing_is_sent_unsigned() -> None:
    with pytest.raises(UnsuitableError, match="HARKEN_ACTION_SECRET"):
        sending("https://audit.example/heads", replace(RULES, secrets=()))


def test_what_was_half_written_when_the_power_went_is_not_sent(
    desk: AuditDesk, store_url: str, auditor: Auditor
) -> None:
    seal_some(desk, store_url, 1)
    with desk.pins.path.open("ab") as file:
        file.write("harken-audit-half — a \N{EM DASH} no".encode()[:-2])
    seal_some(desk, store_url, 2, first=1)

    pinning.publish(desk)

    assert sizes(auditor.kept) == [5, 10, 15]
    assert pinning.publish(desk).sent == 0


@pytest.mark.parametrize("seed", range(3))
def test_a_server_of_changing_moods_has_every_head_in_the_end(
    seed: int, desk: AuditDesk, store_url: str, auditor: Auditor
) -> None:
    """Whatever it answered, and wherever a crash lost how far the sending was: each is there, and none twice without its id."""
    chance = Random(seed)
    for turn in range(12):
        auditor.mood = chance.choice([200, 200, 500, 404])
        seal_some(desk, store_url, 1, first=turn)
        pinning.publish(desk)
        if chance.random() < 0.2:
            desk.pins.path.with_name("pins.sent").unlink(missing_ok=True)
    auditor.mood = 200
    pinning.publish(desk)

    ids = {headers["webhook-id"]: json.loads(body)["data"]["tree_size"] for headers, body in auditor.calls}
    assert sorted(ids.values()) == sorted(set(sizes(auditor.kept))) == [5 * turn for turn in range(1, 13)]


def test_what_an_address_kept_is_compared(desk: AuditDesk, store_url: str, auditor: Auditor) -> None:
    """Everything behind the fifth event is cut off, and the pins on this machine with it: only the other side knows."""
    seal_some(desk, store_url, 2)
    pinning.publish(desk)
    whole = auditing.verify(desk, auditor.url)
    with superuser(store_url) as owner:
        for table, column in (("audit_checkpoint", "size"), ("audit_leaf", "place + 1"), ("audit_event", "id")):
            owner.execute(f"DELETE FROM {table} WHERE {column} > 5")  # type: ignore[arg-type]
    desk.pins.path.unlink()

    here, there = auditing.verify(desk), auditing.verify(desk, auditor.url)

    assert (whole.ok, here.ok) == (True, True)
    assert there.problems == ["the head of 10 events was pinned and is gone"]


def test_an_address_that_says_nothing_verifies_nothing(desk: AuditDesk, store_url: str, auditor: Auditor) -> None:
    seal_some(desk, store_url, 1)

    with pytest.raises(UnsuitableError, match="holds no signed note"):
        auditing.verify(desk, auditor.url)
    auditor.mood = 404
    with pytest.raises(UnsuitableError, match="answered 404"):
        auditing.verify(desk, auditor.url)
    with pytest.raises(TryAgainError, match="could not be fetched"):
        auditing.verify(desk, "http://127.0.0.1:9/heads")


def test_the_commands_send_and_compare(
    store_url: str, auditor: Auditor, command_line: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARKEN_AUDIT_PIN_URL", auditor.url)
    monkeypatch.setenv("HARKEN_ACTION_SECRET", HOOK)
    record(store_url, 7)
    refused = harken("audit", "seal", "--store", store_url)
    monkeypatch.setenv("HARKEN_ACTION_HOSTS", "loopback")
    sealed = harken("audit", "seal", "--store", store_url, "--json")
    verified = harken("audit", "verify", "--pinned", auditor.url, "--store", store_url, "--json")

    assert "was not taken elsewhere: only https:// is spoken" in refused.err
    assert refused.code == 0
    assert sealed.code == 0
    assert sizes(auditor.kept) == [7]
    assert (verified.code, verified.json["ok"]) == (0, True)
