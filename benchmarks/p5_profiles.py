"""P5: `GET /api/v1/profiles/{customer}`: every feature as of now, at a steady rate of requests, over real HTTP.

    python -m benchmarks.p5_profiles [--json] [--data FILE.csv] [--customers N] [--home FOLDER] [--rate N] [--seconds N]

The yardstick, in the same run and on the same store: a bare FastAPI route with three single-row queries, as in P6.
"""

import asyncio
import itertools
import json
import sys
from typing import Any

from benchmarks import measure, serving
from harken import bootstrap, settings


def main() -> None:
    asked = measure.options(__doc__, customers=20_000)
    asked.add_argument("--rate", type=int, default=200, help="requests a second")
    asked.add_argument("--seconds", type=float, default=20)
    given = asked.parse_args()
    with measure.loaded(given) as home:
        figures = compared(str(home), given.rate, given.seconds)
    measure.show("P5", figures, as_json=given.json)


def compared(home: str, rate: int, seconds: float) -> dict[str, Any]:
    store = settings.load().model_copy(update={"home": measure.Path(home)})
    with bootstrap.store_of(store) as running:
        customers = serving.some_customers(running.url)
        ours = _asked(
            [sys.executable, "-m", "harken", "serve", "--port"],
            [(f"GET /api/v1/profiles/{name}", b"") for name in customers],
            home, rate, seconds,
        )  # fmt: skip
        theirs = _asked(
            [sys.executable, "-m", "benchmarks.p6_api", "--bare", running.url],
            [("POST /predict_nba", json.dumps({"customer_id": name}).encode()) for name in customers],
            home, rate, seconds,
        )  # fmt: skip
    return {
        "target_p99_ms": 5,
        "requests a second": rate,
        "harken, ms": serving.shares(ours),
        "harken, not 200": sum(status != 200 for status, _ in ours),
        "yardstick three queries, ms": serving.shares(theirs),
        "p99 of harken / yardstick": round(serving.shares(ours)["p99"] / serving.shares(theirs)["p99"], 1),
    }


def _asked(
    command: list[str], requests: list[serving.Request], home: str, rate: int, seconds: float
) -> list[tuple[int, float]]:
    port = serving.free_port()
    with serving.serving([*command, str(port)], port, home):
        return asyncio.run(serving.measured(port, itertools.cycle(requests), rate, seconds))


if __name__ == "__main__":
    main()
