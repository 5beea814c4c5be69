"""A transaction -> a job that exists exactly when the transaction commits."""

from datetime import datetime

from harken.kit import db, sql

q = sql.queries(__package__)


def inflight(tx: db.Tx) -> int:
    """Begun and not ended, by whatever worker."""
    found = db.row(tx, q.inflight)
    assert found
    jobs: int = found["jobs"]
    return jobs


def ask(tx: db.Tx, task: str, about: str, at: datetime) -> None:
    """Have `task` done about something (a ticket's id, or "" for nothing in particular), not before `at`. Asked for while it waits, it is done once.

    Two jobs about one thing never run side by side; about nothing in particular they may, so that what is slow holds up nothing else.
    """
    tx.execute(q.defer, {"task": task, "about": about, "at": at})
