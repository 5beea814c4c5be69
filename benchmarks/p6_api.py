"""P6: `POST /predict_nba` without a model: how long an answer takes at a steady rate of requests, over real HTTP.

    python -m benchmarks.p6_api [--json] [--data FILE.csv] [--customers N] [--home FOLDER] [--rate N] [--seconds N]

The yardstick, in the same run and on the same store: a bare FastAPI route with three single-row queries.
"""

import argparse
import asyncio
import itertools
import json
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI
from psycopg_pool import ConnectionPool

from benchmarks import measure, serving
from harken import bootstrap, settings

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
        customers = serving.some_customers(running.url)
        port, other = serving.free_port(), serving.free_port()
        asked = [("POST /predict_nba", json.dumps({"customer_id": name}).encode()) for name in customers]
        with serving.serving([sys.executable, "-m", "harken", "serve", "--port", str(port)], port, home):
            ours = asyncio.run(serving.measured(port, itertools.cycle(asked), rate, seconds))
        with serving.serving(
            [sys.executable, "-m", "benchmarks.p6_api", "--bare", running.url, str(other)], other, home
        ):
            theirs = asyncio.run(serving.measured(other, itertools.cycle(asked), rate, seconds))
    figures: dict[str, Any] = {"target_p99_ms": 25, "requests a second": rate, "requests": len(ours)}
    for name, answers in (("harken", ours), ("yardstick three queries", theirs)):
        figures[f"{name}, ms"] = serving.shares(answers)
        figures[f"{name}, not 200"] = sum(status != 200 for status, _ in answers)
    figures["p99 of harken / yardstick"] = round(
        figures["harken, ms"]["p99"] / figures["yardstick three queries, ms"]["p99"], 1
    )
    return figures


if __name__ == "__main__":
    main()
