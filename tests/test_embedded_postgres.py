"""Real servers, real processes, real kills: what an embedded PostgreSQL must survive."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from conftest import UNSAFE_BUT_QUICK, end_supervisor

from harken.errors import UnsuitableError
from harken.kit import embedded_place as places
from harken.kit import embedded_postgres, embedded_supervisor
from harken.kit.embedded_place import Account, Place
from harken.kit.embedded_postgres import Running, start

PATIENCE_S = 30
CLIENT = """
import sys
from pathlib import Path
from harken.kit.embedded_postgres import start

running = start(Path(sys.argv[1]))
print(running.url, running.note, sep="|", flush=True)
sys.stdin.read()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def home(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A home that does not exist yet, where every user may enter."""
    home = open_folder / request.node.name / "home"
    yield home
    end_supervisor(home / "postgres", signal.SIGKILL)
    shutil.rmtree(home.parent, ignore_errors=True)


@pytest.fixture(scope="session")
def _pattern(open_folder: Path) -> Path:
    with begin(open_folder / "pattern") as running:
        put(running.url, "kept")
    end_supervisor(running.folder)
    return running.folder


@pytest.fixture
def used_home(home: Path, _pattern: Path) -> Path:
    """A home with data, whose server was stopped. A copy, because making one takes ten times as long."""
    home.mkdir(parents=True)
    subprocess.run(["cp", "-a", str(_pattern), str(home / "postgres")], check=True)
    return home


def begin(home: Path) -> Running:
    return start(home, settings=UNSAFE_BUT_QUICK, elsewhere=home.parent / "elsewhere")


def until(holds: Callable[[], object]) -> None:
    waited = places.stopwatch()
    while not holds():
        assert waited() < PATIENCE_S
        time.sleep(places.POLL_S)


def supervisor_of(home: Path) -> int:
    return int((home / "postgres" / places.SUPERVISOR).read_text())


def is_served(home: Path) -> bool:
    """Whether a supervisor, or any process of a server, is left."""
    return any(places.is_locked(home / "postgres" / name) for name in (places.SUPERVISOR, places.SERVER))


def postmaster_of(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def written(home: Path) -> str:
    return (home / "postgres" / "server.log").read_text()


def put(url: str, word: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS word (word text)")
        connection.execute("INSERT INTO word VALUES (%s)", [word])


def words(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM word ORDER BY word").fetchall()]


@contextmanager
def client(
    home: Path, python: str = sys.executable, account: Account | None = None
) -> "Iterator[subprocess.Popen[str]]":
    """Another process that uses the server until its standard input is closed."""
    source = Path(embedded_postgres.__file__).parents[2]
    process = subprocess.Popen(
        [python, "-c", CLIENT, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
        env={"PYTHONPATH": os.pathsep.join([str(source), *(path for path in sys.path if path.endswith("-packages"))])},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    with process:
        yield process
        process.kill()


def heard(process: "subprocess.Popen[str]") -> str:
    assert process.stdout
    return process.stdout.readline().partition("|")[0]


def test_a_fresh_home_gets_a_server_which_is_shared_then_stopped_and_started_again(home: Path) -> None:
    (home / "postgres" / "data.new").mkdir(parents=True)  # left by a first start that was killed
    (home / "postgres" / "password.new").write_text("half")

    with begin(home) as first, begin(home) as second:
        second.close()  # and once more at the end of the block
        put(first.url, "kept")
        assert second.url == first.url
        assert first.note == ""
        with psycopg.connect(first.url) as connection:
            [(version, database, vector)] = connection.execute(
                "SELECT current_setting('server_version'), current_database(),"
                " (SELECT default_version FROM pg_available_extensions WHERE name = 'vector')"
            ).fetchall()
    end_supervisor(first.folder)
    assert not is_served(home)
    with begin(home) as again:
        assert words(again.url) == ["kept"]

    assert version.startswith("18.")
    assert database == "harken"
    assert vector >= "0.8"
    assert again.url == first.url, "the port stays, so that pools find the server again"
    assert not (home / "postgres" / "data.new").exists()


def test_the_password_is_for_its_owner_only(used_home: Path) -> None:
    with begin(used_home) as running:
        password = (used_home / "postgres" / "password").read_text()
        commands = subprocess.run(["ps", "-eo", "args", "-ww"], capture_output=True, text=True, check=True).stdout
        wrong = running.url.replace(password, "guessed")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)

    assert password in running.url
    assert password not in commands
    assert password not in repr(running)
    assert password not in written(used_home)
    assert stat.S_IMODE((used_home / "postgres" / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE((used_home / "postgres" / "data").stat().st_mode) == 0o700
    assert (used_home / "postgres" / "password").stat().st_uid == os.geteuid()


def test_two_processes_at_once_share_a_server_and_a_killed_one_does_not_keep_it(home: Path) -> None:
    home.mkdir(parents=True)
    with client(home) as one, client(home) as two:
        assert heard(one) == heard(two) != ""
        one.kill()
        one.wait()
        time.sleep(embedded_supervisor.GRACE_S + 2 * embedded_supervisor.WATCH_S)
        assert is_served(home), "the second still uses it"
        two.kill()
        two.wait()
        until(lambda: not is_served(home))

    assert "database system is shut down" in written(home)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends what is left over")
def test_a_killed_supervisor_takes_the_server_along_cleanly(used_home: Path) -> None:
    with begin(used_home):
        os.kill(supervisor_of(used_home), signal.SIGKILL)
        until(lambda: not is_served(used_home))
        with begin(used_home) as again:
            assert words(again.url) == ["kept"]

    assert "received fast shutdown request" in written(used_home)
    assert "not properly shut down" not in written(used_home)


def test_a_start_right_after_the_kill_waits_for_the_old_server(used_home: Path) -> None:
    with begin(used_home):
        os.kill(supervisor_of(used_home), signal.SIGKILL)
        # A kill takes a moment to arrive; the server takes longer to stop.
        until(lambda: not places.is_locked(used_home / "postgres" / places.SUPERVISOR))
        with begin(used_home) as again:
            assert words(again.url) == ["kept"]


def test_a_killed_server_comes_back_on_its_port(used_home: Path) -> None:
    with begin(used_home) as running:
        before, ready = postmaster_of(used_home), written(used_home).count("ready to accept connections")
        os.kill(before, signal.SIGKILL)
        until(lambda: written(used_home).count("ready to accept connections") == ready + 1)
        with begin(used_home) as again:
            assert again.url == running.url
            assert words(running.url) == ["kept"]
            assert postmaster_of(used_home) != before


def test_after_a_crash_of_everything_a_stale_pid_file_is_no_obstacle(used_home: Path) -> None:
    with begin(used_home):
        server = postmaster_of(used_home)
        for process in (supervisor_of(used_home), server):
            os.kill(process, signal.SIGKILL)
        until(lambda: not is_served(used_home))
    stale = used_home / "postgres" / "data" / "postmaster.pid"
    stale.write_text(stale.read_text().replace(str(server), str(os.getpid()), 1)) if stale.exists() else None

    with begin(used_home) as again:
        assert words(again.url) == ["kept"]


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "home"
    file.write_text("")

    with pytest.raises(UnsuitableError, match=f"^{file} is not a folder"):
        start(file)
    with pytest.raises(UnsuitableError, match="is not a folder"):
        start(file / "below")


def test_data_of_another_version_are_refused_and_left_alone(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    answers: list[str] = []

    with pytest.raises(UnsuitableError, match="holds data of PostgreSQL 16, not 18"):
        begin(home)
    until(lambda: not is_served(home))
    embedded_supervisor.supervise(home / "postgres", {}, answers.append)

    assert answers[0].startswith(f"refused {data} holds data of PostgreSQL 16")
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_the_servers_own_reason_is_told(used_home: Path) -> None:
    answers: list[str] = []

    with pytest.raises(UnsuitableError, match=r"does not start: .*shared_buffers.*\(log: "):
        start(used_home, settings={"shared_buffers": "plenty"})
    until(lambda: not is_served(used_home))
    embedded_supervisor.supervise(used_home / "postgres", {"nonsense": "1"}, answers.append)

    assert len(answers) == 1
    assert answers[0].startswith("refused PostgreSQL does not start: ")
    assert "nonsense" in answers[0]


def test_a_first_start_that_fails_says_why_and_can_be_repeated(home: Path) -> None:
    place = places.choose(home)
    answers: list[str] = []
    (place.folder / "data.new").write_text("a file in the way")

    embedded_supervisor.supervise(place.folder, {}, answers.append)
    assert answers[0].startswith("refused ")
    assert "data.new" in answers[0]

    (place.folder / "data.new").unlink()
    with begin(home) as running:
        put(running.url, "kept")


def test_a_supervisor_that_cannot_begin_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(UnsuitableError, match="ended early"):
        begin(home)


def test_no_wheel_and_no_such_platform_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="no_such_wheel has no PostgreSQL 18 for this platform"):
        places.binaries(Place(tmp_path, None), wheel="no_such_wheel")
    with pytest.raises(UnsuitableError, match="no embedded PostgreSQL for win32"):
        places.refuse_platform("win32")


def test_the_supervisor_serves_once_per_folder(used_home: Path) -> None:
    answers: list[str] = []
    folder = places.choose(used_home).folder
    log = folder / "server.log"
    log.write_bytes(b"-" * (embedded_supervisor.LOG_LIMIT_BYTES + 1))
    settings = {**embedded_postgres.SETTINGS, **UNSAFE_BUT_QUICK}

    def answer(word: str) -> None:
        if answers == []:
            answers.append(word)
            embedded_supervisor.supervise(folder, settings, answer)
        else:
            answers.append(word)

    embedded_supervisor.supervise(folder, settings, answer)

    assert answers == ["ready", "busy"]
    assert "database system is shut down" in written(used_home)
    assert (folder / "server.log.old").exists()


def test_a_leftover_of_a_system_that_ends_nothing_by_itself_is_ended(
    used_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_supervisor, "LEFTOVER_S", 0)
    place = places.choose(used_home)
    settings = {**embedded_postgres.SETTINGS, **UNSAFE_BUT_QUICK}
    first = embedded_supervisor.Server(place, settings, places.binaries(place))
    second = embedded_supervisor.Server(place, settings, places.binaries(place))

    first.start()
    second.start()

    assert first.process
    assert first.process.poll() == 0
    second.stop()
    assert embedded_supervisor.postmaster(place) == 0


def test_the_last_complaint_is_told_unless_the_disk_is_full(tmp_path: Path) -> None:
    place = Place(tmp_path, None)
    place.log.write_text("LOG: hello\n")
    assert places.why_not(place, 10**9) == f"LOG: hello (log: {place.log})"

    place.log.write_text("[7] ERROR:  one thing\n[7] FATAL:  another thing\n\nbye\n")
    assert places.why_not(place, 10**9) == f"another thing (log: {place.log})"
    assert places.why_not(place, 10**6) == f"the disk of {tmp_path} is full"
    with pytest.raises(UnsuitableError, match=r"needs 100 MB; the disk of .* has 20 MB left"):
        places.refuse_full_disk(place, 20_000_000)


def test_a_port_in_use_is_left_to_its_user() -> None:
    with socket.socket() as user:
        user.bind(("127.0.0.1", 0))
        user.listen()
        taken = user.getsockname()[1]
        assert places.free_port(taken) != taken
    assert places.free_port(taken) == taken


def ordinary() -> tuple[str, Account]:
    """A Python that an ordinary user can run, and such a user."""
    account = Account("nobody", (entry := pwd.getpwnam("nobody")).pw_uid, entry.pw_gid)
    version = "python{}.{}".format(*sys.version_info)
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        if Path(python).exists() and places.reachable(Path(python).resolve(), account):
            return python, account
    pytest.skip("no Python here that an ordinary user can run")


@as_root
def test_an_ordinary_user_serves_itself(home: Path) -> None:
    python, account = ordinary()
    home.mkdir(parents=True)
    os.chown(home, account.uid, account.gid)

    with client(home, python, account) as process:
        assert heard(process).startswith("postgresql://owner:")
        with pytest.raises(UnsuitableError, match="belongs to another user"):
            begin(home)
        os.kill(supervisor_of(home), signal.SIGTERM)
        until(lambda: not is_served(home))

    assert (home / "postgres" / "data").stat().st_uid == account.uid
    assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700


@as_root
def test_an_ordinary_user_is_told_that_a_home_is_not_writable(home: Path) -> None:
    python, account = ordinary()
    home.mkdir(parents=True)

    with client(home, python, account) as process:
        _, error = process.communicate()

    assert f"UnsuitableError: The store cannot be kept in {home}: Permission denied." in error


@as_root
def test_a_closed_home_keeps_its_data_elsewhere_and_stays_closed(home: Path) -> None:
    home.mkdir(parents=True)
    home.parent.chmod(0o711)
    home.chmod(0o700)
    elsewhere = home.parent / "elsewhere"

    with begin(home) as running:
        put(running.url, "kept")
        assert running.folder.parent == elsewhere
        assert running.note.startswith(f"The data are in {running.folder}, because the user ")
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert list(home.iterdir()) == []
        home.chmod(0o755)
        with begin(home) as again:
            assert again.url == running.url, "what is elsewhere stays there"
    end_supervisor(running.folder)


@as_root
def test_a_home_that_was_closed_later_is_not_replaced_by_an_empty_one(home: Path) -> None:
    data = home / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    home.chmod(0o700)

    with pytest.raises(UnsuitableError, match=f"cannot enter {home} any more"):
        begin(home)


@as_root
def test_binaries_under_a_closed_folder_are_copied(
    open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "closed_wheel"
    (package / places.INSTALLATION / "bin").mkdir(parents=True)
    (package / places.INSTALLATION / "bin" / "postgres").touch(0o755)
    (tmp_path / "closed_wheel.libs").mkdir()
    tmp_path.chmod(0o700)
    monkeypatch.syspath_prepend(tmp_path)
    account = places.account_for(open_folder)
    assert account
    place = Place(open_folder / "copies", account)

    found = places.binaries(place, wheel="closed_wheel")

    assert places.reachable(found / "postgres", account)
    assert (place.folder / "binaries-18" / "closed_wheel.libs").is_dir()
    assert places.binaries(place, wheel="closed_wheel") == found


@as_root
def test_the_account_that_has_the_data_keeps_them(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    (tmp_path / "data").mkdir()
    os.chown(tmp_path / "data", nobody.pw_uid, nobody.pw_gid)

    assert places.account_for(tmp_path) == Account("nobody", nobody.pw_uid, nobody.pw_gid)

    os.chown(tmp_path / "data", 54321, 54321)
    assert places.account_for(tmp_path) == Account("54321", 54321, 54321)
