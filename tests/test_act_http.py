"""How what was decided leaves: signed, once, to where the catalogue says and nowhere else; and what each failure means."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from act_cases import KEY, SECRET, START, TICKET, Effects, Ticking, effects, http, speaks
from benchmarks.hostile_proposals import MARIA
from pydantic import SecretStr

from harken.act.ports import Message, NotSentError, Receipt, RejectedError, UnconfiguredError, UnknownOutcomeError
from harken.adapters.channels import email, outside
from harken.adapters.channels.http_action import HttpAction
from harken.adapters.channels.outside import Rules
from harken.errors import UnsuitableError
from harken.flow.delivering import LEASE

REFUND = Message(
    action="refund",
    channel="http",
    ticket=TICKET.id,
    customer=MARIA,
    arguments={"amount_minor": 5_000, "currency": "EUR", "reason": "Gebühr"},
    at=START,
)


@pytest.fixture
def system() -> Iterator[Effects]:
    with effects() as server:
        yield server


def sent(system: Effects, **more: Any) -> Receipt:
    return http(Ticking(), **more).send(replace(REFUND, url=system.url), KEY)


def test_a_request_is_signed_as_standard_webhooks_has_it(system: Effects) -> None:
    assert sent(system) == Receipt("R-1")

    [(headers, body)] = system.requests
    timestamp = str(int(START.timestamp()))
    secret = base64.b64decode(SECRET.get_secret_value().removeprefix("whsec_"))
    expected = hmac.new(secret, f"{KEY}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    assert headers["webhook-id"] == headers["Idempotency-Key"] == KEY
    assert headers["webhook-timestamp"] == timestamp
    assert headers["webhook-signature"] == "v1," + base64.b64encode(expected).decode()
    assert json.loads(body) == {
        "id": KEY,
        "type": "action.refund",
        "timestamp": START.isoformat(),
        "data": {"ticket": TICKET.id, "customer": MARIA, "arguments": REFUND.arguments},
    }


def test_while_a_secret_is_replaced_both_sign(system: Effects) -> None:
    other = SecretStr("whsec_" + base64.b64encode(bytes(32)).decode())
    rules = Rules(secrets=(other, SECRET), plain_loopback=True)
    HttpAction(rules, Ticking()).send(replace(REFUND, url=system.url), KEY)

    assert len(system.requests[0][0]["webhook-signature"].split(" v1,")) == 2


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_AAAA", "whsec_!!!!", "whsec_" + "A" * 200])
def test_a_weak_secret_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(UnsuitableError) as told:
        HttpAction(Rules(secrets=(SecretStr(secret),)), Ticking())
    assert len(secret) < 8 or secret.removeprefix("whsec_") not in str(told.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, RejectedError),
        (401, RejectedError),
        (404, RejectedError),
        (410, RejectedError),
        (422, RejectedError),
        (301, RejectedError),
        (302, RejectedError),
        (307, RejectedError),
        (408, NotSentError),
        (409, NotSentError),
        (425, NotSentError),
        (429, NotSentError),
        (500, UnknownOutcomeError),
        (502, UnknownOutcomeError),
        (503, UnknownOutcomeError),
    ],
)
def test_what_an_answer_means(system: Effects, status: int, error: type[Exception]) -> None:
    """A redirect is not followed, wherever it leads."""
    system.answers = [(status, {"Location": system.url, "Retry-After": "90"}, b"no")]
    with pytest.raises(error) as told:
        sent(system)
    assert len(system.requests) == 1
    if isinstance(told.value, NotSentError):
        assert told.value.after_s == 90


@pytest.mark.parametrize("answer", [b"", b"ok", b"[]", b'{"reference": 5}', b'{"reference": "' + b"x" * 101 + b'"}', b'{"reference": "a\\nb"}', b"\xff"])  # fmt: skip
def test_nothing_of_the_other_sides_words_is_kept_but_a_short_number(system: Effects, answer: bytes) -> None:
    system.answers = [(200, {}, answer)]
    assert sent(system) == Receipt("")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://10.0.0.1/x", ""),
        ("https://127.0.0.1/x", ""),
        ("https://localhost/x", ""),
        ("https://169.254.169.254/latest/meta-data", ""),
        ("https://192.168.1.1/x", ""),
        ("https://172.16.0.1/x", ""),
        ("https://100.64.0.1/x", ""),
        ("https://0.0.0.0/x", ""),
        ("https://[::1]/x", ""),
        ("https://[::ffff:10.0.0.1]/x", ""),
        ("https://[fe80::1]/x", ""),
        ("https://[fd00::1]/x", ""),
        ("https://[64:ff9b::a00:1]/x", ""),
        ("https://[2002:a00:1::1]/x", ""),
        ("https://224.0.0.1/x", ""),
        ("https://2130706433/x", ""),
        ("https://0x7f.1/x", ""),
        ("http://93.184.216.34/x", ""),
        ("https://erp.example/x", "10.0.0.1"),
        ("https://erp.example/x", "93.184.216.34 10.0.0.1"),
    ],
)
def test_nothing_inside_is_reached(monkeypatch: pytest.MonkeyPatch, url: str, address: str) -> None:
    """Not by address, however it is written, nor by a name that leads there, nor by one that does so in part."""
    if address:
        monkeypatch.setattr(outside.socket, "getaddrinfo", resolves(address))
    with pytest.raises(RejectedError):
        http(Ticking(), plain_loopback=False).send(replace(REFUND, url=url), KEY)


def resolves(addresses: str) -> Any:
    return lambda host, port, *more, **others: [(2, 1, 6, "", (each, port)) for each in addresses.split()]


def test_a_name_is_resolved_once_and_that_address_is_used(system: Effects, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads outside when it is checked and inside when it is connected to leads to what was checked."""
    asked: list[str] = []

    def changes_its_mind(host: str, port: int, *more: Any, **others: Any) -> Any:
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1" if len(asked) == 1 else "10.0.0.1", port))]

    original = socket.getaddrinfo
    monkeypatch.setattr(
        outside.socket,
        "getaddrinfo",
        lambda host, *more, **others: (changes_its_mind if host == "erp.example" else original)(host, *more, **others),
    )
    url = system.url.replace("127.0.0.1", "erp.example")
    http(Ticking()).send(replace(REFUND, url=url), KEY)

    assert asked == ["erp.example"]
    assert system.requests[0][0]["Host"].startswith("erp.example")


def test_a_host_inside_may_be_allowed_by_name_but_not_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outside.socket, "getaddrinfo", resolves("127.0.0.1"))
    rules = Rules(secrets=(SECRET,), private_hosts=frozenset({"erp.internal"}))
    with pytest.raises(RejectedError, match="https"):
        HttpAction(rules, Ticking()).send(replace(REFUND, url="http://erp.internal:9/x"), KEY)
    with pytest.raises(NotSentError):  # allowed, and nobody listens
        HttpAction(rules, Ticking()).send(replace(REFUND, url="https://erp.internal:9/x"), KEY)


def test_what_has_no_address_waits() -> None:
    with pytest.raises(UnconfiguredError):
        http(Ticking()).send(REFUND, KEY)


def drips(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    ended = threading.Event()
    for number in range(200):
        connection.sendall(f"X-{number}: a\r\n".encode())
        ended.wait(0.05)


def hangs_up(connection: socket.socket) -> None:
    connection.recv(65_536)


def mumbles(connection: socket.socket) -> None:
    connection.recv(65_536)
    connection.sendall(b"220 mail.example ESMTP\r\n")


@pytest.mark.parametrize("server", [drips, hangs_up, mumbles])
def test_an_answer_that_is_none_leaves_it_unknown(server: Any) -> None:
    """Also one that comes byte by byte for longer than anybody waits."""
    with speaks(server) as port, pytest.raises(UnknownOutcomeError):
        http(Ticking(), deadline_s=0.5).send(replace(REFUND, url=f"http://127.0.0.1:{port}/x"), KEY)


def test_nobody_there_is_certainly_not_sent() -> None:
    with pytest.raises(NotSentError):
        http(Ticking()).send(replace(REFUND, url="http://127.0.0.1:1/x"), KEY)


def test_a_sender_is_done_before_its_lease() -> None:
    assert LEASE.total_seconds() > 2 * outside.DEADLINE_S
    assert LEASE.total_seconds() > 5 * email.TIMEOUT_S
