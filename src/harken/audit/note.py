"""A head of the tree -> a signed note that anybody can check with the public key, and back. C2SP signed-note and tlog-checkpoint.

harken-audit-3f2a…        the log's name, which the key gives it
1234                      how many events
Zm9v…                     the root, base64
epoch 1 7412…             which stretch of which server's transaction numbers
horizon 998               every transaction below it was over, and its events are in
at 2026-03-16T12:00:00Z   by the sealer's clock
                          (an empty line)
— NAME BASE64             Ed25519, over everything above the empty line
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from harken.errors import UnsuitableError

_ED25519 = b"\x01"
_MARK_BYTES = 4

_BODY = re.compile(
    r"(?P<name>harken-audit-[0-9a-f]{16})\n(?P<size>[1-9]\d{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n"
    r"epoch (?P<epoch>[1-9]\d{0,8}) (?P<system>\d{1,20})\nhorizon (?P<horizon>\d{1,20})\nat (?P<at>[0-9T:.-]{19,26}Z)\n"
)
_NOTE = re.compile(rf"(?P<body>{_BODY.pattern})\n— (?P=name) (?P<signature>[A-Za-z0-9+/]{{91}}=)\n")


class BadNoteError(UnsuitableError):
    """This is no signed note of this log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a checkpoint says."""

    size: int
    root: bytes
    epoch: int
    system: str  #: PostgreSQL's own name of the server, a number
    horizon: int
    at: datetime

    def body(self, name: str) -> str:
        at = self.at.isoformat().replace("+00:00", "Z")
        root = base64.b64encode(self.root).decode()
        return f"{name}\n{self.size}\n{root}\nepoch {self.epoch} {self.system}\nhorizon {self.horizon}\nat {at}\n"


class PublicKey:
    """Checks notes. Its text is a C2SP verifier key: name, mark and key."""

    __slots__ = ("_key", "mark", "name", "text")

    def __init__(self, raw: bytes) -> None:
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self.name = f"harken-audit-{hashlib.sha256(raw).hexdigest()[:16]}"
        self.mark = hashlib.sha256(f"{self.name}\n".encode() + _ED25519 + raw).digest()[:_MARK_BYTES]
        self.text = f"{self.name}+{self.mark.hex()}+{base64.b64encode(_ED25519 + raw).decode()}"

    def opened(self, note: str) -> Head:
        """What the note says. Raises BadNoteError where it is no note, or not signed with this key."""
        found = _NOTE.fullmatch(note)
        if found is None:
            raise BadNoteError
        signature = base64.b64decode(found["signature"])
        if found["name"] != self.name or signature[:_MARK_BYTES] != self.mark:
            raise BadNoteError("This note is signed with another key.")
        try:
            self._key.verify(signature[_MARK_BYTES:], found["body"].encode())
        except InvalidSignature:
            raise BadNoteError("This note's signature does not fit what it says.") from None
        return _head(found)


class Signer:
    """Signs notes: 32 bytes that no repr, text or error shows."""

    __slots__ = ("_key", "public")

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self.public = PublicKey(self._key.public_key().public_bytes_raw())

    def signed(self, head: Head) -> str:
        body = head.body(self.public.name)
        signature = base64.b64encode(self.public.mark + self._key.sign(body.encode())).decode()
        return f"{body}\n— {self.public.name} {signature}\n"

    def __repr__(self) -> str:
        return "Signer(hidden)"


def public_key(text: str) -> PublicKey:
    """From a verifier key's text. Raises UnsuitableError where it is none."""
    try:
        content = base64.b64decode(text.strip().split("+", 2)[2], validate=True)
        key = PublicKey(content[1:])
    except (IndexError, binascii.Error, ValueError):
        raise UnsuitableError("This is no public key of an audit: NAME+HEX+BASE64 on one line.") from None
    if key.text != text.strip():
        raise UnsuitableError("This public key's name and mark do not belong to it.")
    return key


def notes(text: str) -> Iterator[str]:
    """The notes of a file, one behind the other; what was half written when the power went is left out."""
    return (found.group() for found in _NOTE.finditer(text))


def said(note: str) -> Head:
    """What a note says, whoever signed it. Raises BadNoteError where it is none."""
    found = _NOTE.fullmatch(note)
    if found is None:
        raise BadNoteError
    return _head(found)


def _head(found: re.Match[str]) -> Head:
    return Head(
        size=int(found["size"]),
        root=base64.b64decode(found["root"]),
        epoch=int(found["epoch"]),
        system=found["system"],
        horizon=int(found["horizon"]),
        at=datetime.fromisoformat(found["at"]),
    )
