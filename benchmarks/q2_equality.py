"""Q2: a twcs file, once as a batch and once event by event, in no order and some twice: every value must be the same.

    python -m benchmarks.q2_equality [--data FILE.csv] [--customers N] [--rows N] [--seed N] [--json]

Both read and check the rows alike; what follows from them is made by the batch's dataframes in one store and by one
transaction after another in the other. Compared are every feature of every customer, every fact of every conversation and
which turns it has; at the end the live store is compared with a rebuild of itself, too.
"""

import argparse
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import narwhals as nw
import orjson
import polars as pl
import psycopg
import pyarrow as pa
from pydantic import SecretStr

from benchmarks import data, measure
from benchmarks.soak import MASTER, OWN
from harken import bootstrap
from harken.cli.printing import Quiet
from harken.flow import batch, rebuild
from harken.flow.arriving import Arrival
from harken.flow.batch import Source
from harken.flow.desk import Desk
from harken.flow.live import receive
from harken.intake import normalise
from harken.intake.mending import mend
from harken.intake.reading_csv import read_csv
from harken.profiles import read, stored
from harken.settings import Settings

TWICE = 0.05
AT_ONCE = 500
MISSING = object()
FACTS = (
    "SELECT c.id, facts, (SELECT array_agg(e.id ORDER BY p.n) FROM unnest(positions) WITH ORDINALITY AS p (at, n) "
    "JOIN event e ON e.position = p.at) FROM conversation c"
)


def arrivals(path: Path, now: datetime) -> list[Arrival]:
    """The rows that a batch would accept, as receiving takes them."""
    table = pa.concat_tables([mend(block).table for block in read_csv(path, columns={})])
    raw = nw.from_native(pl.DataFrame(pl.from_arrow(table)).lazy())
    normal = normalise.normalise(raw, now_us=int(now.timestamp() * 1_000_000))
    written = normalise.texts(raw)
    accepted = normalise.check(normal, normalise.repeated(normal), written).accepted
    rows = accepted.join(written, on="line", how="inner").select(*normalise.EVENTS.names).drop("line")
    return [
        Arrival(row=row, same_as=orjson.dumps(row), received_at=now)
        for row in rows.collect("pyarrow").to_native().to_pylist()
    ]


def live(found: Sequence[Arrival], desk: Desk, chance: Random) -> int:
    """How many were delivered."""
    assert desk.live is not None
    delivered = [*found, *chance.sample(found, int(len(found) * TWICE))]
    chance.shuffle(delivered)
    for at in range(0, len(delivered), AT_ONCE):
        receive(delivered[at : at + AT_ONCE], desk.live)
    return len(delivered)


def values_of(url: str) -> dict[tuple[str, str, str], Any]:
    """(what, whose, name) -> value: all that a store derived from its log."""
    with psycopg.connect(url) as connection:
        [[newest]] = connection.execute("SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM event").fetchall()
        found: dict[tuple[str, str, str], Any] = {
            ("profile", who, name): value
            for who, state in connection.execute("SELECT identity, state FROM profile")
            for name, value in read.read([stored.from_bytes(state)], newest + 1).items()
        }
        for id_, facts, turns in connection.execute(FACTS):
            given: Mapping[str, Any] = {**orjson.loads(facts), "turns": turns}
            found |= {("conversation", id_, name): value for name, value in given.items()}
    return found


def first_rows(path: Path, rows: int, into: Path) -> Path:
    """As many lines; a row may be torn at the end, and is then refused on both sides."""
    with path.open("rb") as given, into.open("wb") as taken:
        taken.writelines(islice(given, rows + 1))
    return into


def run(given: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    path = given.data or data.write_twcs(scratch / "made.csv", customers=given.customers)
    if given.rows:
        path = first_rows(path, given.rows, scratch / "part.csv")
    common = {"_env_file": None, "master_key": SecretStr(b64encode(MASTER).decode())}
    by_file, one_by_one = (Settings(home=scratch / name, **common).model_copy(update=OWN) for name in ("file", "live"))
    with bootstrap.store_of(by_file) as one, bootstrap.desk_of(by_file) as desk:
        report = batch.ingest(Source(path=path, format="twcs"), desk, Quiet())
        wanted = values_of(one.url)
    began = time.perf_counter()
    with bootstrap.store_of(one_by_one) as other, bootstrap.desk_of(one_by_one) as desk:
        found = arrivals(path, datetime.now(UTC))
        delivered = live(found, desk, Random(given.seed))
        seconds = time.perf_counter() - began
        values = values_of(other.url)
        checked = rebuild.check(desk, Quiet())
    for name in ("file", "live"):
        measure.wait_until_stopped(scratch / name)
    different = [key for key in wanted.keys() | values.keys() if wanted.get(key, MISSING) != values.get(key, MISSING)]
    return {
        "rows": report.accepted,
        "deliveries": delivered,
        "deliveries_a_second": round(delivered / seconds),
        "feature_values": sum(key[0] == "profile" for key in wanted),
        "conversation_values": sum(key[0] == "conversation" for key in wanted),
        "different": len(different),
        "examples": sorted(different)[:5],
        "values_checked_against_a_rebuild": checked.values,
        "mismatches": checked.mismatches,
    }


def main() -> None:
    asked = measure.options(__doc__, customers=5_000)
    asked.add_argument("--rows", type=int, default=0, help="only the first so many rows; default: all")
    asked.add_argument("--seed", type=int, default=7, help="of the order, and of what comes twice")
    given = asked.parse_args()
    with measure.folder() as scratch:
        figures = run(given, scratch)
    measure.show("q2_equality", figures, as_json=given.json)
    if figures["different"] or figures["mismatches"]:
        raise SystemExit("Live is not what the batch makes of the same rows.")


if __name__ == "__main__":
    main()
