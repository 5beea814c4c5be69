"""A desk of the audit on a clock that stands still, events in it, and everything of it that a superuser could write over."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from journey import NOW

from harken.audit import store
from harken.audit.note import Signer
from harken.audit.pins import Pins
from harken.audit.store import Done
from harken.flow.audit_desk import AuditDesk
from harken.kit import db
from harken.kit.clock import stopped_at

SECRET = bytes(range(32))
TABLES = ("audit_event", "audit_leaf", "audit_node", "audit_checkpoint")


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
