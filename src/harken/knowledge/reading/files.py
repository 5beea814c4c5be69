"""Paths as people give them -> files in a fixed order, opened so that nothing but a plain file below its root is read."""

import os
import stat
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from harken.knowledge.reading.limits import FILE_BYTES
from harken.knowledge.reading.page import CannotReadError

GONE = "is not there, or is a link that leads nowhere"
CLOSED = "cannot be opened: look at its permissions"
TOO_LARGE = f"is larger than {FILE_BYTES // 1_000_000} MB"
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 20


def walk(paths: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """`(root, file)`, sorted; folders whose name begins with a dot are left out, and links to folders not followed.
    A link that is itself among `paths` is: whoever names it means what it leads to.

    What cannot be listed, a folder or a path that is not there, comes as itself: `read` says what is wrong with it.
    """
    for path in paths:
        # Unlike those of pathlib, these do not raise over loops and closed folders.
        if os.path.isdir(path):
            yield from ((path, found) for found in _below(path))
        else:
            named = Path(os.path.realpath(path)) if os.path.islink(path) else path
            yield named.parent, named


def _below(folder: Path) -> Iterator[Path]:
    pending = [(folder, True)]
    while pending:
        at, is_folder = pending.pop()
        if not is_folder:
            yield at
            continue
        try:
            with os.scandir(at) as entries:
                inside = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except OSError:
            yield at
            continue
        kept = sorted(
            ((name, is_dir) for name, is_dir in inside if not (is_dir and name.startswith("."))), reverse=True
        )
        pending.extend((at / name, is_dir) for name, is_dir in kept)


def fingerprint(path: Path) -> bytes:
    """SHA-256 of the file's bytes, 32 bytes. Raises CannotReadError where `read` could not read it either."""
    with _opened(path) as file:
        total = sha256()
        while chunk := file.read(_CHUNK):
            total.update(chunk)
        return total.digest()


def look(path: Path, root: Path) -> None:
    """Raises CannotReadError for what is no plain file below `root`. Opens nothing."""
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve(strict=True)):
            raise CannotReadError("is a link that leads out of the folder: not followed")
        _refuse(path.stat())
    except FileNotFoundError:
        raise CannotReadError(GONE) from None
    except PermissionError:
        raise CannotReadError(CLOSED) from None
    except (OSError, RuntimeError):  # RuntimeError until Python 3.12
        raise CannotReadError("is a link that leads to itself") from None


def content(path: Path) -> bytes:
    """The bytes of a plain file. Raises CannotReadError."""
    with _opened(path) as file:
        raw = file.read(FILE_BYTES + 1)
    if len(raw) > FILE_BYTES:
        raise CannotReadError(TOO_LARGE)
    return raw


def _opened(path: Path) -> BinaryIO:
    """Looks before it opens: opening a pipe waits for ever, and opening a device may set something off."""
    try:
        _refuse(path.stat())
        # Resolved first and then opened without following: a link that is put there in between is not followed.
        number = os.open(path.resolve(strict=True), _OPEN)
    except FileNotFoundError:
        raise CannotReadError(GONE) from None
    except (OSError, RuntimeError):
        raise CannotReadError(CLOSED) from None
    file = os.fdopen(number, "rb")
    try:
        _refuse(os.fstat(number))
    except CannotReadError:
        file.close()
        raise
    return file


def _refuse(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise CannotReadError("is a folder that cannot be entered, or a link to a folder, which is not followed")
    if not stat.S_ISREG(found.st_mode):
        raise CannotReadError("is a pipe or a device and no file")
    if found.st_size > FILE_BYTES:
        raise CannotReadError(TOO_LARGE)
