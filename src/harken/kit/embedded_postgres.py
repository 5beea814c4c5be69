"""HARKEN_HOME -> the URL of a real PostgreSQL 18 with pgvector, started when needed and stopped after its last client.

The server belongs to a supervisor process of its own (`embedded_supervisor`), so it outlives any one client. A client
is counted by a lock that the system takes back when it ends, however it ends.
"""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from harken.errors import UnsuitableError
from harken.kit import embedded_place as places
from harken.kit.clock import stopwatch
from harken.kit.embedded_place import ELSEWHERE, Place

READY_LIMIT_S = 330
"""Longer than a server may take to stop and to recover; past this something else is wrong."""

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",  # never the network; a password all the same, because others share the machine
    "unix_socket_directories": "",  # a socket's path may not exceed 107 bytes, and homes do
    "shared_buffers": "512MB",  # the hot part of three million events; small enough for a laptop
    "max_wal_size": "4GB",  # one bulk load does not run into a checkpoint every few seconds
    "checkpoint_timeout": "15min",  # the same, and fewer full page images
    "wal_compression": "on",  # full page images shrink; a laptop's disk is slower than its processor
    "maintenance_work_mem": "512MB",  # indexes built after a load, HNSW above all, in one pass
    "work_mem": "64MB",  # sorts of a backfill stay in memory; few clients are busy at once
    "max_connections": "100",  # a few processes with a pool each
    "fsync": "on",  # what was answered stays answered when the power goes
    "jit": "off",  # the wheel has no compiler, and short queries would only pay for it
    "timezone": "UTC",  # the same answers on every machine
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # DETAIL and CONTEXT quote the row: personal data, which no log may hold
    "log_min_error_statement": "panic",  # a statement may quote it, too; its client is told everything anyway
    # Shared memory of parallel queries. A container's /dev/shm holds 64 MB and would end them; macOS has 4 MB of sysv.
    "dynamic_shared_memory_type": "posix" if sys.platform == "darwin" else "sysv",
}


@dataclass(slots=True)
class Running:
    """A server that stays as long as this is open. The URL holds the owner's password: never print it."""

    url: str = field(repr=False)
    note: str = ""
    """One line that people should see, or nothing."""

    folder: Path | None = None
    """Where its files are; none of a server that is not ours."""

    _lock: int | None = field(default=None, repr=False)

    def close(self) -> None:
        """Lets go of the server; it stops a moment after its last client."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(home: Path, *, settings: Mapping[str, str] = {}, elsewhere: Path = ELSEWHERE) -> Running:
    """Join the server of this home, or be the one who starts it; then `settings` come on top of SETTINGS.

    Returns when it takes connections. Raises UnsuitableError, with one line for people, when there can be none.
    """
    place = places.choose(home, elsewhere)
    try:
        lock = places.try_lock(place.folder / places.CLIENTS, fcntl.LOCK_SH, within_s=READY_LIMIT_S)
        if lock is None:
            raise UnsuitableError(f"The server in {place.folder} does not finish stopping: see {place.log}.")
        try:
            port = _port(place, {**SETTINGS, **settings})
            password = (place.folder / "password").read_text("ascii")
        except BaseException:
            os.close(lock)
            raise
    except OSError as error:
        raise UnsuitableError(f"The store in {place.folder} cannot be used: {error}.") from None
    return Running(f"postgresql://owner:{password}@127.0.0.1:{port}/harken", place.note, place.folder, lock)


def _port(place: Place, settings: Mapping[str, str]) -> int:
    waited = stopwatch()
    while waited() < READY_LIMIT_S:
        if places.is_locked(place.folder / places.PORT):
            return int((place.folder / places.PORT).read_text("ascii"))
        if places.is_locked(place.folder / places.SUPERVISOR):
            time.sleep(places.POLL_S)  # somebody else is starting it
        else:
            _supervise(place, settings)
    raise UnsuitableError(f"The server in {place.folder} does not get ready: see {place.log}.")


def _supervise(place: Place, settings: Mapping[str, str]) -> None:
    """Returns when the supervisor is ready, or another one was first."""
    pairs = [f"{name}={value}" for name, value in settings.items()]
    # -P: a file in the current folder must not pass for a module of ours.
    command = [sys.executable, "-P", "-m", "harken.kit.embedded_supervisor", str(place.folder), *pairs]
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    word, _, reason = answer.stdout.strip().partition(" ")
    if word == "refused":
        raise UnsuitableError(reason)
    if word not in {"ready", "busy"}:
        last = (answer.stderr.strip().splitlines() or [f"see {place.log}"])[-1]
        raise UnsuitableError(f"The supervisor of the server in {place.folder} ended early: {last}.")
