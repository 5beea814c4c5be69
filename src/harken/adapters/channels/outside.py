"""A URL that somebody configured -> one request to it, by rules that keep it from leading inside.

The name is resolved once and the connection goes to that very address, so a name that changes its mind leads nowhere;
redirects are not followed, and nothing takes longer than a deadline, however slowly the other side speaks.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from harken.act.ports import NotSentError, RejectedError, UnknownOutcomeError

DEADLINE_S = 20.0
"""For everything, from the first byte to the last: less than a lease."""

MOST_ANSWER_BYTES = 65_536
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What may be reached."""

    secrets: tuple[SecretStr, ...] = ()  #: the first signs, and so do the others while they are being replaced
    private_hosts: frozenset[str] = frozenset()  #: host names or addresses inside that may be reached all the same
    plain_loopback: bool = False  #: http:// to this machine, for trying out
    deadline_s: float = DEADLINE_S


class Asked(NamedTuple):
    """A request: its body is the same bytes with every try."""

    method: str
    headers: Mapping[str, str]
    body: bytes | None = None
    most: int = MOST_ANSWER_BYTES  #: bytes of the answer that are read


class Answered(NamedTuple):
    status: int
    retry_after: str | None
    body: bytes


class Outside:
    """Asks other systems."""

    def __init__(self, rules: Rules, context: ssl.SSLContext | None = None) -> None:
        self._rules = rules
        self._context = context or ssl.create_default_context()

    def ask(self, to: str, asked: Asked) -> Answered:
        """Raises NotSentError, RejectedError for an address that the rules refuse, UnknownOutcomeError."""
        url = urlsplit(to)
        return self._answer(url, self._allowed(url), asked)

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

    def _answer(self, url: SplitResult, address: str, asked: Asked) -> Answered:
        connection = _Pinned(url, address, self._rules.deadline_s, self._context if url.scheme == "https" else None)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        with _deadline(connection, self._rules.deadline_s):
            try:
                connection.connect()
            except (OSError, ValueError) as closed:
                raise NotSentError("it cannot be reached") from closed
            try:
                connection.request(asked.method, path, asked.body, dict(asked.headers))
                answer = connection.getresponse()
                told = Answered(answer.status, answer.headers.get("Retry-After"), answer.read(asked.most))
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
