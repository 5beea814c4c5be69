"""What an engine says when the disk or the memory does not suffice -> an error of the system, which people know."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FULL = "No space left on device"
_OF_THE_SYSTEM = ("IO ", "Memory")


@contextmanager
def as_the_system_says(folder: Path, *failures: type[Exception]) -> Iterator[None]:
    """Raises OSError where one of these failures speaks of the disk or of memory; what else it may be is our bug."""
    try:
        yield
    except failures as broken:
        said = str(broken)
        if _FULL in said:
            raise OSError(errno.ENOSPC, _FULL, str(folder)) from broken
        if any(word in said for word in _OF_THE_SYSTEM):
            raise OSError(errno.EIO, said.partition("\n")[0], str(folder)) from broken
        raise
