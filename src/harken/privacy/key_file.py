"""A file, or a setting -> a secret of 32 bytes that everything else rests on; made where there is none."""

import base64
import binascii
import os
import stat
from pathlib import Path

from harken.errors import UnsuitableError

KEY_BYTES = 32

_FILE_LIMIT = 1024  # bytes; a key file holds 32, or 44 as text


def from_text(text: str, name: str) -> bytes:
    """From base64, as a setting holds it. `name` says which key it is, for people."""
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise UnsuitableError(f"The {name} is not base64. `openssl rand -base64 32` makes one.") from None


def load(path: Path, name: str) -> bytes:
    """Read the file, or make one (mode 0600) where there is none; two processes at once get the same key.

    Raises UnsuitableError for a file that others may read, that holds something else, or that cannot be read or made.
    """
    try:
        if not path.exists():
            _make(path)
        return _parse(_read(path, name), path, name)
    except OSError as wrong:
        raise UnsuitableError(f"Cannot use the {name} file {path}: {wrong.strerror}.") from wrong


def _make(path: Path) -> None:
    """A whole file appears at once: a reader never sees half a key, and who comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        os.link(draft, path)
        keep_name(path.parent)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def keep_name(folder: Path) -> None:
    """A power cut must not take a new name in this folder with it: without its key nothing can be read again."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path, name: str) -> bytes:
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UnsuitableError(f"Others may read the {name} file {path}. Run: chmod 600 {path}")
        return file.read(_FILE_LIMIT)


def _parse(content: bytes, path: Path, name: str) -> bytes:
    key = content
    if len(content) != KEY_BYTES:
        try:
            key = from_text(content.decode("ascii", "replace"), name)
        except UnsuitableError:
            key = b""
    if len(key) != KEY_BYTES:
        found = f"it has {len(content)} bytes that are neither" if content else "it is empty"
        raise UnsuitableError(f"{path} should hold {KEY_BYTES} bytes or their base64; {found}.")
    return key
