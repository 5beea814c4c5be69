"""A folder -> a PostgreSQL server that runs as long as somebody uses it.

`python -m harken.kit.embedded_supervisor FOLDER [SETTING=VALUE...]` goes to the background and answers with one line:
`ready`, `busy` (another supervisor has this folder) or `refused REASON`. Clients hold a shared lock; when no one does,
the server stops. It stops with its supervisor, too, even with one that was killed.
"""

import contextlib
import ctypes
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harken.errors import UnsuitableError
from harken.kit import embedded_place as places
from harken.kit.clock import stopwatch
from harken.kit.embedded_place import Place

GRACE_S = 1.5
"""How long an unused server stays, so that commands in a row share one start."""

WATCH_S = 0.2
"""How often the clients are counted."""

START_LIMIT_S = 300
"""Recovery after a crash replays at most max_wal_size of log, which takes minutes on a slow disk."""

STOP_LIMITS_S = ((signal.SIGINT, 60), (signal.SIGQUIT, 10), (signal.SIGKILL, 10))
"""A fast shutdown writes shared_buffers to disk; the others end it at once, and the next start recovers."""

ENDS = (signal.SIGTERM, signal.SIGHUP)
"""What ends the supervisor, and its server with it."""

LEFTOVER_S = 2.0
"""A server whose supervisor was killed is stopping already; only after this it is told to."""

CRASHES = 3
"""A server that was killed is started again on its port, but not for ever."""

LOG_LIMIT_BYTES = 10_000_000
"""Past this the log becomes `server.log.old` at the next start."""

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""


@dataclass(slots=True)
class Server:
    """One PostgreSQL of one folder. Every process of it inherits `guard`, a lock that tells whether one of them lives."""

    place: Place
    settings: Mapping[str, str]
    binaries: Path
    port: int = 0
    guard: int = -1
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Returns when it takes connections; raises UnsuitableError when it cannot run here."""
        self.guard = end_leftover(self.place)
        try:
            if not (self.place.data / "PG_VERSION").exists():
                self._create()
            places.refuse_other_version(self.place)
            # The second try, on any port, is for a port that somebody took between our look and its start.
            if not self._launch(places.free_port(self.port)) and not self._launch(places.free_port(0)):
                reason = places.why_not(self.place, shutil.disk_usage(self.place.folder).free)
                raise UnsuitableError(f"PostgreSQL does not start: {reason}")
        finally:
            os.close(self.guard)

    def _launch(self, port: int) -> bool:
        # The guard proves that no process of this server lives: the number in this file may be a stranger's by now.
        (self.place.data / "postmaster.pid").unlink(missing_ok=True)
        pairs = {**self.settings, "port": str(port)}.items()
        self.port = port
        arguments = [part for name, value in pairs for part in ("-c", f"{name}={value}")]
        self.process = self._spawn("postgres", "-D", str(self.place.data), *arguments)
        waited = stopwatch()
        while self.process.poll() is None and waited() < START_LIMIT_S:
            if places.says_ready(self.place):
                return True
            time.sleep(places.POLL_S)
        self.stop()
        return False

    def _create(self) -> None:
        """Made beside its place and moved there when whole, so that a killed start leaves nothing half-made."""
        places.refuse_full_disk(self.place, shutil.disk_usage(self.place.folder).free)
        unfinished, password = self.place.folder / "data.new", self.place.folder / "password.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password.unlink(missing_ok=True)
        with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24))
        if account := self.place.account:
            os.chown(unfinished, account.uid, account.gid)
            os.chown(password, account.uid, account.gid)
        ctype = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        # The builtin provider sorts alike on every system; the C library's order changes with its version.
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--lc-ctype={ctype}")
        secret = ("--auth=scram-sha-256", f"--pwfile={password}")
        self._finish(self._spawn("initdb", "-D", str(unfinished), "-U", "owner", "-E", "UTF8", *locale, *secret))
        # In single-user mode nobody else can be there, and no password is needed.
        alone = ("--single", "-D", str(unfinished), "-c", "exit_on_error=on", "postgres")
        self._finish(self._spawn("postgres", *alone, stdin=subprocess.PIPE), b"CREATE DATABASE harken\n")
        os.chown(password, os.geteuid(), os.getegid())
        password.rename(self.place.folder / "password")
        unfinished.rename(self.place.data)

    def _finish(self, process: "subprocess.Popen[bytes]", text: bytes | None = None) -> None:
        process.communicate(text)
        if process.returncode != 0:
            reason = places.why_not(self.place, shutil.disk_usage(self.place.folder).free)
            shutil.rmtree(self.place.folder / "data.new", ignore_errors=True)
            raise UnsuitableError(f"The database cannot be made: {reason}")

    def _spawn(self, program: str, *arguments: str, stdin: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
        log = open_log(self.place)
        account = self.place.account
        try:
            return subprocess.Popen(
                [self.binaries / program, *arguments],
                stdin=stdin,
                stdout=log,
                stderr=log,
                cwd="/",
                env={"PATH": os.defpath},  # nothing of ours: no keys, and no PGOPTIONS to surprise us
                pass_fds=(self.guard,),
                preexec_fn=end_with(os.getpid()),  # noqa: PLW1509  this process never has a second thread
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        finally:
            os.close(log)

    def stop(self) -> None:
        for number, limit_s in STOP_LIMITS_S:
            if self.process is None or self.process.poll() is not None:
                return
            self.process.send_signal(number)
            waited = stopwatch()
            while self.process.poll() is None and waited() < limit_s:
                time.sleep(places.POLL_S)


def open_log(place: Place) -> int:
    return os.open(place.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def end_with(supervisor: int) -> Callable[[], None] | None:
    """What makes a new process end with this one. Elsewhere than on Linux the next start ends what is left over."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)

    def bind() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != supervisor:  # it ended before we asked
            os._exit(1)

    return bind


def end_leftover(place: Place) -> int:
    """The guard, taken when no process of an earlier server is left."""
    for number, limit_s in ((0, LEFTOVER_S), *STOP_LIMITS_S):
        if number and (pid := postmaster(place)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        guard = places.try_lock(place.folder / places.SERVER, fcntl.LOCK_EX, within_s=limit_s)
        if guard is not None:
            return guard
    raise UnsuitableError(f"An earlier server in {place.folder} does not stop.")


def postmaster(place: Place) -> int:
    """The process that says it serves these data; 0 when its number now belongs to a stranger, or to nobody."""
    try:
        pid = int((place.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return 0
    try:
        if sys.platform == "linux":
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        else:
            question = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
            command = subprocess.run(question, capture_output=True, check=False).stdout
    except OSError:
        return 0
    return pid if b" -D " + os.fsencode(place.data) in command else 0


def watch(server: Server, clients: int) -> bool:
    """True when nobody has used it for GRACE_S, and then nobody can join any more; False when it ended by itself."""
    unused = None
    while server.process is not None and server.process.poll() is None:
        try:
            fcntl.flock(clients, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            unused = None
        else:
            unused = unused or stopwatch()
            if unused() >= GRACE_S:
                return True
            fcntl.flock(clients, fcntl.LOCK_UN)
        time.sleep(WATCH_S)
    return False


def supervise(folder: Path, settings: Mapping[str, str], answer: Callable[[str], None]) -> None:
    """Start, announce, watch, stop. The first answer is as the module says; nobody listens to later ones."""
    own = places.try_lock(folder / places.SUPERVISOR, fcntl.LOCK_EX, within_s=places.HANDOVER_S)
    if own is None:
        answer("busy")
        return
    os.pwrite(own, f"{os.getpid()}\n".ljust(16).encode(), 0)  # for people who look for it; the lock is what counts
    clients = os.open(folder / places.CLIENTS, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        place = Place(folder, places.account_for(folder))
        _serve(Server(place, settings, places.binaries(place), places.announced_before(place)), clients, answer)
    except (UnsuitableError, OSError) as error:
        answer(f"refused {error}")
    finally:
        os.close(own)
        os.close(clients)


def _serve(server: Server, clients: int, answer: Callable[[str], None]) -> None:
    log = server.place.log
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.rename(log.with_suffix(".log.old"))
    try:
        for _ in range(1 + CRASHES):
            server.start()
            announcement = places.announce(server.place, server.port)
            try:
                answer("ready")
                unused = watch(server, clients)
            finally:
                # Retracted before the server stops: a port that is still announced must take connections.
                os.close(announcement)
            if unused:
                break
    finally:
        server.stop()


def end(*_: object) -> None:
    """Once: a second signal must not cut short the server's own stopping."""
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


def main(folder: str, *pairs: str) -> None:
    """The parent waits for the answer and prints it; the child is the supervisor."""
    hear, tell = os.pipe()
    if os.fork():
        os.close(tell)
        with open(hear, encoding="utf-8") as answer:
            sys.stdout.write(answer.read())
        return
    os.close(hear)
    os.setsid()  # Ctrl-C in a client's terminal is not meant for the server
    os.chdir("/")
    os.umask(0o022)
    log = open_log(Place(Path(folder), None))
    for standard, ours in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(ours, standard)
    for number in ENDS:
        signal.signal(number, end)
    unsaid = [tell]

    def say(word: str) -> None:
        if unsaid:
            with open(unsaid.pop(), "w", encoding="utf-8") as pipe:
                pipe.write(word)

    supervise(Path(folder), dict(pair.split("=", 1) for pair in pairs), say)


if __name__ == "__main__":
    main(*sys.argv[1:])
