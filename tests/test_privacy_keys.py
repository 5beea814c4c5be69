"""The master key: made once, read by its owner only, never shown; and the keys it wraps."""

import base64
import pickle
import stat
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.errors import UnsuitableError
from harken.privacy import keys
from harken.privacy.keys import MasterKey, WrongKeyError

KEY = bytes(range(32))
MASTER = MasterKey(KEY)
TEXT = base64.b64encode(KEY).decode()


def test_a_missing_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "master.key"
    wrapped = keys.wrap(keys.load_master_key(path), "ada", KEY)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["master.key"], "no draft is left"
    assert keys.unwrap(keys.load_master_key(path), "ada", wrapped) == KEY


def test_many_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    with ThreadPoolExecutor(8) as pool:
        masters = list(pool.map(lambda _: keys.load_master_key(path), range(8)))
    wrapped = keys.wrap(masters[0], "ada", KEY)
    assert {keys.unwrap(master, "ada", wrapped) for master in masters} == {KEY}


@pytest.mark.parametrize("content", [KEY, TEXT.encode(), TEXT.encode() + b"\n"])
def test_bytes_and_base64_are_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o400)
    assert keys.unwrap(keys.load_master_key(path), "ada", keys.wrap(MASTER, "ada", KEY)) == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o610])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(KEY)
    path.chmod(mode)
    with pytest.raises(UnsuitableError, match="chmod 600"):
        keys.load_master_key(path)


@pytest.mark.parametrize(
    ("content", "says"), [(b"", "is empty"), (KEY[:31], "31 bytes"), (KEY + KEY, "64 bytes"), (b"c2hvcnQ=", "8 bytes")]
)
def test_a_file_with_something_else_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(UnsuitableError, match=says) as refused:
        keys.load_master_key(path)
    assert "\n" not in str(refused.value)


def test_a_folder_or_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "master.key"):
        with pytest.raises(UnsuitableError, match="master key file"):
            keys.load_master_key(path)


def test_a_setting_holds_base64() -> None:
    assert keys.unwrap(MasterKey.from_text(f" {TEXT}\n"), "ada", keys.wrap(MASTER, "ada", KEY)) == KEY


@pytest.mark.parametrize("text", ["", "not base64!", TEXT[:-4], TEXT + TEXT, "ключ"])
def test_a_wrong_setting_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(UnsuitableError) as refused:
        MasterKey.from_text(text)
    assert not text or text not in "".join(traceback.format_exception(refused.value))


def test_the_key_is_never_shown() -> None:
    for shown in (repr(MASTER), str(MASTER), f"{MASTER}", repr([MASTER])):
        assert "hidden" in shown
        assert not any(secret in shown for secret in (TEXT, KEY.hex(), repr(KEY)))


def test_a_worker_process_is_handed_the_key() -> None:
    again = pickle.loads(pickle.dumps(MASTER))
    assert keys.unwrap(again, "ada", keys.wrap(MASTER, "ada", KEY)) == KEY


@given(st.text(max_size=20), st.binary(min_size=32, max_size=32))
def test_unwrapping_gives_the_key_back(subject: str, key: bytes) -> None:
    wrapped = keys.wrap(MASTER, subject, key)
    assert len(wrapped) == keys.WRAPPED_BYTES
    assert keys.unwrap(MASTER, subject, wrapped) == key


def test_wrapping_many() -> None:
    subjects = [f"twitter:{number}" for number in range(50)]
    made = keys.wrap_many(MASTER, subjects)

    assert [keys.unwrap(MASTER, subject, wrapped) for subject, (_, wrapped) in zip(subjects, made, strict=True)] == [
        key for key, _ in made
    ]
    assert len({key for key, _ in made}) == len({wrapped[:12] for _, wrapped in made}) == 50
    assert keys.wrap_many(MASTER, []) == []


@settings(max_examples=tries(60))
@given(st.integers(0, keys.WRAPPED_BYTES - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, change: int) -> None:
    wrapped = bytearray(keys.wrap(MASTER, "ada", KEY))
    wrapped[at] ^= change
    with pytest.raises(WrongKeyError):
        keys.unwrap(MASTER, "ada", bytes(wrapped))


def test_another_subject_another_master_or_less_is_refused() -> None:
    wrapped = keys.wrap(MASTER, "ada", KEY)
    other = MasterKey(keys.new_key())
    for master, subject, blob in (
        (MASTER, "bo", wrapped),
        (other, "ada", wrapped),
        (MASTER, "ada", wrapped[:-1]),
        (MASTER, "ada", b""),
    ):
        with pytest.raises(WrongKeyError) as refused:
            keys.unwrap(master, subject, blob)
        assert KEY.hex() not in str(refused.value)
