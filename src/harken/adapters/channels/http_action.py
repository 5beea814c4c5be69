"""An action -> one signed POST to a system of the organisation's, whose address stands in the catalogue.

Signed as Standard Webhooks has it, with the outbox's id as `webhook-id` and `Idempotency-Key`. The name is resolved once
and the connection goes to that very address, so a name that changes its mind leads nowhere; redirects are not followed.
"""

import base64
import binascii
import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from harken.act.ports import Message, NotSentError, Receipt, RejectedError, UnconfiguredError, UnknownOutcomeError
from harken.errors import UnsuitableError

DEADLINE_S = 20.0
"""For everything, from the first byte to the last: less than a lease."""

MOST_ANSWER_BYTES = 65_536
MOST_REFERENCE = 100
PREFIX = "whsec_"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_LATER = frozenset({408, 409, 423, 425, 429})
"""Not now: 409 is also how an earlier request with this key is said to be under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What may be reached."""

    secrets: tuple[SecretStr, ...]  #: the first signs, and so do the others while they are being replaced
    private_hosts: frozenset[str] = frozenset()  #: host names or addresses inside that may be reached all the same
    plain_loopback: bool = False  #: http:// to this machine, for trying out
    deadline_s: float = DEADLINE_S


class HttpAction:
    """POST, JSON, signed."""

    def __init__(self, rules: Rules, clock: Callable[[], datetime], context: ssl.SSLContext | None = None) -> None:
        self._rules, self._clock = rules, clock
        self._keys = [_key(secret) for secret in rules.secrets]
        self._context = context or ssl.create_default_context()

    def send(self, message: Message, key: str) -> Receipt:
        if not message.url or not self._keys:
            raise UnconfiguredError
        url = urlsplit(message.url)
        address = self._allowed(url)
        body = _body(message, key)
        headers = {**signed(key, int(self._clock().timestamp()), body, self._keys), "Idempotency-Key": key,
                   "Content-Type": "application/json", "User-Agent": "Harken", "Connection": "close"}  # fmt: skip
        status, retry_after, answer = self._posted(url, address, body, headers)
        return _receipt(status, retry_after, answer)

    def _allowed(self, url: SplitResult) -> str:
        """The one address that is connected to."""
        host = url.hostname or ""
        try:
            port = url.port or _port(url)
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, ValueError) as unknown:
            raise NotSentError("its name cannot be resolved") from unknown
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        # All of them, not only the one that is used: a name that is half inside is not outside.
        if refused := next((why for each in addresses if (why := self._objection(url, host, each))), ""):
            raise RejectedError(refused)
        return addresses[0]

    def _objection(self, url: SplitResult, host: str, address: str) -> str:
        ip = _unmapped(ipaddress.ip_address(address.partition("%")[0]))
        if ip.is_loopback and self._rules.plain_loopback:
            return ""
        if url.scheme != "https":
            return "only https:// is spoken"
        if host in self._rules.private_hosts or str(ip) in self._rules.private_hosts:
            return ""
        return "" if ip.is_global and not ip.is_multicast else "its address is inside: see HARKEN_ACTION_HOSTS"

    def _posted(
        self, url: SplitResult, address: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, str | None, bytes]:
        connection = _Pinned(url, address, self._rules.deadline_s, self._context if url.scheme == "https" else None)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        with _deadline(connection, self._rules.deadline_s):
            try:
                connection.connect()
            except (OSError, ValueError) as closed:
                raise NotSentError("it cannot be reached") from closed
            try:
                connection.request("POST", path, body, dict(headers))
                answer = connection.getresponse()
                told = answer.status, answer.headers.get("Retry-After"), answer.read(MOST_ANSWER_BYTES)
                if connection.ended:  # to the library headers that break off have ended
                    raise TimeoutError
                return told
            except (OSError, http.client.HTTPException, ValueError) as broken:
                # From the first byte on nobody knows: the other side may have acted and lost its voice.
                raise UnknownOutcomeError(f"no whole answer came ({type(broken).__name__})") from broken
            finally:
                connection.close()


class _Pinned(http.client.HTTPConnection):
    """To this address, with the name for the certificate and the Host header."""

    def __init__(self, url: SplitResult, address: str, timeout: float, context: ssl.SSLContext | None) -> None:
        super().__init__(url.hostname or "", url.port or _port(url), timeout=timeout)
        self._address, self._context = address, context
        self.ended = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._context is not None:
            # The handshake comes after, so that `end` finds the socket that waits.
            secured = self._context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = secured
            secured.do_handshake()
        if self.ended:
            raise TimeoutError

    def end(self) -> None:
        """From another thread: whoever waits for bytes is told that none come any more."""
        self.ended = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it has ended by itself


@contextmanager
def _deadline(connection: _Pinned, seconds: float) -> Iterator[None]:
    """A timeout of the socket begins anew with every byte; this does not."""
    timer = threading.Timer(seconds, connection.end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _port(url: SplitResult) -> int:
    return 443 if url.scheme == "https" else 80


def _unmapped(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """What an IPv6 address stands for where it only wraps one of IPv4."""
    if isinstance(ip, ipaddress.IPv6Address):
        teredo = ip.teredo[1] if ip.teredo else None
        translated = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
        return ip.ipv4_mapped or ip.sixtofour or teredo or translated or ip
    return ip


def _body(message: Message, key: str) -> bytes:
    """The same bytes with every try."""
    told: dict[str, Any] = {
        "id": key,
        "type": f"action.{message.action}",
        "timestamp": message.at.isoformat(),
        "data": {"ticket": message.ticket, "customer": message.customer, "arguments": dict(message.arguments)},
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def signed(id_: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers of Standard Webhooks; one signature for each key."""
    content = f"{id_}.{timestamp}.".encode() + body
    made = [base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{each}" for each in made),
    }


def _key(secret: SecretStr) -> bytes:
    try:
        key = base64.b64decode(secret.get_secret_value().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise UnsuitableError(
            "HARKEN_ACTION_SECRET is whsec_ and the base64 of 24 to 64 bytes: openssl rand -base64 32"
        )
    return key


def _receipt(status: int, retry_after: str | None, answer: bytes) -> Receipt:
    if 200 <= status < 300:
        return Receipt(_reference(answer))
    if status in _LATER:
        wait = float(retry_after) if retry_after and retry_after.isdigit() else None
        raise NotSentError(f"it answered {status}", after_s=wait)
    if status >= 500:
        # It may have broken before or after it acted.
        raise UnknownOutcomeError(f"it answered {status}")
    raise RejectedError(f"it answered {status}")


def _reference(answer: bytes) -> str:
    """The other side's own number for it, where it gives one: `{"reference": "R-17"}`. Nothing else of its words is kept."""
    try:
        told = json.loads(answer)
    except ValueError:
        return ""
    found = told.get("reference") if isinstance(told, dict) else None
    short = isinstance(found, str) and len(found) <= MOST_REFERENCE and found.isascii() and found.isprintable()
    return str(found) if short else ""
