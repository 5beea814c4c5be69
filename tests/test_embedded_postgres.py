"""Real servers, real processes, real kills: what an embedded PostgreSQL must survive."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from conftest import UNSAFE_BUT_QUICK, end_supervisor
from embedded_cases import begin, client, heard, home_to_be, is_served, put, supervisor_of, until  # noqa: F401  a fixture among them

from harken.errors import UnsuitableError
from harken.kit import embedded_place as places
from harken.kit import embedded_postgres, embedded_supervisor
from harken.kit.embedded_postgres import start


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


def postmaster_of(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def written(home: Path) -> str:
    return (home / "postgres" / "server.log").read_text()


def words(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM word ORDER BY word").fetchall()]


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


def test_the_servers_own_reason_is_told(used_home: Path) -> None:
    answers: list[str] = []

    with pytest.raises(UnsuitableError, match=r"does not start: .*shared_buffers.*\(log: "):
        start(used_home, settings={"shared_buffers": "plenty"})
    until(lambda: not is_served(used_home))
    embedded_supervisor.supervise(used_home / "postgres", {"nonsense": "1"}, answers.append)

    assert len(answers) == 1
    assert answers[0].startswith("refused PostgreSQL does not start: ")
    assert "nonsense" in answers[0]


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
