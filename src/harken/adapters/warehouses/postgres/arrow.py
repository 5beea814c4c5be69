"""Arrow tables in and out of PostgreSQL at COPY speed, through ADBC.

By ADBC's own interface: its DB-API module imports every dataframe library that is installed, two seconds a process.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import Any, LiteralString

import adbc_driver_manager as adbc
import adbc_driver_postgresql as driver
import pyarrow as pa

from harken.errors import TryAgainError, UnsuitableError
from harken.kit.db import SERVING_ROLE, first_line

_APPENDED = {adbc.INGEST_OPTION_MODE: adbc.INGEST_OPTION_MODE_APPEND}
_TEMPORARY = {
    adbc.INGEST_OPTION_MODE: adbc.INGEST_OPTION_MODE_CREATE,
    adbc.StatementOptions.INGEST_TEMPORARY.value: "true",
}


class DuplicateError(Exception):
    """A row with this key is there already."""


class ArrowConnection:
    """One connection, one transaction; committed by whoever opened it."""

    def __init__(self, connection: adbc.AdbcConnection) -> None:
        self._connection = connection

    def execute(self, query: LiteralString, *values: Any) -> int:
        """Run a statement; the number of rows it touched, -1 where unknown."""
        with self._statement(query, values) as statement:
            stream, rows = statement.execute_query()
            stream.release()
            return int(rows)

    def fetch(self, query: LiteralString, *values: Any) -> pa.Table:
        with self._statement(query, values) as statement, _reading():
            return pa.RecordBatchReader.from_stream(statement.execute_query()[0]).read_all()

    def stream(self, query: LiteralString, *values: Any) -> Iterator[pa.RecordBatch]:
        with self._statement(query, values) as statement, _reading():
            yield from pa.RecordBatchReader.from_stream(statement.execute_query()[0])

    def put(self, name: str, table: pa.Table) -> None:
        """COPY rows into an existing table."""
        try:
            self._copy(name, table, _APPENDED)
        except adbc.Error as wrong:
            if wrong.sqlstate == "23505":
                raise DuplicateError from wrong
            raise

    def lay_out(self, name: str, table: pa.Table) -> None:
        """COPY rows into a temporary table that ends with the transaction's connection."""
        with self._statement(f'DROP TABLE IF EXISTS pg_temp."{name}"') as statement:
            statement.execute_update()
        self._copy(name, table, _TEMPORARY)

    def _copy(self, name: str, table: pa.Table, options: dict[str, str]) -> None:
        with closing(adbc.AdbcStatement(self._connection)) as statement:
            statement.set_options(**{adbc.INGEST_OPTION_TARGET_TABLE: name, **options})
            statement.bind_stream(table)
            statement.execute_update()

    @contextmanager
    def _statement(self, query: str, values: tuple[Any, ...] = ()) -> Iterator[adbc.AdbcStatement]:
        with closing(adbc.AdbcStatement(self._connection)) as statement:
            statement.set_sql_query(query)
            statement.prepare()
            if values:
                statement.bind(pa.record_batch({str(at): [value] for at, value in enumerate(values)}))
            yield statement


@contextmanager
def connect(url: str) -> Iterator[ArrowConnection]:
    """A transaction of its own, as the serving role. Commits when the block ends, rolls back when it raises."""
    try:
        with closing(adbc.AdbcConnection(_database(url))) as connection:
            opened = ArrowConnection(connection)
            opened.execute(f"SET ROLE {SERVING_ROLE}")
            connection.set_autocommit(False)
            try:
                yield opened
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
    except adbc.Error as broken:
        raise _explained(broken) from broken


@lru_cache(maxsize=4)
def _database(url: str) -> Any:
    """What the driver learns of a server's types: it takes 80 ms, a connection 10. No connection is held."""
    return driver.connect(url)


@contextmanager
def _reading() -> Iterator[None]:
    """What breaks while rows come in is told by Arrow, not by the driver."""
    try:
        yield
    except (pa.ArrowException, OSError) as broken:
        raise TryAgainError(f"The database went away: {first_line(broken)}. Run the same command again.") from broken


def _explained(broken: adbc.Error) -> Exception:
    said = first_line(broken)
    if broken.sqlstate in ("53100", "58030"):
        return UnsuitableError(
            f"The database's disk is full ({said}). What was committed is kept; make room and run again."
        )
    return TryAgainError(
        f"The database refused or went away: {said}. What was committed is kept; run the same command again."
    )
