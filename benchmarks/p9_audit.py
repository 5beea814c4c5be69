"""P9: the audit. Eight processes append, one event a transaction; then all of it is sealed, verified, and one event proved.

    python -m benchmarks.p9_audit [--json] [--seconds N] [--writers N] [--seal N]

The yardsticks, in the same run and on the same server: the same row inserted by the same number of writers with the same commit into a
table with nothing but a key (what this disk and these cores give), and a chain in which every row holds the hash of the one before, under
a lock. For sealing: as many SHA-256 of as many bytes as its tree needs, in a plain loop.
"""

import argparse
import hashlib
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from harken.audit import canonical, store
from harken.audit.note import Signer
from harken.audit.pins import Pins
from harken.flow import auditing, sealing
from harken.flow.audit_desk import AuditDesk
from harken.kit import db, embedded_postgres, migrate
from harken.kit.clock import wall_clock

BARE = (
    "CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tx xid8 DEFAULT pg_current_xact_id(), "
    "ts timestamptz DEFAULT clock_timestamp(), actor text, action text, body text)"
)
INSERT = "INSERT INTO bare (actor, action, body) VALUES (%s, %s, %s)"
CHAIN = "CREATE TABLE chain (id bigserial PRIMARY KEY, actor text, action text, body text, hash bytea)"
CHAINED = (
    "SELECT pg_advisory_xact_lock(4711)",
    "SELECT hash FROM chain ORDER BY id DESC LIMIT 1",
    "INSERT INTO chain (actor, action, body, hash) VALUES (%s, %s, %s, %s)",
)
ACTOR, ACTION = "agent:lena", "ticket.noted"


def body(which: int, number: int) -> dict[str, canonical.Plain]:
    return {"ticket": f"{which}-{number}", "customer": "9f" * 16, "outcome": "send"}


def ours(url: str, which: int, until: float) -> int:
    database, written = db.Database(url, size=1), 0
    while time.perf_counter() < until:
        with database.transaction() as tx:
            store.record(tx, ACTOR, ACTION, body(which, written))
        written += 1
    database.close()
    return written


def alone(url: str, which: int, until: float) -> int:
    """As what is recorded by itself is: a refusal, who looked, a decision; one statement is its own transaction."""
    database, written = db.Database(url, size=1), 0
    while time.perf_counter() < until:
        with database.statement() as tx:
            store.record(tx, ACTOR, ACTION, body(which, written))
        written += 1
    database.close()
    return written


def unwaited(url: str, which: int, until: float) -> int:
    """As who looked is recorded: the disk is not waited for."""
    database, written = db.Database(url, size=1), 0
    while time.perf_counter() < until:
        with database.statement() as tx:
            store.record_unwaited(tx, ACTOR, ACTION, body(which, written))
        written += 1
    database.close()
    return written


def bare(url: str, which: int, until: float) -> int:
    written = 0
    with psycopg.connect(url, autocommit=True) as connection:
        while time.perf_counter() < until:
            text = json.dumps(body(which, written))
            with connection.transaction():
                connection.execute(INSERT, (ACTOR, ACTION, text))
            written += 1
    return written


def bare_alone(url: str, which: int, until: float) -> int:
    written = 0
    with psycopg.connect(url, autocommit=True) as connection:
        while time.perf_counter() < until:
            connection.execute(INSERT, (ACTOR, ACTION, json.dumps(body(which, written))))
            written += 1
    return written


def chained(url: str, which: int, until: float) -> int:
    lock, last, add = CHAINED
    written = 0
    with psycopg.connect(url) as connection:
        while time.perf_counter() < until:
            text = canonical.text(body(which, written))
            connection.execute(lock)
            row = connection.execute(last).fetchone()
            link = hashlib.sha256((row[0] if row else b"") + text.encode()).digest()
            connection.execute(add, (ACTOR, ACTION, text, link))
            connection.commit()
            written += 1
    return written


def run(
    write: Callable[[str, int, float], int], url: str, which: int, seconds: float, out: "multiprocessing.Queue[int]"
) -> None:
    out.put(write(url, which, time.perf_counter() + seconds))


def rate(write: Callable[[str, int, float], int], url: str, writers: int, seconds: float) -> float:
    """Rows a second of all writers together; processes are up before they are counted."""
    out: multiprocessing.Queue[int] = multiprocessing.Queue()
    processes = [
        multiprocessing.Process(target=run, args=(write, url, which, seconds, out)) for which in range(writers)
    ]
    for each in processes:
        each.start()
    total = sum(out.get() for _ in processes)
    for each in processes:
        each.join()
    return total / seconds


def fill(url: str, rows: int) -> None:
    """Events to be sealed, a thousand a transaction."""
    database = db.Database(url, size=1)
    for start in range(0, rows, 1000):
        with database.transaction() as tx:
            store.records(tx, [store.Done(ACTOR, ACTION, body(0, start + at)) for at in range(1000)])
    database.close()


def sealed(desk: AuditDesk) -> tuple[int, float]:
    started = time.perf_counter()
    events = sealing.seal_all(desk).events
    return events, time.perf_counter() - started


def proofs(desk: AuditDesk, events: int) -> dict[str, float]:
    taken, most = [], 0
    for at in range(200):
        number = 1 + at * events // 200
        started = time.perf_counter()
        try:
            found = auditing.prove(number, desk)
        except auditing.NotSealedError:
            continue  # a number that a transaction took and gave up
        taken.append(time.perf_counter() - started)
        most = max(most, len(found["proof"]))
        assert found["ok"]
    taken.sort()
    return {"proof_hashes": most, "proof_p50_ms": taken[len(taken) // 2] * 1000, "proof_p99_ms": taken[-2] * 1000}


WRITERS = {
    "bare_rows_s": bare,
    "append_rows_s": ours,
    "bare_alone_rows_s": bare_alone,
    "append_alone_rows_s": alone,
    "append_unwaited_rows_s": unwaited,
    "chain_rows_s": chained,
}


def appended(url: str, asked: argparse.Namespace) -> dict[str, float]:
    """Each in turn, twice; the better one counts, since these machines are shared."""
    with psycopg.connect(url) as owner:
        owner.execute(CHAIN)
        owner.execute(BARE)
    rounds = [
        {name: rate(write, url, asked.writers, asked.seconds) for name, write in WRITERS.items()} for _ in range(2)
    ]
    best = {name: max(each[name] for each in rounds) for name in WRITERS}
    return best | {"append_of_bare": best["append_rows_s"] / best["bare_rows_s"]}


def hashing(events: int) -> float:
    """A leaf and a node for each event, in a plain loop: the least that a tree costs in this language."""
    content, started = json.dumps(body(0, 1)).encode().ljust(160), time.perf_counter()
    for _ in range(events):
        leaf = hashlib.sha256(b"\x00" + content).digest()
        hashlib.sha256(b"\x01" + leaf + leaf).digest()
    return events / (time.perf_counter() - started)


def measure(url: str, home: Path, asked: argparse.Namespace) -> dict[str, object]:
    rates = appended(url, asked)
    fill(url, asked.seal)
    desk = AuditDesk(
        database=db.Database(url, size=2, role=db.SEALER_ROLE),
        signer=Signer(bytes(32)),
        pins=Pins(home / "audit" / "pins"),
        clock=wall_clock,
    )
    events, seconds = sealed(desk)
    started = time.perf_counter()
    found = auditing.verify(desk)
    verified_s = time.perf_counter() - started
    assert found.ok, found.problems
    told = {
        "writers": asked.writers,
        **rates,
        "events": events,
        "seal_rows_s": events / seconds,
        "hash_rows_s": hashing(min(events, 200_000)),
        "verify_rows_s": events / verified_s,
        **proofs(desk, events),
    }
    desk.database.close()
    return {name: round(value, 2) if isinstance(value, float) else value for name, value in told.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--seal", type=int, default=200_000, help="events more, to be sealed")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="harken-p9-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with embedded_postgres.start(home) as running:
            migrate.migrate(running.url)
            told = measure(running.url, home, asked)
    if asked.json:
        sys.stdout.write(json.dumps(told) + "\n")
        return
    for name, value in told.items():
        print(f"{name:24} {value:,}")


if __name__ == "__main__":
    main()
