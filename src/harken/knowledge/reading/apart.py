"""PDF and HTML -> pages, parsed in a process of their own that may die of it: in bounded time and memory."""

import os
import subprocess
import sys
from contextlib import suppress
from math import ceil
from threading import Event, Timer
from types import TracebackType
from typing import Self

from harken.knowledge.reading import wire
from harken.knowledge.reading.child import OUT_OF_MEMORY
from harken.knowledge.reading.limits import CHILD_MEMORY_BYTES, CHILD_SECONDS
from harken.knowledge.reading.page import CannotReadError, Page

_GRACE_S = 5


class Apart:
    """One child for many documents, started with the first and replaced when it had to be killed.

    A context manager. Not for two threads at once.
    """

    def __init__(self, *, memory_bytes: int = CHILD_MEMORY_BYTES, seconds: float = CHILD_SECONDS) -> None:
        self._memory_bytes, self._seconds = memory_bytes, seconds
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def pdf(self, raw: bytes) -> Page:
        """Raises CannotReadError."""
        return self._ask(b"p", raw)

    def html(self, text: str) -> Page:
        """Raises CannotReadError."""
        return self._ask(b"h", text.encode())

    def close(self) -> None:
        """Ends the child, whatever it does."""
        if self._child is None:
            return
        self._child.kill()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe:
                with suppress(OSError):  # what was still to be written to it has no reader any more
                    pipe.close()
        self._child.wait()
        self._child = None

    def _ask(self, kind: bytes, raw: bytes) -> Page:
        child, late = self._running(), Event()

        def stop() -> None:
            late.set()
            child.kill()

        # Killed from beside, so that one plain blocking read is enough: its end is the end of the pipe.
        timer = Timer(self._seconds, stop)
        timer.start()
        try:
            answer = _exchange(child, kind, raw)
        finally:
            timer.cancel()
            timer.join()
        if answer is None:
            raise CannotReadError(self._why_it_ended(child, late.is_set()))
        if late.is_set():
            self.close()
        return wire.unpacked(answer)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._child is None or self._child.poll() is not None:
            self.close()
            # `-P`: a module in the folder that is being read must not be imported from it.
            command = (sys.executable, "-P", "-m", "harken.knowledge.reading.child")
            limits = (str(self._memory_bytes), str(ceil(self._seconds) + _GRACE_S))
            # What reads strangers' files is told no secret: of our environment it gets what measures tests, and no more.
            kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}  # noqa: TID251  handed on
            self._child = subprocess.Popen(
                [*command, *limits],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=kept | {"PATH": os.defpath},
            )
        return self._child

    def _why_it_ended(self, child: "subprocess.Popen[bytes]", late: bool) -> str:
        code = None if late else child.wait()
        self.close()
        if late:
            return f"takes longer than {self._seconds:g} s to read"
        if code == OUT_OF_MEMORY:
            return f"needs more than {self._memory_bytes >> 20} MiB of memory to read"
        return "cannot be read: its parser breaks down over it"


def _exchange(child: "subprocess.Popen[bytes]", kind: bytes, raw: bytes) -> bytes | None:
    """None: the child has ended."""
    assert child.stdin
    assert child.stdout
    try:
        wire.send(child.stdin, kind, raw)
        answer = wire.receive(child.stdout)
    except OSError:
        return None
    return answer[1] if answer else None
