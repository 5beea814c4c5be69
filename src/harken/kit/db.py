"""One pool, one transaction per unit of work. Nobody else commits."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from harken.errors import TryAgainError
from harken.kit import migrate

Row: TypeAlias = DictRow
Tx: TypeAlias = psycopg.Connection[Row]

SERVING_ROLE = "harken_app"
LIBRARIAN_ROLE = "harken_librarian"
"""Takes documents in, and alone reads and fills the vault of what stood in them."""

SEALER_ROLE = "harken_sealer"
"""Seals the audit: alone adds leaves and heads to its tree."""

POOL_SIZE = 8
CONNECT_TIMEOUT_S = 10.0
PROBE_TIMEOUT_S = 2

# Its warnings repeat, once for every attempt, what the caller is told in one line.
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)


class DeadlockError(TryAgainError):
    """Two transactions waited for each other; this one was undone and may simply be done again."""


class Database:
    """A PostgreSQL by URL. Every connection takes one role (`harken_app` unless said), whoever logged in."""

    def __init__(self, url: str, *, size: int = POOL_SIZE, role: LiteralString = SERVING_ROLE) -> None:
        self.url = url
        self._role = role
        self._pool: ConnectionPool[Tx] = ConnectionPool(
            url,
            connection_class=psycopg.Connection[DictRow],
            kwargs={"row_factory": dict_row, "application_name": "harken", "autocommit": True},
            configure=self._serve,
            min_size=0,
            max_size=size,
            timeout=CONNECT_TIMEOUT_S,
            reconnect_timeout=CONNECT_TIMEOUT_S,
            open=False,
        )

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """Commit when the block ends, roll back when it raises."""
        with self.statement() as connection, connection.transaction():
            yield connection

    @contextmanager
    def statement(self) -> Iterator[Tx]:
        """For a single statement, which is a transaction in itself: it saves two journeys to the server."""
        self._pool.open()
        try:
            with self._pool.connection() as connection:
                yield connection
        except PoolTimeout as broken:
            raise TryAgainError(
                f"The database did not answer: {self._why()}. What was committed is kept; try again when it is back."
            ) from broken
        except psycopg.errors.DeadlockDetected as undone:
            raise DeadlockError from undone
        except psycopg.errors.DiskFull as full:
            raise TryAgainError(
                f"The database's disk is full: {first_line(full)}. Nothing of this was kept; make room there, and try again."
            ) from full
        except psycopg.OperationalError as broken:
            self._pool.check()  # nobody after this gets a connection that died with this one
            raise TryAgainError(
                f"The database went away: {first_line(broken)}. What was committed is kept; run the same command again."
            ) from broken

    def _why(self) -> str:
        """The pool knows only that no connection came in time."""
        try:
            with psycopg.connect(self.url, row_factory=dict_row, connect_timeout=PROBE_TIMEOUT_S) as probe:
                self._serve(probe)
        except psycopg.Error as refused:
            return first_line(refused)
        return "all connections are in use"

    def _serve(self, connection: Tx) -> None:
        """Row-level security and grants do nothing for a superuser, so no connection keeps its login's powers."""
        connection.execute(f"SET ROLE {self._role}")
        migrate.refuse_bypass(connection)
        connection.commit()

    def close(self) -> None:
        self._pool.close()


def rows(tx: Tx, query: LiteralString, **values: Any) -> list[DictRow]:
    return tx.execute(query, values).fetchall()


def row(tx: Tx, query: LiteralString, **values: Any) -> DictRow | None:
    return tx.execute(query, values).fetchone()


def first_line(error: BaseException) -> str:
    """The first line of a driver's message: the rest repeats it, and may repeat the connection string."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
