"""Signed heads -> a file outside the database that is only ever added to: who owns the database cannot take back what it says."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from harken.audit import note
from harken.errors import UnsuitableError

TAIL_BYTES = 8192
"""Of the file, enough for the last notes."""

VERIFIED = "verified"
SENT = "pins.sent"
PIECE_BYTES = 1_000_000
"""Of the file, looked at in one turn of sending."""


class Unsent(NamedTuple):
    note: str
    until: int  #: bytes of the file up to its end


@dataclass(frozen=True, slots=True)
class Pins:
    path: Path

    def add(self, signed: str) -> None:
        """On the disk when this returns."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, f"{signed}\n".encode())  # one write: two processes' notes do not mix
            os.fsync(file)
        finally:
            os.close(file)

    def last(self) -> str | None:
        """The note that was added last; None: there is none yet."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            tail = file.read().decode("utf-8", "replace")
        return max(note.notes(tail), key=lambda each: note.said(each).size, default=None)

    def lay_aside(self, at: datetime) -> Path | None:
        """The file gets another name, and a new one begins; None: there was none."""
        if not self.path.exists():
            return None
        aside = self.path.with_name(f"{self.path.name}.until-{at:%Y%m%dT%H%M%SZ}")
        os.rename(self.path, aside)
        self.path.with_name(SENT).unlink(missing_ok=True)
        return aside

    def unsent(self, most: int) -> Iterator[Unsent]:
        """Heads that nobody else has yet, in their order."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            begin = self._sent_until(file.seek(0, os.SEEK_END))
            file.seek(begin)
            piece = file.read(PIECE_BYTES)
        at = 0
        for each in islice(note.notes(piece.decode("utf-8", "replace")), most):
            at = piece.index(each.encode(), at) + len(each.encode())
            yield Unsent(each, begin + at)

    def sent(self, until: int) -> None:
        """Somebody else has all up to here. A crash before this means once more, and never once less."""
        mark = self.path.with_name(SENT)
        draft = mark.with_name(f"{SENT}.new")
        draft.write_text(f"{until}\n", "ascii")
        os.replace(draft, mark)

    def _sent_until(self, size: int) -> int:
        try:
            until = int(self.path.with_name(SENT).read_text("ascii"))
        except (FileNotFoundError, ValueError):
            return 0
        return until if 0 <= until <= size else 0

    def verified(self, at: datetime) -> None:
        """Remember when the audit was last found whole: the file's own time."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark = self.path.with_name(VERIFIED)
        mark.touch(mode=0o600)
        os.utime(mark, (at.timestamp(), at.timestamp()))

    def last_verified(self) -> float | None:
        """Seconds since 1970 UTC; None: never, on this machine."""
        mark = self.path.with_name(VERIFIED)
        return mark.stat().st_mtime if mark.exists() else None


def text_of(path: str | Path) -> str:
    """Raises UnsuitableError where the file cannot be read."""
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError as wrong:
        raise UnsuitableError(f"{path} cannot be read: {wrong.strerror}.") from wrong


def of_text(text: str, where: str | Path) -> list[str]:
    """Every note in it. Raises UnsuitableError where there is none."""
    found = list(note.notes(text))
    if not found:
        raise UnsuitableError(f"{where} holds no signed note.")
    return found
