"""The batch's store on PostgreSQL: see `flow.ports.Warehouse` for what each method promises."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import psycopg
import pyarrow as pa
from psycopg.types.json import Jsonb

from harken.adapters.warehouses.postgres import arrow, log, reading, recording
from harken.adapters.warehouses.postgres.settling import MergeStates, PostgresSettling
from harken.domain.ids import CustomerId, IdentityId, RunId
from harken.domain.run import Appended, Backlog, Newest, Run, RunRequest, Totals
from harken.errors import TryAgainError
from harken.kit import db, sql
from harken.kit.clock import stopwatch
from harken.privacy.keys import WRAPPED
from harken.profiles import store as profiles
from harken.profiles.identity import Spoken

q = sql.queries(__package__)

TURN_WAIT_S = 3.0
"""The server takes a moment to notice that a batch was killed and to take its turn back."""


class PostgresWarehouse:
    """One instance a process; safe for threads. `merge` joins two packed profile states."""

    def __init__(self, url: str, merge: MergeStates) -> None:
        self._url = url
        self._merge = merge
        self._db = db.Database(url)
        self._turn: psycopg.Connection[Any] | None = None

    @property
    def one_process(self) -> bool:
        return False

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def one_batch_at_a_time(self) -> Iterator[None]:
        try:
            connection = psycopg.connect(self._url, autocommit=True, application_name="harken batch")
        except psycopg.OperationalError as broken:
            raise TryAgainError(
                f"The database did not answer: {db.first_line(broken)}. Nothing was changed."
            ) from broken
        with connection:
            if not _gets_its_turn(connection):
                raise TryAgainError(
                    "Another batch is writing to this store. Nothing was changed; try again when it is done."
                )
            self._turn = connection
            try:
                yield
            finally:
                self._turn = None
                # The end of the connection gives it back too, but only when the server has noticed.
                with suppress(psycopg.OperationalError):
                    connection.execute(q.unlock_batch)

    def _refuse_lost_turn(self) -> None:
        try:
            held = self._turn and self._turn.execute(q.holds_turn).fetchone()
        except psycopg.OperationalError:
            held = None
        if not (held and held[0]):
            raise TryAgainError(
                "The database was restarted meanwhile. What was committed is kept; run the same command again."
            )

    def begin(self, request: RunRequest) -> Run:
        columns = request.settings.get("columns", "")
        named = {"fingerprint": request.fingerprint, "format": request.format, "columns": columns}
        with self._db.transaction() as tx:
            found = db.row(tx, q.unfinished_run, **named)
            if found:
                tx.execute(q.resume_run, {"id": found["id"]})
                done = {
                    row["digest"]: Appended(inserted=row["inserted"], duplicates=row["duplicates"])
                    for row in db.rows(tx, q.done_blocks, id=found["id"])
                }
                return Run(id=RunId(found["id"]), resumed=True, done=done)
            started = db.row(
                tx,
                q.start_run,
                **named,
                source=request.source,
                engine=request.engine,
                who=request.who,
                settings=Jsonb(dict(request.settings)),
                started_at=request.started_at,
            )
            assert started is not None
            return Run(id=RunId(started["id"]), resumed=False)

    def unsettled(self, but: Run) -> list[Run]:
        with self._db.transaction() as tx:
            return [Run(id=RunId(row["id"]), resumed=True) for row in db.rows(tx, q.unsettled_runs, but=but.id)]

    def finish(self, run: Run, counts: dict[str, object], watermark: datetime | None, at: datetime) -> None:
        with self._db.transaction() as tx:
            tx.execute(q.finish_run, {"id": run.id, "counts": Jsonb(counts), "watermark": watermark, "at": at})

    def fail(self, run: Run, error: str, at: datetime) -> None:
        with self._db.transaction() as tx:
            tx.execute(q.fail_run, {"id": run.id, "error": error, "at": at})

    def quarantine(self, run: Run, fingerprint: str, format: str, rows: pa.Table) -> int:
        named = {"run": run.id, "fingerprint": fingerprint, "format": format}
        columns = {"lines": "line", "reasons": "reason", "sealed": "sealed"}
        with self._db.transaction() as tx:
            values = {name: rows[column].to_pylist() for name, column in columns.items()}
            return tx.execute(q.keep_quarantined, {**named, **values}).rowcount

    def quarantined(self, after: int, limit: int) -> list[db.Row]:
        with self._db.transaction() as tx:
            return db.rows(tx, q.quarantined, after=after, limit=limit)

    def release(self, ids: Sequence[int], at: datetime) -> None:
        with self._db.transaction() as tx:
            tx.execute(q.release, {"ids": list(ids), "at": at})

    def is_empty(self) -> bool:
        with self._db.transaction() as tx:
            found = db.row(tx, q.is_empty)
            return bool(found and found["empty"])

    def definitions(self) -> str | None:
        with self._db.statement() as tx:
            found = db.row(tx, q.definitions)
        return found["definitions"] if found else None

    def keys(self, subjects: pa.Array) -> pa.Table:
        if len(subjects) == 1:  # every command asks for one key, and most need no other connection
            with self._db.statement() as tx:
                found = db.rows(tx, q.key_of, subject=subjects[0].as_py())
            return pa.Table.from_pylist(found, schema=WRAPPED)
        return log.keys(self._url, subjects)

    def add_keys(self, keys: pa.Table) -> None:
        log.add_keys(self._url, keys)

    def append(self, run: Run, digest: str, block: pa.Table, place: int) -> Appended:
        """The sequence says the positions, so `place` is not needed."""
        return log.append(self._url, run, digest, block)

    def appended(self, run: Run, digest: str) -> Appended | None:
        return log.appended(self._url, run, digest)

    def known(self, ids: pa.Array) -> pa.Array:
        return log.known(self._url, ids)

    def neighbours(self, ids: pa.Array, parents: pa.Array, identities: pa.Array) -> pa.Table:
        return log.neighbours(self._url, ids, parents, identities)

    def thin(self, run: Run | None = None, identities: Sequence[IdentityId] | None = None) -> Iterator[pa.RecordBatch]:
        return log.thin(self._url, run, identities)

    @property
    def joins(self) -> bool:
        return True

    def say(self, links: Sequence[Spoken], at: datetime, *, anew: bool) -> None:
        with self._db.transaction() as tx:
            if anew:
                profiles.say_anew(tx, links, at)
                self._refuse_lost_turn()
            else:
                profiles.say(tx, links, at)

    @contextmanager
    def settling(self) -> Iterator[PostgresSettling]:
        with arrow.connect(self._url) as connection:
            yield PostgresSettling(connection, self._merge)
            self._refuse_lost_turn()

    def totals(self) -> Totals:
        with self._db.transaction() as tx:
            found = db.row(tx, q.totals)
        assert found is not None
        return Totals(
            events=found["events"],
            threads=found["threads"],
            largest_thread=int(found["largest"]),
            conversations=found["conversations"],
            customers=found["customers"],
            watermark=found["watermark"],
            position=found["position"],
        )

    def newest(self) -> Newest:
        with self._db.statement() as tx:
            found = db.row(tx, q.newest)
        assert found is not None
        return Newest(at=found["watermark"], position=found["position"], live=found["live"])

    def people(self, customer: CustomerId) -> dict[str, list[IdentityId]]:
        with self._db.statement() as tx:
            return reading.people(tx, customer)

    def conflicts(self, identities: Sequence[IdentityId]) -> list[db.Row]:
        with self._db.statement() as tx:
            return db.rows(tx, q.conflicts, identities=list(identities))

    def last_events(self, identities: Sequence[IdentityId], limit: int) -> list[db.Row]:
        with self._db.statement() as tx:
            return db.rows(tx, q.last_events, identities=list(identities), limit=limit)

    def backlog(self) -> Backlog:
        with self._db.statement() as tx:
            found = db.row(tx, q.backlog)
        assert found is not None
        return Backlog(events=found["events"], moved_at=found["moved_at"])

    def versions(self, identities: Sequence[IdentityId]) -> dict[str, str]:
        with self._db.statement() as tx:
            return {row["identity"]: row["version"] for row in db.rows(tx, q.versions, identities=list(identities))}

    def merged(self) -> list[tuple[str, list[IdentityId]]]:
        with self._db.statement() as tx:
            return reading.merged(tx)

    def shared_names(self) -> list[str]:
        with self._db.transaction() as tx:
            return reading.shared_names(tx)

    def spans(self, size: int, most: int | None = None) -> list[tuple[str, str | None]]:
        with self._db.transaction() as tx:
            return reading.spans(tx, size, most)

    def dossiers(self, span: tuple[str, str | None], batch: int) -> Iterator[list[db.Row]]:
        with self._db.transaction() as tx:
            yield from reading.dossiers(tx, span, batch)

    def conversations_of(self, identities: Sequence[IdentityId]) -> list[db.Row]:
        with self._db.statement() as tx:
            return db.rows(tx, q.conversations_of, identities=list(identities))

    def states(self, identities: Sequence[IdentityId]) -> dict[str, bytes]:
        with self._db.statement() as tx:
            found = db.rows(tx, q.states, identities=list(identities))
        return {row["identity"]: row["state"].encode() for row in found}

    def all_states(self, batch: int) -> Iterator[tuple[str, bytes]]:
        with self._db.transaction() as tx:
            yield from reading.pairs(tx, q.all_states, batch)

    def all_facts(self, batch: int) -> Iterator[tuple[str, bytes]]:
        with self._db.transaction() as tx:
            yield from reading.pairs(tx, q.all_facts, batch)

    def all_links(self, batch: int) -> Iterator[tuple[str, bytes]]:
        with self._db.transaction() as tx:
            yield from reading.pairs(tx, q.all_links, batch)

    def bodies(self, positions: Sequence[int]) -> list[db.Row]:
        with self._db.statement() as tx:
            return reading.bodies(tx, positions)

    def record(self, decisions: pa.Table) -> None:
        if decisions.num_rows == 1:  # somebody waits for the answer, and a connection of its own costs 10 ms
            with self._db.statement() as tx:
                tx.execute(q.record_one, decisions.to_pylist()[0])
        elif decisions.num_rows:
            recording.record(self._url, decisions)


def _gets_its_turn(connection: psycopg.Connection[Any]) -> bool:
    waited = stopwatch()
    while True:
        locked = connection.execute(q.lock_batch).fetchone()
        if (locked and locked[0]) or waited() >= TURN_WAIT_S:
            return bool(locked and locked[0])
        time.sleep(0.1)
