"""A server that speaks as much of Redis' protocol (RESP 2) as a cache needs, with the faults that a Redis has.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

import contextlib
import socketserver
import threading
import time
from collections.abc import Iterator
from typing import BinaryIO


class Redis(socketserver.ThreadingTCPServer):
    """What it holds, what it was asked, and whether it answers."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Door)
        self.held: dict[bytes, tuple[bytes, float]] = {}
        self.asked: list[bytes] = []
        self.connections = 0
        self.silent = False
        self.loading = False
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"redis://:hush@127.0.0.1:{self.server_address[1]}/0"

    def answer(self, words: list[bytes]) -> bytes:
        name = words[0].upper()
        self.asked.append(name)
        if self.silent:
            self.released.wait(30)
        if self.loading and name in (b"MGET", b"SET"):
            return b"-LOADING Redis is loading the dataset in memory\r\n"
        if name == b"MGET":
            return b"*%d\r\n%b" % (len(words) - 1, b"".join(map(self._value, words[1:])))
        if name == b"SET":
            assert words[3].upper() == b"PX"
            self.held[words[1]] = words[2], time.monotonic() + int(words[4]) / 1000
        elif name == b"HELLO":
            return b"-ERR unknown command\r\n"
        elif name == b"AUTH" and words[-1] != b"hush":
            return b"-WRONGPASS invalid username-password pair\r\n"
        return b"+OK\r\n"

    def _value(self, key: bytes) -> bytes:
        value, until = self.held.get(key, (b"", 0.0))
        return b"$%d\r\n%b\r\n" % (len(value), value) if until > time.monotonic() else b"$-1\r\n"


class _Door(socketserver.StreamRequestHandler):
    server: Redis

    def handle(self) -> None:
        self.server.connections += 1
        with contextlib.suppress(ConnectionError):
            while words := _words(self.rfile):  # type: ignore[arg-type]
                self.wfile.write(self.server.answer(words))


def _words(stream: BinaryIO) -> list[bytes]:
    count = stream.readline()
    return [stream.read(int(stream.readline()[1:]) + 2)[:-2] for _ in range(int(count[1:] or 0))]


@contextlib.contextmanager
def serving(port: int = 0) -> Iterator[Redis]:
    server = Redis(port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
