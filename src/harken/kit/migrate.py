"""A folder of `NNNN_words.sql` -> the schema of a PostgreSQL database, each file applied once and in order."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row

from harken.errors import TryAgainError, UnsuitableError
from harken.kit import sql
from harken.kit.clock import Clock, wall_clock

q = sql.queries("harken.kit")

MINIMUM_SERVER = 160000
"""As `server_version_num` counts: PostgreSQL 16."""

MINIMUM_PGVECTOR = (0, 8)
"""The first with iterative index scans, without which a filtered search finds next to nothing."""

CONNECT_LIMIT_S = 10

SHARED = "Another application is in this database: give Harken one of its own."

_NAME = re.compile(r"\d{4}_[a-z0-9_]+\.sql")
_INCLUDED = re.compile(rb"^-- include: (?P<package>[a-z_.]+) (?P<file>\S+) (?P<sha256>[0-9a-f]{64})$", re.MULTILINE)

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    text: bytes

    @property
    def checksum(self) -> str:
        """Of the text with Unix line ends: a checkout on Windows is the same migration."""
        return hashlib.sha256(self.text.replace(b"\r\n", b"\n")).hexdigest()


@dataclass(frozen=True, slots=True)
class Status:
    """What a database has, beside what we know."""

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    server_version: str
    pgvector: str | None


@dataclass(frozen=True, slots=True)
class Role:
    """The role whose rights a connection has now, and each way in which it could read past row-level security."""

    name: str
    superuser: bool
    bypasses_rls: bool
    owns_tables: bool


def shipped() -> Traversable:
    """The migrations of this version."""
    return resources.files("harken") / "migrations"


def migrate(url: str, *, folder: Traversable | None = None, clock: Clock = wall_clock) -> list[str]:
    """Apply what is pending and return its names. Safe to call at once from several processes.

    Raises UnsuitableError, with one line for people, when this database is not for this version of Harken, and
    TryAgainError when a busy table does not let a migration in.
    """
    known = read(folder or shipped())
    with _connected(url) as connection:
        refuse_server(*_server(connection))
        connection.execute(q.limit_turn)
        connection.execute(q.take_turn)
        try:
            connection.execute(q.make_history)
            pending = remaining(known, _applied(connection))
            for migration in pending:
                _apply(connection, migration, clock)
        finally:
            if not connection.closed:
                connection.execute(q.end_turn)
        return [migration.name for migration in pending]


def status(url: str, *, folder: Traversable | None = None) -> Status:
    """Looks only. Raises UnsuitableError when there is no database to look at, or one that is not for us."""
    with _connected(url) as connection:
        _, version, pgvector = _server(connection)
        [(has_history,)] = connection.execute(q.has_history).fetchall()
        applied = _applied(connection) if has_history else {}
        pending = remaining(read(folder or shipped()), applied)
        return Status(tuple(applied), tuple(migration.name for migration in pending), version, pgvector)


def effective_role(connection: psycopg.Connection[Any]) -> Role:
    [row] = connection.cursor(row_factory=tuple_row).execute(q.effective_role).fetchall()
    return Role(*row)


def refuse_bypass(connection: psycopg.Connection[Any]) -> None:
    """Raises UnsuitableError when row-level security would not hold for this connection."""
    refuse_role(effective_role(connection))


def refuse_role(role: Role) -> None:
    ways = {
        "is a superuser": role.superuser,
        "has BYPASSRLS": role.bypasses_rls,
        "owns tables": role.owns_tables,
    }
    if way := next((way for way, holds in ways.items() if holds), None):
        raise UnsuitableError(f"The database role {role.name!r} {way}, so it would see every row: serve as harken_app.")


def read(folder: Traversable) -> list[Migration]:
    """The migrations in their order. Raises UnsuitableError at a name out of pattern, or a number used twice."""
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    for name, following in zip(names, [*names[1:], ""], strict=True):
        if not _NAME.fullmatch(name):
            raise UnsuitableError(f"A migration is called NNNN_words.sql: {name}.")
        if name[:4] == following[:4]:
            raise UnsuitableError(f"Two migrations have one number: {name} and {following}.")
    return [Migration(name, _INCLUDED.sub(_included, folder.joinpath(name).read_bytes())) for name in names]


def _included(line: re.Match[bytes]) -> bytes:
    """The schema of a library that keeps tables of its own. Another version of it would make other tables unnoticed."""
    package, file, sha256 = (part.decode() for part in line.groups())
    text = resources.files(package).joinpath(file).read_bytes()
    if hashlib.sha256(text).hexdigest() != sha256:
        raise UnsuitableError(
            f"The installed version of {package} has another schema than this version of Harken was made with: "
            "install the versions that uv.lock names."
        )
    return text


def remaining(known: Sequence[Migration], applied: Mapping[str, str]) -> list[Migration]:
    """What is still to apply; `applied` maps names to checksums. Raises UnsuitableError when the two do not fit."""
    names = [migration.name for migration in known]
    if unknown := sorted(applied.keys() - set(names)):
        raise UnsuitableError(f"This database was made by a newer version of Harken: it has {unknown[-1]}.")
    for migration in known:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise UnsuitableError(
                f"The migration {migration.name} has changed since it was applied: add a new one instead."
            )
    pending = [migration for migration in known if migration.name not in applied]
    if applied and pending and pending[0].name < max(applied):
        raise UnsuitableError(
            f"The migration {pending[0].name} comes too late: {max(applied)} has been applied already."
        )
    return pending


def _applied(connection: Connection) -> dict[str, str]:
    try:
        return dict(connection.execute(q.history).fetchall())
    except psycopg.errors.UndefinedColumn:
        raise UnsuitableError(f"The table schema_migration is not ours. {SHARED}") from None


def _apply(connection: Connection, migration: Migration, clock: Clock) -> None:
    try:
        with connection.transaction():
            connection.execute(q.limit_migration)
            connection.execute(migration.text)
            connection.execute(q.record, {"name": migration.name, "checksum": migration.checksum, "at": clock()})
    except psycopg.errors.LockNotAvailable:
        raise TryAgainError(f"{migration.name} waits for a table in use: stop what uses it, or try again.") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise UnsuitableError(f"{migration.name} needs more rights: {error.diag.message_primary}.") from None
    except psycopg.errors.DuplicateTable as error:
        raise UnsuitableError(f"{error.diag.message_primary}, and is not ours. {SHARED}") from None


def _server(connection: Connection) -> tuple[int, str, str | None]:
    [(number, version, pgvector)] = connection.execute(q.server).fetchall()
    return number, version, pgvector


def refuse_server(number: int, version: str, pgvector: str | None) -> None:
    if number < MINIMUM_SERVER:
        raise UnsuitableError(f"This is PostgreSQL {version}; Harken needs 16 or later.")
    if pgvector is None:
        raise UnsuitableError("This PostgreSQL has no pgvector: install the extension `vector` 0.8 or later.")
    if tuple(int(part) for part in re.findall(r"\d+", pgvector)[:2]) < MINIMUM_PGVECTOR:
        raise UnsuitableError(f"This is pgvector {pgvector}; Harken needs 0.8 or later: ALTER EXTENSION vector UPDATE.")


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    """An autocommit connection; what goes wrong on the way, or midway, is told without the password."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise UnsuitableError(
            "The store's URL cannot be read: it looks like postgresql://user:password@host/name."
        ) from None
    try:
        with psycopg.connect(url, autocommit=True, **_limit(given)) as connection:
            yield connection
    except psycopg.OperationalError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        # The driver adds advice, and a heading when a name has several addresses: one line of it says what happened.
        line = next((line for line in lines if "failed: " in line), lines[0] if lines else "the connection was lost")
        if secret := given.get("password"):
            line = line.replace(str(secret), "***")
        raise UnsuitableError(f"The store cannot be used: {line}") from None
    except psycopg.errors.InsufficientPrivilege as error:
        raise UnsuitableError(
            f"The store cannot be used: {error.diag.message_primary}. Harken's login should own a database of its own."
        ) from None


def _limit(given: Mapping[str, Any]) -> dict[str, Any]:
    return {} if "connect_timeout" in given else {"connect_timeout": CONNECT_LIMIT_S}
