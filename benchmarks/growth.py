"""How the time of a first load grows with its rows, on each embedded store: whole processes, without language and sentiment.

    python -m benchmarks.growth [--data FILE.csv] [--rows N,N,...] [--slice N] [--svg FILE] [--json]

The rows are the first of one file. The yardstick, in the same run, is P1's: plain pandas and one INSERT a row, on a slice.
"""

import argparse
import csv
import itertools
import json
from pathlib import Path
from typing import Any

from benchmarks import data, machine, measure, p1_backfill, plot

STORES = {"PostgreSQL": "postgres", "ClickHouse": "clickhouse"}
ROWS_A_CUSTOMER = 2  # at least


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, help="a twcs CSV; default: one made here")
    asked.add_argument("--rows", default="10000,30000,100000", help="how many, smallest first (default %(default)s)")
    asked.add_argument("--slice", type=int, default=10_000, help="rows for the yardstick")
    asked.add_argument("--svg", type=Path, help="draw the seconds here")
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    sizes = [int(rows) for rows in given.rows.split(",")]
    with measure.folder() as folder:
        source = given.data or data.write_twcs(folder / "made.csv", customers=sizes[-1] // ROWS_A_CUSTOMER)
        found = [one(source, folder / "first.csv", size, store) for size in sizes for store in STORES.values()]
        yardstick = p1_backfill.theirs(source, given.slice, with_mood=False)
    if given.svg:
        lines = {
            name: [(row["rows"], row["seconds"]) for row in found if row["store"] == store]
            for name, store in STORES.items()
        }
        given.svg.write_text(plot.lines(lines, across="rows", up="seconds"), encoding="utf-8")
    if given.json:
        print(json.dumps({"machine": machine.described(), "loads": found, "pandas_and_row_inserts": yardstick}))
        return
    measure.show("growth", {f"{row['rows']:,} rows, {row['store']}": row for row in found}, as_json=False)
    print(f"  yardstick {yardstick}")


def one(source: Path, path: Path, size: int, store: str) -> dict[str, Any]:
    """The first `size` rows into an empty store, by a command of its own."""
    with source.open(newline="", encoding="utf-8") as whole, path.open("w", newline="", encoding="utf-8") as part:
        csv.writer(part).writerows(itertools.islice(csv.reader(whole), size + 1))  # a row may have several lines
    with measure.folder() as folder:
        home = folder / "home"
        url = measure.store_in(folder, store)
        cost = measure.harken("ingest", str(path), "--no-mood", "--json", *(["--store", url] if url else []), home=home)
        measure.wait_until_stopped(home)
    report = json.loads(cost.out)
    return {
        "rows": report["rows_read"], "store": store, "seconds": round(cost.wall_s, 1), "cpu_s": round(cost.cpu_s, 1),
        "rows_a_second": round(report["rows_read"] / cost.wall_s), "peak_mb": cost.peak_mb, "steps": report["steps"],
        "load": machine.described()["load_1m"],
    }  # fmt: skip


if __name__ == "__main__":
    main()
