"""What the journeys share: small made-up interactions, a desk that works in one process, and whole tables to compare."""

import csv
import io
import json
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from harken import bootstrap
from harken.adapters import frames
from harken.adapters.warehouses.clickhouse.address import is_clickhouse
from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.cli import running
from harken.domain.run import IngestReport
from harken.flow import batch
from harken.flow.batch import Source
from harken.flow.desk import Desk
from harken.kit.clock import stopped_at
from harken.privacy.keys import MasterKey
from harken.settings import Settings

NOW = datetime(2025, 3, 14, 12, tzinfo=UTC)
"""A Friday. The clock of these tests stands still."""

BRAND = "KestrelBank"
MASTER = MasterKey(bytes(range(32)))
HEADER = ("tweet_id", "author_id", "inbound", "created_at", "text", "response_tweet_id", "in_response_to_tweet_id")
Row = dict[str, str]

DEFAULT, QUICKEST = "duckdb", "polars"
"""The engine people have, and the one that is three times as quick with a handful of rows; test_equality.py holds all equal."""


def tweet(number: int | str, author: str, hours_ago: float, text: str, reply_to: int | str = "") -> Row:
    """One row of a twcs file."""
    at = NOW - timedelta(hours=hours_ago)
    return {
        "tweet_id": str(number),
        "author_id": author,
        "inbound": str(author != BRAND),
        "created_at": at.strftime("%a %b %d %H:%M:%S +0000 %Y"),
        "text": text,
        "response_tweet_id": "",
        "in_response_to_tweet_id": str(reply_to),
    }


ADA = [
    tweet(1, "100", 31, "@KestrelBank How do I change the limit of my debit card?"),
    tweet(2, BRAND, 30, "@100 In the app under Cards, then Limits. https://kestrel.example/limits", 1),
    tweet(3, "100", 29, "@KestrelBank Found it, thank you so much!", 2),
]
"""Asked, answered, thanked: resolved."""

BEN = [tweet(10, "200", 3, "@KestrelBank URGENT! My card was stolen and somebody is using it right now")]
CLEO = [
    tweet(20, "300", 60, "@KestrelBank my statement of February is missing, where can I find it?"),
    tweet(21, BRAND, 59, "@300 Could you send us a message with the last digits of your account, please?", 20),
]
DAN = [
    tweet(22, "400", 58, "@KestrelBank same here, no statement since January", 20),
    tweet(23, BRAND, 57, "@400 Please look in the app under Documents.", 22),
    tweet(24, "400", 2, "@KestrelBank still not working, the list is empty", 23),
]
"""Dan chimes in on Cleo's thread: one tree, two cases."""

EVE = [
    tweet(31, "500", 20, "@KestrelBank yes, I did that twice already and nothing changed", 30),
    tweet(32, BRAND, 19, "@500 Sorry about that. Which phone do you use?", 31),
]
"""Their thread begins with 30, which nobody has."""

TOWN = [*ADA, *BEN, *CLEO, *DAN, *EVE]


def write_csv(path: Path, rows: Iterable[Mapping[str, str]], names: Mapping[str, str] | None = None) -> Path:
    """A twcs file; `names` renames columns."""
    called = names or {}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([called.get(name, name) for name in HEADER])
        writer.writerows([row[name] for name in HEADER] for row in rows)
    return path


def said(number: int, customer: str, hours_ago: float, text: str = "", **more: Any) -> dict[str, Any]:
    """One event of our own format."""
    return {
        "id": f"kb:{number}",
        "kind": "message_received",
        "customer": customer,
        "brand": BRAND,
        "channel": "email",
        "happened_at": (NOW - timedelta(hours=hours_ago)).isoformat(),
        "text": text,
    } | more


def write_events(path: Path, events: Iterable[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


class Stops:
    """Progress that is interrupted when a step begins, as by Ctrl-C."""

    def __init__(self, at: str) -> None:
        self._at = at

    def step(self, name: str, total: int | None = None) -> None:
        if name == self._at:
            raise KeyboardInterrupt

    def advance(self, rows: int) -> None: ...


class Steady:
    """Progress that says nothing and remembers the steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, name: str, total: int | None = None) -> None:
        self.steps.append(name)

    def advance(self, rows: int) -> None: ...


@contextmanager
def desk_on(
    url: str, home: Path, *, engine: str = QUICKEST, now: datetime = NOW, block_rows: int = 1000, workers: int = 1
) -> Iterator[Desk]:
    """The real parts, in this process, on a clock that stands still."""
    bench = replace(bootstrap.bench_of(Settings(_env_file=None, home=home), url, MASTER), clock=stopped_at(now))
    warehouse = bench.open_warehouse()
    try:
        yield Desk(
            home=home,
            who="somebody",
            warehouse=warehouse,
            engine=partial(frames.engine, engine),
            engine_name=engine,
            workers=workers,
            block_rows=block_rows,
            writes_offline=True,
            bench=bench,
        )
    finally:
        warehouse.close()


def quick(url: str, home: Path, *, now: datetime = NOW, block_rows: int = 1000) -> AbstractContextManager[Desk]:
    """A desk in one process, for what does not depend on how many there are."""
    return desk_on(url, home, now=now, block_rows=block_rows)


def take_in(desk: Desk, rows: Iterable[Mapping[str, str]], name: str = "town.csv") -> IngestReport:
    """Ingest rows of a twcs file."""
    desk.home.mkdir(parents=True, exist_ok=True)
    return batch.ingest(Source(path=write_csv(desk.home / name, rows), format="twcs"), desk, Steady())


def take_in_events(desk: Desk, events: Iterable[Mapping[str, Any]], name: str = "events.jsonl") -> IngestReport:
    desk.home.mkdir(parents=True, exist_ok=True)
    return batch.ingest(Source(path=write_events(desk.home / name, events), format="events"), desk, Steady())


def rows_of(url: str, query: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
    if is_clickhouse(url):
        return _rows_of_clickhouse(url, query, values)
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(query, values).fetchall()  # type: ignore[arg-type]


def _rows_of_clickhouse(url: str, query: str, values: Sequence[object]) -> list[dict[str, Any]]:
    store = ClickHouse(url)
    try:
        found: list[dict[str, Any]] = store._client.query_arrow(
            query, list(values), {"final": 1}, use_strings=True
        ).to_pylist()
        return found
    finally:
        store.close()


def one_of(url: str, query: str, values: Sequence[object] = ()) -> Any:
    """The only value of the only row."""
    [row] = rows_of(url, query, values)
    [value] = row.values()
    return value


EVENTS = (
    "SELECT id, kind, identity, author, channel, at, in_reply_to, addressed_to, language, sentiment, "
    "urgency, signals, evidence, attributes, source FROM event ORDER BY id"
)


def _derived_of_clickhouse(url: str) -> dict[str, list[dict[str, Any]]]:
    [seen] = rows_of(url, "SELECT max(generation) AS generation, max(version) AS version FROM settling")
    seen_as = "generation = {generation}, version = {version}".format(**seen)
    names = {row["position"]: row["id"] for row in rows_of(url, "SELECT position, id FROM event")}
    conversations = rows_of(
        url,
        "SELECT id, thread, nullIf(identity, '') AS identity, brand, channel, opened_at, last_at, facts, positions "
        f"FROM live_conversation({seen_as}) ORDER BY id",
    )
    for row in conversations:
        row["turns"] = [names[position] for position in row.pop("positions")]
    turns = [{"event": turn, "conversation": row["id"]} for row in conversations for turn in row["turns"]]
    return {
        "event": rows_of(url, EVENTS),
        "conversation": conversations,
        "turn": sorted(turns, key=lambda turn: str(turn["event"])),
        "profile": rows_of(url, f"SELECT identity, state FROM live_profile({seen_as}) ORDER BY identity"),
    }


def derived(url: str) -> dict[str, list[dict[str, Any]]]:
    """Whole tables as they would be however the events arrived: positions and numbers are replaced by event ids."""
    if is_clickhouse(url):
        return _derived_of_clickhouse(url)
    return {
        "event": rows_of(url, EVENTS),
        "conversation": rows_of(
            url,
            "SELECT c.id, thread, c.identity, brand, c.channel, opened_at, last_at, facts, "
            "(SELECT array_agg(e.id ORDER BY p.n) FROM unnest(positions) WITH ORDINALITY AS p (at, n) "
            "JOIN event e ON e.position = p.at) AS turns FROM conversation c ORDER BY c.id",
        ),
        "turn": rows_of(
            url,
            "SELECT e.id AS event, c.id AS conversation FROM turn t JOIN event e USING (position) "
            "JOIN conversation c ON c.no = t.conversation ORDER BY 1",
        ),
        "profile": rows_of(url, "SELECT identity, state FROM profile ORDER BY identity"),
    }


def threads_of(url: str) -> dict[str, set[str]]:
    """Thread id -> the numbers of its tweets."""
    found: dict[str, set[str]] = {}
    for row in derived(url)["conversation"]:
        found.setdefault(row["thread"], set()).update(turn.partition(":")[2] for turn in row["turns"])
    return found


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which must be one object and nothing else."""
        assert self.out.endswith("}\n")
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def refusal(self) -> str:
        """The one line on standard error."""
        assert self.code == 1, self
        assert self.out == ""
        [line] = self.err.splitlines()
        assert line.startswith("harken: ")
        return line


def harken(*arguments: object) -> Ended:
    """A command in this process, from its words to its exit code."""
    before = signal.getsignal(signal.SIGTERM)
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["harken", *map(str, arguments)])
        try:
            running.run()
            code: Any = 0
        except SystemExit as left:
            code = left.code
        finally:
            signal.signal(signal.SIGTERM, before)
    return Ended(int(code or 0), out.getvalue(), err.getvalue())
