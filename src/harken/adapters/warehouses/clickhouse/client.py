"""Queries -> Arrow, and Arrow -> tables: clickhouse-connect, which speaks to a server and to the engine in this process."""

import fcntl
import logging
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from harken.adapters.warehouses.clickhouse import address
from harken.adapters.warehouses.clickhouse.address import Folder, Server
from harken.errors import HarkenError, TryAgainError, UnsuitableError
from harken.kit import sql

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client
    from clickhouse_connect.driver.exceptions import DatabaseError

Answer = TypeVar("Answer")

q = sql.queries(__package__)

# They log what they raise, and each attempt to connect; the caller is told in one line.
for name in ("clickhouse_connect", "urllib3.connectionpool"):
    logging.getLogger(name).setLevel(logging.CRITICAL)

LOCK = "status"
"""The engine's own lock file in its folder."""

_CONNECT_S, _ANSWER_S = 10, 600
_REASON = re.compile(r"\[Errno -?\d+\] ([\w ]+)|timed out|Name or service not known")
_REFUSALS = {
    "AUTHENTICATION_FAILED": "ClickHouse does not know this user with this password: see the store's URL.",
    "REQUIRED_PASSWORD": "ClickHouse does not know this user with this password: see the store's URL.",
    "UNKNOWN_DATABASE": "ClickHouse has no such database: CREATE DATABASE, or name another in the store's URL.",
    "ACCESS_DENIED": "ClickHouse gives this user too few rights: Harken's login should own a database of its own.",
    "NOT_ENOUGH_SPACE": "ClickHouse's disk is full. What was committed is kept; make room and run again.",
}
_DISK_FULL = "No space left on device"


class ClickHouse:
    """A store by URL, opened when first used. Safe for threads; one process at a time where it is embedded."""

    def __init__(self, url: str) -> None:
        self._address = address.read(url)
        self._opening = Lock()

    @property
    def embedded(self) -> bool:
        return isinstance(self._address, Folder)

    def fetch(self, query: str, schema: pa.Schema, **values: Any) -> pa.Table:
        """Rows as the schema names them."""
        # Sealed bytes are Strings there too, and no UTF-8: what is text is said by the schema.
        found = self._tried(lambda client: client.query_arrow(query, values, use_strings=False))
        return found.select(schema.names).cast(schema)

    def value(self, query: str, of: pa.DataType, **values: Any) -> Any:
        """The only column of the only row, as `value`."""
        return self.fetch(query, pa.schema([("value", of)]), **values)["value"][0].as_py()

    def execute(self, query: str, **values: Any) -> None:
        self._tried(lambda client: client.command(query, values))

    def insert(self, name: str, table: pa.Table, **settings: Any) -> None:
        if table.num_rows:
            self._tried(lambda client: client.insert_arrow(name, table, settings=settings))

    @contextmanager
    def asked(self, values: pa.Array) -> Iterator[str]:
        """The token under which queries find these values while the block lasts: lists too long for a parameter."""
        token = secrets.token_hex(8)
        self.insert("asked", pa.table({"token": pa.repeat(pa.scalar(token), len(values)), "value": values}))
        try:
            yield token
        finally:
            if len(values):
                self.execute(q.no_longer_asked, token=token)

    def close(self) -> None:
        with self._opening:
            if opened := self.__dict__.pop("_client", None):
                opened.close()

    @cached_property
    def _client(self) -> "Client":
        if isinstance(self._address, Folder):
            return _in_this_process(self._address)
        return _at(self._address)

    def _tried(self, do: Callable[["Client"], Answer]) -> Answer:
        exceptions = _driver().driver.exceptions
        with self._opening:
            client = self._client
        try:
            return do(client)
        except exceptions.DatabaseError as broken:
            raise _explained(broken) from broken


def _driver() -> Any:
    try:
        import clickhouse_connect  # noqa: PLC0415  an extra, which other stores need nothing of
        import clickhouse_connect.driver.exceptions  # noqa: PLC0415  as above
    except ModuleNotFoundError as missing:
        raise _not_installed(missing) from missing
    return clickhouse_connect


def _not_installed(missing: ModuleNotFoundError) -> HarkenError:
    return UnsuitableError(
        f"ClickHouse is not installed ({missing.name} is missing): pip install 'harken[clickhouse]'."
    )


def _in_this_process(folder: Folder) -> "Client":
    path = Path(folder.path).absolute()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as wrong:
        raise UnsuitableError(f"The folder {path} cannot be made: {wrong.strerror}. Name another.") from None
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise UnsuitableError(f"The folder {path} may not be written to. Name another.")
    _refuse_strange(path)
    _refuse_held(path)
    driver = _driver()
    try:
        opened: Client = driver.get_client(interface="chdb", path=str(path))
        return opened
    except ImportError as broken:
        raise _not_loaded() from broken
    except driver.driver.exceptions.DatabaseError as broken:
        raise UnsuitableError(
            f"The embedded ClickHouse in {path} did not open: {broken.name or 'the folder is not one of its own'}. "
            "Nothing was changed."
        ) from broken


def _not_loaded() -> HarkenError:
    if find_spec("chdb") is None:
        return _not_installed(ModuleNotFoundError(name="chdb"))
    return TryAgainError(
        "The embedded ClickHouse did not load, or was interrupted while it did. Nothing was changed; run the same command again."
    )


def _refuse_strange(path: Path) -> None:
    """The engine would spread its folders between somebody's files."""
    there = {entry.name for entry in path.iterdir()}
    if there and not there & {LOCK, "metadata"}:
        raise UnsuitableError(f"The folder {path} holds something else. Name one that is empty, or is not there yet.")


def _refuse_held(path: Path) -> None:
    """Looked at before the engine does, which would write of it to the screen as well."""
    with suppress(FileNotFoundError), (path / LOCK).open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if f"PID: {os.getpid()}\n".encode() in lock.read():
                return  # several clients of one process share the engine
            raise TryAgainError(
                f"The embedded ClickHouse in {path} is open in another process, and it serves one at a time. "
                "Nothing was changed; try again when that one is done."
            ) from None


def _at(server: Server) -> "Client":
    driver = _driver()
    try:
        opened: Client = driver.get_client(
            host=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            database=server.database,
            secure=server.secure,
            connect_timeout=_CONNECT_S,
            send_receive_timeout=_ANSWER_S,
            autogenerate_session_id=False,  # a session serves one query at a time
            form_encode_query_params=True,  # lists are too long for an address
        )
        return opened
    except driver.driver.exceptions.DatabaseError as broken:
        raise _explained(broken) from broken


def _explained(broken: "DatabaseError") -> HarkenError:
    """One line; what the engine says may quote a query and its values, so only its name for the error is told."""
    if broken.name in _REFUSALS:
        return UnsuitableError(_REFUSALS[broken.name])
    if _DISK_FULL in str(broken):
        return UnsuitableError(_REFUSALS["NOT_ENOUGH_SPACE"])
    if broken.name:
        return TryAgainError(
            f"ClickHouse refused: {broken.name}. What was committed is kept; run the same command again."
        )
    reason = _REASON.search(str(broken))
    said = (reason[1] or reason[0]) if reason else "the connection was lost"
    return TryAgainError(
        f"ClickHouse did not answer: {said}. What was committed is kept; run the same command again when it is back."
    )
