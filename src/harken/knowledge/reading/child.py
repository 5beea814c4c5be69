"""The process that parses PDF and HTML: files of strangers in, pages out, and nothing to lose when one of them kills it."""

import os
import signal
import sys
from collections.abc import Callable, Mapping

from harken.knowledge.reading import hypertext, pdf, wire
from harken.knowledge.reading.page import CannotReadError, Page

PARSERS: Mapping[bytes, Callable[[bytes], Page]] = {b"h": lambda raw: hypertext.page(raw.decode()), b"p": pdf.page}
OUT_OF_MEMORY = 3
"""The process ends with this after MemoryError: what is left of its memory is in pieces."""


def main(memory_bytes: int, alarm_s: int) -> None:
    """Answers until its input ends. Ends by itself `alarm_s` after a question, should the one who asked have died."""
    _limit(memory_bytes)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a parser that prints must not print into the answers
    try:
        while question := wire.receive(questions):
            _alarm(alarm_s)
            wire.send(answers, question[0], wire.packed(_attempt(*question)))
            _alarm(0)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _alarm(seconds: int) -> None:
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def _attempt(kind: bytes, raw: bytes) -> Page | CannotReadError:
    try:
        return PARSERS[kind](raw)
    except CannotReadError as why:
        return why


def _limit(memory_bytes: int) -> None:
    """Where the system has such a limit."""
    try:
        import resource  # noqa: PLC0415  Windows has none

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    except (ImportError, ValueError, OSError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
