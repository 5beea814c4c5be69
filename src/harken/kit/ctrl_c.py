"""Ctrl-C -> KeyboardInterrupt: held back for a moment, or heard at once whatever library came between."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def held_back() -> Iterator[None]:
    """For this process until the block ends; one that is started in it inherits this, and is never interrupted."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def is_heard() -> None:
    """Call before a long wait. Polars, once imported, has the system go on waiting where Python would look up."""
    signal.siginterrupt(signal.SIGINT, True)
