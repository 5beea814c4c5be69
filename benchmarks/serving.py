"""A server of our own under a steady rate of requests: what the benchmarks of HTTP share.

Open loop: a request leaves when it is due, whether or not the one before was answered, and its time counts from then.
"""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import TypeAlias

import psycopg

from benchmarks import measure

WARM_UP_S = 3
READY_WITHIN_S = 60
CUSTOMERS_ASKED = 5_000

Request: TypeAlias = tuple[str, bytes]
"""`GET /path` or `POST /path`, and the body."""


class Client:
    """Connections that stay open; as many as requests are under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: Request, due: float) -> tuple[int, float]:
        """The status, and the milliseconds since it was due."""
        await asyncio.sleep(due - time.perf_counter())
        where, body = request
        reader, writer = await self._connection()
        head = f"{where} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        told = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        await reader.readexactly(int(told.partition("content-length:")[2].split()[0]))
        self._idle.append((reader, writer))
        return int(told.split()[1]), (time.perf_counter() - due) * 1000

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The one used last: a server closes those that were idle for a few seconds."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def steadily(self, requests: Iterable[Request], rate: int, seconds: float) -> list[tuple[int, float]]:
        began = time.perf_counter() + 0.05
        due = [began + number / rate for number in range(int(rate * seconds))]
        return await asyncio.gather(*(self.ask(request, when) for request, when in zip(requests, due, strict=False)))

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()


async def measured(port: int, requests: Iterator[Request], rate: int, seconds: float) -> list[tuple[int, float]]:
    """Those after the warming up."""
    client = Client(port)
    await client.steadily(requests, rate, WARM_UP_S)
    answers = await client.steadily(requests, rate, seconds)
    await client.close()
    return answers


def shares(answers: Sequence[tuple[int, float]]) -> dict[str, float]:
    took = [ms for _, ms in answers]
    return {
        label: round(measure.percentile(took, share), 1)
        for label, share in {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}.items()
    }


@contextmanager
def serving(command: Sequence[str], port: int, home: str) -> Iterator[None]:
    child = subprocess.Popen(
        command, cwd=measure.ROOT, env={**os.environ, "HARKEN_HOME": home}, stderr=subprocess.DEVNULL
    )
    try:
        late = time.perf_counter() + READY_WITHIN_S
        while not _answers(port):
            if child.poll() is not None or time.perf_counter() > late:
                raise SystemExit(f"{' '.join(command)} does not serve")
            time.sleep(0.1)
        yield
    finally:
        child.terminate()
        child.wait()


def _answers(port: int) -> bool:
    """Not just listening: a socket may be bound long before there is somebody behind it."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as door:
            door.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return bool(door.recv(12))
    except OSError:
        return False


def some_customers(url: str) -> list[str]:
    """The same ones of the same store every time."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT split_part(identity, ':', 2) FROM profile ORDER BY identity").fetchall()
    return Random(7).sample([name for (name,) in found], min(CUSTOMERS_ASKED, len(found)))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port
