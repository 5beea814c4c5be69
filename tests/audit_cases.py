"""A desk of the audit on a clock that stands still, events in it, and everything of it that a superuser could write over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from journey import NOW

from harken.audit import merkle, store
from harken.audit.note import Head, Signer
from harken.audit.pins import Pins
from harken.audit.rows import AuditEvent
from harken.audit.store import Done
from harken.flow import sealing
from harken.flow.audit_desk import AuditDesk
from harken.kit import db
from harken.kit.clock import stopped_at

SECRET = bytes(range(32))
TABLES = ("audit_event", "audit_leaf", "audit_node", "audit_checkpoint")
EVENTS, LATER = 600, 60
Attack = Callable[[psycopg.Connection[Any], AuditDesk], object]


@contextmanager
def audit_on(url: str, home: Path) -> Iterator[AuditDesk]:
    database = db.Database(url, size=2, role=db.SEALER_ROLE)
    try:
        yield AuditDesk(
            database=database, signer=Signer(SECRET), pins=Pins(home / "audit" / "pins"), clock=stopped_at(NOW)
        )
    finally:
        database.close()


def record(url: str, events: int, first: int = 0, each: int = 50) -> None:
    """As whoever serves does, some events a transaction."""
    database = db.Database(url, size=1)
    try:
        for start in range(first, first + events, each):
            with database.transaction() as tx:
                store.records(tx, [done(n) for n in range(start, min(start + each, first + events))])
    finally:
        database.close()


def done(number: int) -> Done:
    return Done("agent:lena", "ticket.noted", {"ticket": f"t-{number}", "place": number})


@contextmanager
def superuser(url: str) -> Iterator[psycopg.Connection[Any]]:
    """Whoever owns the server: no right holds them, and no trigger either."""
    with psycopg.connect(url) as connection:
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # type: ignore[arg-type]
        yield connection
        for table in TABLES:
            connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_is_final")  # type: ignore[arg-type]


@pytest.fixture(name="desk")
def sealed_in_two_turns(store_url: str, tmp_path: Path) -> Iterator[AuditDesk]:
    """Sealed in two turns."""
    with audit_on(store_url, tmp_path) as made:
        record(store_url, EVENTS)
        sealing.seal_all(made)
        record(store_url, LATER, EVENTS)
        sealing.seal_all(made)
        yield made


def sql(*statements: str) -> Attack:
    def run(owner: psycopg.Connection[Any], desk: AuditDesk) -> None:
        for each in statements:
            assert owner.execute(each).rowcount != 0, each  # type: ignore[arg-type]

    return run


CUT = tuple(
    f"DELETE FROM {each}"
    for each in (
        f"audit_checkpoint WHERE size > {EVENTS}",
        f"audit_leaf WHERE place >= {EVENTS}",
        f"audit_event WHERE id > {EVENTS}",
    )
)


def grow_anew(owner: psycopg.Connection[Any], signer: Signer, keep: int) -> None:
    """What lies above the first `keep` leaves is made of the events as they are now, and signed."""
    names = "id, tx::text::bigint, (extract(epoch FROM ts) * 1000000)::bigint, actor, action, body"
    events = [AuditEvent(*row) for row in owner.execute(f"SELECT {names} FROM audit_event ORDER BY tx, id")]  # type: ignore[arg-type]
    heads = owner.execute(
        "SELECT size, epoch, system, horizon::text::bigint FROM audit_checkpoint ORDER BY size"
    ).fetchall()
    for table, column in (
        ("audit_checkpoint", "size"),
        ("audit_node", "(place + 1) << level"),
        ("audit_leaf", "place + 1"),
    ):
        owner.execute(f"DELETE FROM {table} WHERE {column} > {keep}")  # type: ignore[arg-type]
    grown, top = merkle.Growing(), heads[-1]
    for place, event in enumerate(events):
        nodes = list(grown.add(event.hash))
        if place < keep:
            continue
        owner.execute("INSERT INTO audit_leaf VALUES (%s, %s, %s)", (place, event.id, event.hash))
        for node in nodes:
            if node[0] >= 8:
                owner.execute("INSERT INTO audit_node VALUES (%s, %s, %s)", node)
        if grown.size in {size for size, *_ in heads} or grown.size == len(events):
            head = Head(size=grown.size, root=grown.root(), epoch=top[1], system=top[2], horizon=top[3], at=NOW)
            made = (head.size, head.root, head.epoch, head.system, str(head.horizon), signer.signed(head))
            owner.execute("INSERT INTO audit_checkpoint VALUES (%s, %s, %s, %s, %s::xid8, %s)", made)
