"""P3: every customer of a store -> a decision where an issue is open, worded offline, written and recorded.

    python -m benchmarks.p3_decisions [--json] [--data FILE.csv] [--customers N] [--home FOLDER]

Each figure is a process of its own: `harken predict` from start to end, worker processes and their imports included.
The yardstick, in the same store and run: the shape of one-customer-at-a-time engines, three single-row queries and one
committed row for each customer, with no decision made and no text opened between them.
"""

import argparse
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import truediv
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import pyarrow as pa

from benchmarks import measure
from harken import bootstrap, settings
from harken.adapters.warehouses.postgres.warehouse import PostgresWarehouse
from harken.cli.printing import Quiet
from harken.flow import predict
from harken.flow.predict import Asked

FEW = 10_000
SLICE = 1_000
POLICY = "[limits]\ndormant_after_h = 24.0\n"


class Unrecorded(PostgresWarehouse):
    """For the rate of deciding alone."""

    def record(self, decisions: pa.Table) -> None:
        pass


def unrecorded(url: str) -> Unrecorded:
    return Unrecorded(url, lambda old, new: new)


def decide(what: str, customers: int | None, out: Path) -> dict[str, Any]:
    """One run, in this process and its workers. A moment of its own each time, so that every decision is a new row."""
    started = time.perf_counter()
    with bootstrap.desk_of(settings.load()) as desk:
        if what == "unrecorded":
            object.__setattr__(desk.bench, "open_warehouse", partial(unrecorded, desk.warehouse._url))  # type: ignore[attr-defined]
        newest = desk.warehouse.newest().at
        assert newest is not None
        asked = Asked(customers=customers, as_of=newest + timedelta(seconds=datetime.now(UTC).timestamp() % 3600))
        begun = time.perf_counter()
        if what == "compare":
            policy = out.with_name("policy.toml")
            policy.write_text(POLICY)
            decisions = predict.compare(asked, policy, desk, Quiet()).decisions
            known = customers or desk.warehouse.totals().customers
        else:
            tally = predict.predict(asked, out, desk, Quiet())
            decisions, known = tally.decisions, tally.customers
        ended = time.perf_counter()
    return {"customers": known, "decisions": decisions, "seconds": ended - begun, "whole_s": ended - started}


def one_at_a_time() -> dict[str, Any]:
    """Three queries and one row for each of a slice of customers."""
    with bootstrap.desk_of(settings.load()) as desk:
        url = desk.warehouse._url  # type: ignore[attr-defined]
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS one_at_a_time (customer text, message text)")
            found = connection.execute("SELECT identity FROM profile ORDER BY identity LIMIT %s", [SLICE]).fetchall()
            started = time.perf_counter()
            for (identity,) in found:
                connection.execute("SELECT state FROM profile WHERE identity = %s", [identity]).fetchone()
                newest = connection.execute(
                    "SELECT id, facts, positions FROM conversation WHERE identity = %s ORDER BY last_at DESC LIMIT 1",
                    [identity],
                ).fetchone()
                positions = newest[2] if newest else []
                connection.execute("SELECT body FROM event WHERE position = ANY(%s)", [positions]).fetchone()
                connection.execute(
                    "INSERT INTO one_at_a_time VALUES (%s, %s)", [identity, "We have read your message."]
                )
            seconds = time.perf_counter() - started
            connection.execute("DROP TABLE one_at_a_time")
    return {"customers": len(found), "seconds": seconds}


def main() -> None:
    asked = measure.options(__doc__, customers=200_000)
    asked.add_argument("--times", type=int, default=3, help="medians of so many runs")
    asked.add_argument("--part", help=argparse.SUPPRESS)
    asked.add_argument("--first", type=int, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.part:
        with measure.folder() as folder:
            one = one_at_a_time() if given.part == "yardstick" else decide(given.part, given.first, folder / "out.csv")
        return print(json.dumps(one))
    with measure.loaded(given) as home:
        figures = compared(home, given.times)
    return measure.show("P3", figures, as_json=given.json)


def compared(home: Path, times: int) -> dict[str, Any]:
    few, few_mb = _part(home, "recorded", FEW)
    whole: list[tuple[dict[str, Any], int]] = []
    rates: dict[str, list[int]] = {"recorded": [], "unrecorded": [], "compare": [], "yardstick": []}
    for _ in range(times):
        for what, found in rates.items():
            part, peak_mb = _part(home, what)
            found.append(round(part["customers"] / part["seconds"]))
            if what == "recorded":
                whole.append((part, peak_mb))
    rate, decided = median(rates["recorded"]), whole[0][0]["decisions"] / whole[0][0]["customers"]
    return {
        "target_customers_a_second": 20_000,
        "customers": whole[0][0]["customers"],
        "decisions": whole[0][0]["decisions"],
        "customers a second, recorded": rate,
        "decisions a second, recorded": round(rate * decided),
        "seconds from start to end, recorded": round(median(part["whole_s"] for part, _ in whole), 1),
        "customers a second, not recorded": median(rates["unrecorded"]),
        "customers a second, --compare (two policies)": median(rates["compare"]),
        f"peak MB of the largest process, {few['customers']:,} customers": few_mb,
        f"peak MB of the largest process, {whole[0][0]['customers']:,} customers": max(mb for _, mb in whole),
        "yardstick one at a time, customers a second": median(rates["yardstick"]),
        "times the yardstick": round(median(map(truediv, rates["recorded"], rates["yardstick"])), 1),
    }


def _part(home: Path, what: str, customers: int | None = None) -> tuple[dict[str, Any], int]:
    first = ["--first", str(customers)] if customers else []
    cost = measure.run([sys.executable, "-m", "benchmarks.p3_decisions", "--part", what, *first], home)
    answer: dict[str, Any] = json.loads(cost.out.splitlines()[-1])
    return answer, cost.peak_mb


if __name__ == "__main__":
    main()
