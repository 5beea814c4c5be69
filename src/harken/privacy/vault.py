"""Personal data in a document -> random tokens such as [EMAIL_7kq3…] in its place, and rows that only its subject's key opens.

A token is chance, so whoever holds a text, an embedding or a prompt with it learns the kind of what stood there and nothing
else. Within one subject a value has one token; two subjects never share one, so tokens link nobody to anybody.
"""

import base64
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from harken.privacy.ring import KeyRing
from harken.privacy.scanner import PersonalData
from harken.privacy.sealing import Body
from harken.privacy.tokens import Hidden, Secret, parts

CHANCE_BYTES = 10
"""Of a token: 80 bits, 16 letters and digits."""

_VALUE, _KEY = "vault", "vault key"


class Owner(NamedTuple):
    """Whose secrets they are: a subject and its wrapped key."""

    subject: str
    wrapped: bytes


class Row(NamedTuple):
    """A secret as the database may hold it."""

    token: str
    fingerprint: bytes
    key_mark: bytes
    sealed: bytes


def secrets(text: str, found: Iterable[PersonalData]) -> tuple[Secret, ...]:
    """What needs a token in this text, each once: its personal data, and words that look like a token already."""
    return tuple(dict.fromkeys(part for part in parts(text, found) if isinstance(part, Secret)))


def hide(text: str, found: Iterable[PersonalData], tokens: Mapping[Secret, str]) -> Hidden:
    """The text with the token of each secret in its place; KeyError where `tokens` lacks one of `secrets`."""
    if isinstance(text, Hidden):
        return text
    return Hidden("".join(tokens[part] if isinstance(part, Secret) else part for part in parts(text, found)))


def row(ring: KeyRing, owner: Owner, secret: Secret) -> Row:
    """With a new token; the store throws it away where this secret of this owner has one."""
    token = f"[{secret.kind}_{base64.b32encode(os.urandom(CHANCE_BYTES)).decode().lower()}]"
    return Row(
        token,
        fingerprint(ring, owner, secret),
        key_mark(ring, owner),
        ring.seal(*owner, _place(owner.subject, token), Body(secret.value)),
    )


def value(ring: KeyRing, owner: Owner, token: str, sealed: bytes) -> str:
    """Raises WrongKeyError where the row is another token's or another subject's, or was changed."""
    return ring.open(*owner, _place(owner.subject, token), sealed).text


def fingerprint(ring: KeyRing, owner: Owner, secret: Secret) -> bytes:
    """Finds the same secret of the same owner again."""
    return ring.fingerprint(*owner, _VALUE, "\0".join(secret).encode("utf-8", "surrogatepass"))


def key_mark(ring: KeyRing, owner: Owner) -> bytes:
    """Tells one key of a subject from the one that it has after an erasure."""
    return ring.fingerprint(*owner, _KEY, b"")


def _place(subject: str, token: str) -> str:
    """What a sealed value is bound to: no event's id has a space in it, and no token has one."""
    return f"vault {token} {subject}"
