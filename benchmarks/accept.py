"""Every check that needs real data: one line each, exit code 1 where one fails.

    python -m benchmarks.accept --data FOLDER [--engines NAME,NAME]

FOLDER holds `twcs/first5000.csv`, `twcs/first5000_raw.csv` and `twcs/mojibake_walmart.csv` (or holds them itself); where it also holds
`stackfaq` and `tau2_banking`, the search is looked at, too.
Each store is embedded, in a folder of its own, and gone afterwards.
"""

import argparse
import csv
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, product, starmap
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import accept_knowledge, measure
from harken import bootstrap, settings

ENGINES = ("duckdb", "polars", "pandas", "spark")
STORES = ("postgres", "clickhouse")
AT_ONCE = 1000
THREADS, LARGEST = 1_312, 130
FILES = ("first5000.csv", "first5000_raw.csv", "mojibake_walmart.csv")
FAR_TOO_MANY_HOURS = re.compile(r"\b\d[\d,]{4,} ?(h|hours?)\b")


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a store came to, as digests: of the decisions' file, of every conversation's facts, of every profile's state."""

    decisions: str
    conversations: str
    profiles: str


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--engines", default=",".join(ENGINES), help="default %(default)s; spark needs Java")
    given = asked.parse_args()
    folder = given.data / "twcs" if (given.data / "twcs").is_dir() else given.data
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        print(f"skipped: {folder} has no {', '.join(missing)}")
        return 0
    failed = 0
    for check in chain(starmap(Check, accept_knowledge.every(given.data)), every(folder, given.engines.split(","))):
        failed += not check.ok
        print(f"{'ok ' if check.ok else 'NO '} {check.name}: {check.detail}", flush=True)
    print("all as it should be" if not failed else f"{failed} failed")
    return 1 if failed else 0


def every(folder: Path, engines: Sequence[str]) -> Iterator[Check]:
    with measure.folder() as scratch:
        source = folder / FILES[0]
        orders = {"in file order": source, "shuffled": shuffled(source, scratch / "shuffled.csv")}
        came: dict[str, Outcome] = {}
        for engine, store, order in product(engines, STORES, orders):
            yield from threads(f"{FILES[0]} {order}, {engine} and {store}", orders[order], engine, store, came)
        first = next(iter(came.values()))
        for what in ("decisions", "conversations", "profiles"):
            different = [name for name, outcome in came.items() if getattr(outcome, what) != getattr(first, what)]
            detail = f"{len(came)} stores compared {different or ''}".strip()
            yield Check(f"the same {what} in any order, by any engine, on any store", not different, detail)
        for name in FILES[1:]:
            yield from nothing_lost(name, folder / name)


def shuffled(source: Path, target: Path) -> Path:
    with source.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    Random(7).shuffle(rows)
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return target


def threads(name: str, path: Path, engine: str, store: str, came: dict[str, Outcome]) -> Iterator[Check]:
    """A fresh store from one file by one engine: threads, rows, a second run, the consistency law, the decisions."""
    with measure.folder() as folder:
        home, out, url = folder / "home", folder / "advice.csv", measure.store_in(folder, store)
        where = ("--store", url) if url else ()
        first = _json("ingest", str(path), "--engine", engine, *where, home=home)
        shape = (first["threads"], first["largest_thread"])
        yield Check(f"{name}: threads", shape == (THREADS, LARGEST), f"{shape[0]:,}, the largest {shape[1]}")
        yield _rows(name, first)
        yield _again(name, path, engine, home, *where)
        if engine == ENGINES[0]:
            checked = _json("profile", "rebuild", "--check", *where, home=home)
            yield Check(
                f"{name}: rebuild --check",
                checked["mismatches"] == 0 and checked["values"] > 0,
                f"{checked['mismatches']} mismatches of {checked['values']:,} values",
            )
        report = _json("predict", "--out", str(out), *where, home=home)
        yield from decisions(name, report, out, datetime.fromisoformat(first["watermark"]))
        came[name] = outcome(home, url, out)
        measure.wait_until_stopped(home)


def outcome(home: Path, url: str | None, out: Path) -> Outcome:
    given = settings.load().model_copy(update={"home": home})
    with bootstrap.desk_of(given, store=url) as desk:
        return Outcome(
            decisions=_digest([out.read_bytes()]),
            conversations=_digest(f"{pair}" for pair in sorted(desk.warehouse.all_facts(AT_ONCE))),
            profiles=_digest(f"{pair}" for pair in sorted(desk.warehouse.all_states(AT_ONCE))),
        )


def _digest(parts: Iterable[str | bytes]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part if isinstance(part, bytes) else part.encode())
    return whole.hexdigest()


def decisions(name: str, report: dict[str, Any], out: Path, as_of: datetime) -> Iterator[Check]:
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    counted = report["decisions"] == len(rows) > 0
    everybody = report["customers"] == report["decisions"] + report["skipped_resolved"]
    yield Check(
        f"{name}: decisions",
        counted and everybody,
        f"{report['decisions']:,} and {report['skipped_resolved']:,} resolved of {report['customers']:,}",
    )
    wrong: dict[str, Callable[[dict[str, str]], bool]] = {
        "acts before the moment": lambda row: datetime.fromisoformat(row["send_time"]) < as_of,
        "speaks of five-digit hours": lambda row: bool(FAR_TOO_MANY_HOURS.search(row["reasoning"])),
        "has no reason": lambda row: not row["reasoning"].strip(),
        "has no words for the customer": lambda row: not row["message"] and row["channel"] != "no_contact",
    }
    for what, fits in wrong.items():
        found = [row["customer_id"] for row in rows if fits(row)]
        yield Check(f"{name}: none {what}", not found, f"{len(found)} {found[:3] or ''}".strip())


def nothing_lost(name: str, path: Path) -> Iterator[Check]:
    with measure.folder() as folder:
        home = folder / "home"
        yield _rows(name, _json("ingest", str(path), home=home))
        yield _again(name, path, ENGINES[0], home)
        measure.wait_until_stopped(home)


def _rows(name: str, report: dict[str, Any]) -> Check:
    quarantined, repaired = sum(report["quarantined"].values()), sum(report["repaired"].values())
    told = report["accepted"] + report["duplicates"] + quarantined
    return Check(
        f"{name}: rows",
        told == report["rows_read"] > 0,
        f"{report['rows_read']:,} read: {report['accepted']:,} accepted ({repaired:,} repaired), "
        f"{report['duplicates']:,} known, {quarantined:,} in quarantine",
    )


def _again(name: str, path: Path, engine: str, home: Path, *where: str) -> Check:
    second = _json("ingest", str(path), "--engine", engine, *where, home=home)
    return Check(f"{name}: a second run", second["accepted"] == 0, f"adds {second['accepted']}")


def _json(*words: str, home: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(measure.harken(*words, "--json", home=home).out)
    return answer


if __name__ == "__main__":
    sys.exit(main())
