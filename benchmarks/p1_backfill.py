"""P1: a twcs-shaped CSV -> a loaded PostgreSQL: events sealed, threads, conversations, profiles.

    python -m benchmarks.p1_backfill [--data FILE.csv] [--customers N] [--slice N] [--engine NAME] [--json]

The yardstick, in the same run: the same work on a slice of the same file as it is often written first, with plain
pandas, one Python loop and one INSERT a row. Ratios are rows a second, ours over the whole file, theirs over the slice.
"""

import argparse
import json
import resource
import time
from pathlib import Path

import pandas as pd
import psycopg

from benchmarks import data, machine, measure
from harken import bootstrap, settings
from harken.cli.printing import Quiet
from harken.conversations.cases import Row, cases_of
from harken.conversations.facts import facts_of_rows
from harken.conversations.threads import root_of_all
from harken.conversations.topics import topic_hits
from harken.flow import batch
from harken.flow.batch import Source
from harken.intake.read import read
from harken.kit import spans, words
from harken.privacy import keys
from harken.privacy.ring import KeyRing
from harken.privacy.sealing import Body
from harken.profiles import fold, stored

TABLES = """
CREATE TABLE plain_event (id text PRIMARY KEY, kind text, identity text, author text, at bigint, in_reply_to text, body bytea,
                          language text, sentiment int, urgency int, signals int);
CREATE TABLE plain_conversation (id text PRIMARY KEY, thread text, identity text, brand text, facts text);
CREATE TABLE plain_profile (identity text PRIMARY KEY, state text);
"""
EVENT = "INSERT INTO plain_event VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
CONVERSATION = "INSERT INTO plain_conversation VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
PROFILE = "INSERT INTO plain_profile VALUES (%s, %s) ON CONFLICT DO NOTHING"


def ours(path: Path, engine: str, store: str, *, with_mood: bool) -> dict[str, object]:
    """A first load into an empty embedded store, set-up not counted."""
    with measure.folder() as home:
        given = settings.load().model_copy(update={"home": home})
        with bootstrap.desk_of(given, store=measure.store_in(home, store), engine=engine) as desk:
            started = time.perf_counter()
            report = batch.ingest(Source(path=path, format="twcs", with_mood=with_mood), desk, Quiet())
            seconds = time.perf_counter() - started
    return {
        "rows": report.rows_read,
        "seconds": round(seconds, 1),
        "rows_a_second": round(report.rows_read / seconds),
        "steps": report.steps,
        "peak_mb": {"parent": _peak(resource.RUSAGE_SELF), "largest_worker": _peak(resource.RUSAGE_CHILDREN)},
    }


def _peak(who: int) -> int:
    return resource.getrusage(who).ru_maxrss // 1024


def theirs(path: Path, rows: int, *, with_mood: bool) -> dict[str, object]:
    """pandas, a loop, one INSERT a row, one commit at the end."""
    with measure.folder() as home:
        given = settings.load().model_copy(update={"home": home})
        with bootstrap.store_of(given) as running, psycopg.connect(running.url) as connection:
            connection.execute(TABLES)
            started = time.perf_counter()
            events = _events(path, rows, with_mood=with_mood)
            for event in events:
                connection.execute(EVENT, [event[0], *event[1:]])
            _derived(connection, events)
            connection.commit()
            seconds = time.perf_counter() - started
    return {"rows": len(events), "seconds": round(seconds, 1), "rows_a_second": round(len(events) / seconds)}


def _events(path: Path, rows: int, *, with_mood: bool) -> list[tuple[object, ...]]:
    frame = pd.read_csv(path, nrows=rows, dtype=str, keep_default_na=False)
    frame["at"] = pd.to_datetime(frame["created_at"], format="%a %b %d %H:%M:%S %z %Y")
    ring = KeyRing(master := keys.MasterKey(b"k" * 32))
    wrapped: dict[str, bytes] = {}
    made: list[tuple[object, ...]] = []
    for _, row in frame.iterrows():
        subject = f"twitter:{row['author_id']}"
        if subject not in wrapped:
            wrapped[subject] = keys.wrap_many(master, [subject])[0][1]
        inbound = row["inbound"] == "True"
        places = spans.find_spans(row["text"])
        plain = spans.clean(row["text"], places)
        said = words.split(plain)
        reading = read(plain, said, from_customer=inbound, with_mood=with_mood)
        if inbound:
            topic_hits(said)
        body = ring.seal(subject, wrapped[subject], f"twitter:{row['tweet_id']}", Body(row["text"], places))
        parent = row["in_response_to_tweet_id"]
        made.append(
            (f"twitter:{row['tweet_id']}", "message_received" if inbound else "message_sent", subject if inbound else None,
             row["author_id"], int(row["at"].timestamp() * 1_000_000), f"twitter:{parent}" if parent else None, body,
             reading.language, reading.sentiment, reading.urgency, reading.signals)
        )  # fmt: skip
    return made


def _derived(connection: psycopg.Connection[tuple[object, ...]], events: list[tuple[object, ...]]) -> None:
    roots = root_of_all({str(event[0]): event[5] and str(event[5]) for event in events})  # type: ignore[misc]
    threads: dict[str, list[Row]] = {}
    states: dict[str, fold.State] = {}
    for id_, kind, identity, author, at, parent, _, language, sentiment, urgency, signals in events:
        row = Row(id_, at, kind, identity, author, "twitter", parent, None, language, sentiment, urgency, signals)  # type: ignore[arg-type]
        threads.setdefault(roots[row.id], []).append(row)
        if row.identity:
            fold.fold(states.setdefault(row.identity, {}), {**row._asdict(), "attributes": None})
    for thread, rows in threads.items():
        for case in cases_of(thread, rows):  # type: ignore[arg-type]
            facts = facts_of_rows(case.rows)
            connection.execute(CONVERSATION, [case.id, thread, case.identity, case.brand, repr(facts)])
    for who, state in states.items():
        connection.execute(PROFILE, [who, stored.to_bytes(state).decode()])


def main(about: str | None = __doc__, store: str = "postgres") -> None:
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a twcs CSV; default: one made here")
    parser.add_argument("--customers", type=int, default=50_000, help="size of the file made here")
    parser.add_argument("--slice", type=int, default=10_000, help="rows for the yardstick")
    parser.add_argument("--engine", default="duckdb")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with measure.folder() as folder:
        path = args.data or data.write_twcs(folder / "made.csv", customers=args.customers)
        figures = {"machine": machine.described(), "engine": args.engine, "store": store}
        for name, with_mood in (("without_mood", False), ("with_mood", True)):
            one, other = (
                ours(path, args.engine, store, with_mood=with_mood),
                theirs(path, args.slice, with_mood=with_mood),
            )
            ratio = round(one["rows_a_second"] / other["rows_a_second"], 1)  # type: ignore[operator]
            figures[name] = {"harken": one, "pandas_and_row_inserts": other, "ratio": ratio}
            if not args.json:
                print(f"{name}: {one}\n  yardstick {other}\n  {ratio} times the yardstick", flush=True)
    if args.json:
        print(json.dumps(figures))


if __name__ == "__main__":
    main()
