"""Where an embedded PostgreSQL keeps its data, as whom, and what is said when it cannot."""

import os
import pwd
import signal
import socket
import stat
import sys
from pathlib import Path

import pytest
from conftest import end_supervisor
from embedded_cases import begin, client, heard, home_to_be, is_served, put, supervisor_of, until  # noqa: F401  a fixture among them

from harken.errors import UnsuitableError
from harken.kit import embedded_place as places
from harken.kit import embedded_supervisor
from harken.kit.embedded_place import Account, Place
from harken.kit.embedded_postgres import start

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


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
