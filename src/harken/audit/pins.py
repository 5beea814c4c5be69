"""Signed heads -> a file outside the database that is only ever added to: who owns the database cannot take back what it says."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from harken.audit import note
from harken.errors import UnsuitableError

TAIL_BYTES = 8192
"""Of the file, enough for the last notes."""

VERIFIED = "verified"


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
        return aside

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


def read(path: Path) -> list[str]:
    """Every note of a file. Raises UnsuitableError where it cannot be read or holds none."""
    try:
        found = list(note.notes(path.read_text("utf-8", "replace")))
    except OSError as wrong:
        raise UnsuitableError(f"{path} cannot be read: {wrong.strerror}.") from wrong
    if not found:
        raise UnsuitableError(f"{path} holds no signed note.")
    return found
