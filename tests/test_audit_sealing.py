"""What is sealed is whole, whoever writes, dies or is put back meanwhile; and nobody is accused who changed nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from audit_cases import CUT, EVENTS, LATER, audit_on, done, grow_anew, record, sealed_in_two_turns, sql, superuser  # noqa: F401  a fixture among them
from journey import one_of, rows_of

from harken.audit import note, store
from harken.audit.canonical import NotCanonicalError
from harken.flow import auditing, sealing
from harken.flow.audit_desk import AuditDesk
from harken.kit import db

HERE = Path(__file__).parent


@pytest.mark.parametrize("seed", range(10))
def test_a_clean_run_is_whole(seed: int, store_url: str, tmp_path: Path) -> None:
    """Transactions of all sizes, some undone, some still open while others are sealed."""
    chance = Random(seed)
    written = clean_run(store_url, tmp_path, chance, turns=6)

    with audit_on(store_url, tmp_path) as desk:
        sealing.seal_all(desk)
        found = auditing.verify(desk)

    assert (found.ok, found.problems) == (True, [])
    assert found.events == found.sealed == found.tree_size == written


def clean_run(url: str, home: Path, chance: Random, turns: int) -> int:
    """How many events were committed."""
    written = 0
    with audit_on(url, home) as desk, psycopg.connect(url) as long:
        for _ in range(turns):
            if chance.random() < 0.4:
                long.execute("INSERT INTO audit_event (actor, action, body) VALUES ('x', 'slow.deed', '{}')")
                written += 1
            number = chance.randrange(1, 400)
            record(url, number, written, each=chance.choice([1, 7, 500]))
            written += number
            with psycopg.connect(url) as undone:
                undone.execute("INSERT INTO audit_event (actor, action, body) VALUES ('x', 'no.deed', '{}')")
                undone.rollback()
            if chance.random() < 0.7:
                sealing.seal(desk)
                assert auditing.verify(desk).ok
            if chance.random() < 0.5:
                long.commit()
    return written


@pytest.mark.long
@pytest.mark.usefixtures("_template")
def test_a_hundred_clean_runs_are_whole(postgres_url: str, tmp_path: Path) -> None:
    from conftest import fresh_store  # noqa: PLC0415  a hundred stores, one after the other

    for seed in range(100, 200):
        with fresh_store(postgres_url, "freshly_migrated") as url:
            home = tmp_path / str(seed)
            written = clean_run(url, home, Random(seed), turns=6)
            with audit_on(url, home) as desk:
                sealing.seal_all(desk)
                found = auditing.verify(desk)
            assert (found.ok, found.sealed) == (True, written)


def test_nothing_appears_below_what_is_sealed(store_url: str, tmp_path: Path) -> None:
    """A transaction that began first and ends last holds its own events back, and those that came after it."""
    with audit_on(store_url, tmp_path) as desk:
        with psycopg.connect(store_url) as slow:
            slow.execute("INSERT INTO audit_event (actor, action, body) VALUES ('x', 'slow.deed', '{}')")
            record(store_url, 10)
            assert sealing.seal(desk).events == 0
        assert sealing.seal(desk).events == 11
        assert auditing.verify(desk).ok


def test_what_was_undone_is_not_in_the_audit(store_url: str) -> None:
    database = db.Database(store_url, size=1)
    with database.transaction() as tx:
        store.record(tx, *done(1))
        raise psycopg.Rollback
    database.close()

    assert one_of(store_url, "SELECT count(*) FROM audit_event") == 0


def test_a_body_that_is_not_canonical_is_refused(store_url: str) -> None:
    database = db.Database(store_url, size=1)
    with database.transaction() as tx, pytest.raises(NotCanonicalError):
        store.record(tx, "ai", "ticket.noted", {"tweet": 2**60})
    database.close()


def test_a_database_that_lost_events_is_not_sealed_on(desk: AuditDesk, store_url: str) -> None:
    with superuser(store_url) as owner:
        sql(*CUT)(owner, desk)
    record(store_url, 100, 1000)

    with pytest.raises(sealing.BehindPinsError):
        sealing.seal(desk)
    old = sealing.restored(desk, "person:lena")
    sealed = sealing.seal_all(desk)

    assert sealed.tree_size == EVENTS + 101
    assert auditing.verify(desk).ok
    assert auditing.verify(desk, old).problems == [f"the head of {EVENTS + LATER:,} events was pinned and is gone"]
    said = rows_of(store_url, "SELECT actor, body FROM audit_event WHERE action = 'audit.restored'")
    assert said == [{"actor": "person:lena", "body": f'{{"epoch":1,"kept":{EVENTS},"pinned":{EVENTS + LATER}}}'}]


def test_another_server_begins_a_new_epoch(desk: AuditDesk, store_url: str) -> None:
    """Its transactions have smaller numbers than those that are sealed; old events keep theirs."""
    with superuser(store_url) as owner:
        grow = "UPDATE audit_event SET tx = (tx::text::bigint + 4000000000)::text::xid8"
        owner.execute(grow)
        owner.execute(
            "UPDATE audit_checkpoint SET system = '1', horizon = (horizon::text::bigint + 4000000000)::text::xid8"
        )
        seal_anew(owner, desk)
    desk.pins.path.unlink()
    record(store_url, 20, 5000)

    first, second = sealing.seal(desk), sealing.seal(desk)
    record(store_url, 5, 6000)
    third = sealing.seal(desk)

    assert (first.events, second.events, third.events) == (20, 0, 5)
    found = auditing.verify(desk)
    assert (found.ok, found.problems) == (True, [])
    assert rows_of(store_url, "SELECT DISTINCT epoch FROM audit_checkpoint ORDER BY 1") == [{"epoch": 1}, {"epoch": 2}]


def seal_anew(owner: psycopg.Connection[Any], desk: AuditDesk) -> None:
    """As if all of it had been sealed on that other server."""
    grow_anew(owner, desk.signer, 0)


def test_a_crash_before_the_pin_is_made_good(desk: AuditDesk, store_url: str) -> None:
    record(store_url, 5, 2000)
    last = desk.pins.path.read_text()
    sealing.seal(desk)
    desk.pins.path.write_text(last + "harken-audit-half a no")

    sealing.seal(desk)

    assert note.said(desk.pins.last() or "").size == EVENTS + LATER + 5
    assert auditing.verify(desk).ok


@pytest.mark.parametrize(
    ("seconds", "kills", "most"), [(3, 3, 4_000), pytest.param(60, 20, 20_000, marks=pytest.mark.long)]
)
def test_a_sealer_killed_while_others_write_loses_and_doubles_nothing(
    seconds: int, kills: int, most: int, store_url: str, tmp_path: Path
) -> None:
    stop = threading.Event()
    written = [0, 0]

    def write(which: int) -> None:
        database = db.Database(store_url, size=1)
        while not stop.is_set() and written[which] < most:
            with database.transaction() as tx:
                store.records(tx, [done(written[which] + at) for at in range(20)])
            written[which] += 20
        database.close()

    writers = [threading.Thread(target=write, args=(which,)) for which in range(2)]
    for thread in writers:
        thread.start()
    for _ in range(kills):
        kill_a_sealer(store_url, tmp_path, seconds / kills)
    stop.set()
    for thread in writers:
        thread.join()

    with audit_on(store_url, tmp_path) as desk:
        sealing.seal_all(desk)
        found = auditing.verify(desk)
    assert (found.ok, found.problems) == (True, [])
    assert found.sealed == found.events == sum(written) > 0


def kill_a_sealer(url: str, home: Path, within_s: float) -> None:
    """Seals turn after turn in a process of its own until kill -9."""
    process = subprocess.Popen(
        [sys.executable, HERE / "audit_sealer.py", url, home],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(HERE)},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"sealing\n"
        time.sleep(within_s)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
