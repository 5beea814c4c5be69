"""Work of a command that goes on until somebody stops it: in threads beside it, and ended as people end things."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

END_WITHIN_S = 40


@contextmanager
def beside(work: Callable[[], object], stopped: threading.Event) -> Iterator[None]:
    """A thread that works while the block does; `stopped` is set when the block ends, and the thread waited for."""
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(END_WITHIN_S)


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Being stopped is how work ends: what is under way is finished first."""

    def end(*_: object) -> None:
        stop()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
