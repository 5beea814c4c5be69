"""P6: `POST /predict_nba` without a model: how long an answer takes at a steady rate of requests, over real HTTP.

    python -m benchmarks.p6_api [--json] [--data FILE.csv] [--customers N] [--home FOLDER] [--rate N] [--seconds N]

Open loop: a request leaves when it is due, whether or not the one before was answered, and its time counts from then.
The yardstick, in the same run and on the same store: a bare FastAPI route with three single-row queries.
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

import psycopg
import uvicorn
from fastapi import FastAPI
from psycopg_pool import ConnectionPool

from benchmarks import measure
from harken import bootstrap, settings

WARM_UP_S = 3
READY_WITHIN_S = 60
CUSTOMERS_ASKED = 5_000
QUERIES = (
    "SELECT state FROM profile WHERE identity = %s",
    "SELECT id, facts FROM conversation WHERE identity = %s ORDER BY last_at DESC LIMIT 1",
    "SELECT id, body FROM event WHERE identity = %s ORDER BY at DESC LIMIT 1",
)


def bare(url: str, port: int) -> None:
    """The yardstick's server."""
    app, pool = FastAPI(), ConnectionPool(url, min_size=8, open=True)

    @app.post("/predict_nba")
    def answer(question: dict[str, Any]) -> dict[str, int]:
        with pool.connection() as connection:
            found = [connection.execute(query, [f"twitter:{question['customer_id']}"]).fetchone() for query in QUERIES]
        return {"rows": sum(row is not None for row in found)}

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


class Client:
    """Connections that stay open; as many as requests are under way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, customer: str, due: float) -> tuple[int, float]:
        """The status, and the milliseconds since it was due."""
        await asyncio.sleep(due - time.perf_counter())
        body = json.dumps({"customer_id": customer}).encode()
        reader, writer = await self._connection()
        head = f"POST /predict_nba HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
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

    async def steadily(self, customers: Sequence[str], rate: int, seconds: float) -> list[tuple[int, float]]:
        began = time.perf_counter() + 0.05
        due = [began + number / rate for number in range(int(rate * seconds))]
        return await asyncio.gather(*(self.ask(customers[at % len(customers)], when) for at, when in enumerate(due)))

    async def close(self) -> None:
        for _, writer in self._idle:
            writer.close()
            await writer.wait_closed()


async def measured(port: int, customers: Sequence[str], rate: int, seconds: float) -> list[tuple[int, float]]:
    client = Client(port)
    await client.steadily(customers, rate, WARM_UP_S)
    answers = await client.steadily(customers, rate, seconds)
    await client.close()
    return answers


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


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        port: int = door.getsockname()[1]
        return port


def main() -> None:
    asked = measure.options(__doc__, customers=50_000)
    asked.add_argument("--rate", type=int, default=200, help="requests a second")
    asked.add_argument("--seconds", type=float, default=20)
    asked.add_argument("--bare", nargs=2, metavar=("URL", "PORT"), help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.bare:
        return bare(given.bare[0], int(given.bare[1]))
    with measure.loaded(given) as home:
        figures = compared(str(home), given.rate, given.seconds)
    return measure.show("P6", figures, as_json=given.json)


def compared(home: str, rate: int, seconds: float) -> dict[str, Any]:
    store = settings.load().model_copy(update={"home": measure.Path(home)})
    with bootstrap.store_of(store) as running:
        with psycopg.connect(running.url) as connection:
            found = connection.execute("SELECT split_part(identity, ':', 2) FROM profile ORDER BY identity").fetchall()
        customers = Random(7).sample([name for (name,) in found], min(CUSTOMERS_ASKED, len(found)))
        port, other = _free_port(), _free_port()
        with serving([sys.executable, "-m", "harken", "serve", "--port", str(port)], port, home):
            ours = asyncio.run(measured(port, customers, rate, seconds))
        with serving([sys.executable, "-m", "benchmarks.p6_api", "--bare", running.url, str(other)], other, home):
            theirs = asyncio.run(measured(other, customers, rate, seconds))
    figures: dict[str, Any] = {"target_p99_ms": 25, "requests a second": rate, "requests": len(ours)}
    for name, answers in (("harken", ours), ("yardstick three queries", theirs)):
        took = [ms for _, ms in answers]
        shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}
        figures[f"{name}, ms"] = {label: round(measure.percentile(took, share), 1) for label, share in shares.items()}
        figures[f"{name}, not 200"] = sum(status != 200 for status, _ in answers)
    figures["p99 of harken / yardstick"] = round(
        figures["harken, ms"]["p99"] / figures["yardstick three queries, ms"]["p99"], 1
    )
    return figures


if __name__ == "__main__":
    main()
