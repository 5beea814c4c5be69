"""A question to the child process and its answer <-> bytes: lengths, then JSON or the file's own bytes."""

import struct
from dataclasses import asdict
from typing import IO, Any

import orjson

from harken.domain.document import Heading
from harken.knowledge.reading.page import CannotReadError, Page

_LENGTH = struct.Struct(">cQ")


def send(stream: IO[bytes], kind: bytes, payload: bytes) -> None:
    """`kind` is one byte."""
    stream.write(_LENGTH.pack(kind, len(payload)))
    stream.write(payload)
    stream.flush()


def receive(stream: IO[bytes]) -> tuple[bytes, bytes] | None:
    """None: the other side has ended, before a message or in the middle of one."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    kind, length = _LENGTH.unpack(head)
    payload = stream.read(length)
    return (kind, payload) if len(payload) == length else None


def packed(answer: Page | CannotReadError) -> bytes:
    return orjson.dumps({"reason": str(answer)} if isinstance(answer, CannotReadError) else asdict(answer))


def unpacked(payload: bytes) -> Page:
    """Raises CannotReadError with the child's reason."""
    known: dict[str, Any] = orjson.loads(payload)
    if "reason" in known:
        raise CannotReadError(known["reason"])
    return Page(**known | {"headings": tuple(Heading(**each) for each in known["headings"])})
