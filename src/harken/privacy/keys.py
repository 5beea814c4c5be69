"""A master key outside the database -> one key for each subject, wrapped so that only the master key opens it."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harken.errors import UnsuitableError
from harken.privacy import key_file
from harken.privacy.key_file import KEY_BYTES

NONCE_BYTES, TAG_BYTES = 12, 16
WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES
WRAPPED = pa.schema([("subject", pa.string()), ("wrapped", pa.binary())])
"""A table of wrapped keys."""


class WrongKeyError(UnsuitableError):
    """This was sealed with another key or for another place, or it was changed since."""


class MasterKey:
    """The key that wraps all others: 32 bytes that no repr, text or error shows."""

    __slots__ = ("_aead", "_key")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise UnsuitableError(f"The master key must have {KEY_BYTES} bytes; this one has {len(key)}.")
        self._key = bytes(key)
        self._aead = AESGCM(self._key)

    @classmethod
    def from_text(cls, text: str) -> "MasterKey":
        """From base64, as a setting holds it."""
        return cls(key_file.from_text(text, "master key"))

    def encrypt(self, nonce: bytes, plain: bytes, about: bytes) -> bytes:
        return self._aead.encrypt(nonce, plain, about)

    def decrypt(self, nonce: bytes, sealed: bytes, about: bytes) -> bytes:
        return self._aead.decrypt(nonce, sealed, about)

    def fingerprint(self, purpose: str, content: bytes) -> bytes:
        """16 bytes that are the same for the same content, and tell nobody without this key what it was."""
        key = hashlib.blake2b(purpose.encode(), key=self._key, digest_size=32).digest()
        return hashlib.blake2b(content, key=key, digest_size=16).digest()

    def __repr__(self) -> str:
        return "MasterKey(hidden)"

    def __reduce__(self) -> tuple[type["MasterKey"], tuple[bytes]]:
        """Worker processes are handed the key through a pipe."""
        return MasterKey, (self._key,)


def load_master_key(path: Path) -> MasterKey:
    """Read the key file, or make one (mode 0600) where there is none; two processes at once get the same key.

    The file holds base64 text, or 32 bytes as they are. Raises UnsuitableError for a file that others may read,
    that holds something else, or that cannot be read or made.
    """
    return MasterKey(key_file.load(path, "master key"))


def new_key() -> bytes:
    """A fresh key for one subject."""
    return os.urandom(KEY_BYTES)


def wrap(master: MasterKey, subject: str, key: bytes) -> bytes:
    """The subject's key as the database may hold it: nonce, ciphertext, tag (60 bytes), good for this subject only."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + master.encrypt(nonce, key, subject.encode())


def wrap_many(master: MasterKey, subjects: Sequence[str]) -> list[tuple[bytes, bytes]]:
    """A new key for each subject, with its wrapped form: one call to the system's chance for all."""
    size = KEY_BYTES + NONCE_BYTES
    chance = os.urandom(size * len(subjects))
    made = []
    for at, subject in zip(range(0, len(chance), size), subjects, strict=True):
        key, nonce = chance[at : at + KEY_BYTES], chance[at + KEY_BYTES : at + size]
        made.append((key, nonce + master.encrypt(nonce, key, subject.encode())))
    return made


def unwrap(master: MasterKey, subject: str, blob: bytes) -> bytes:
    """Raises WrongKeyError when another master key wrapped it, it belongs to another subject, or a bit was changed."""
    if len(blob) != WRAPPED_BYTES:
        raise WrongKeyError
    try:
        return master.decrypt(blob[:NONCE_BYTES], blob[NONCE_BYTES:], subject.encode())
    except InvalidTag:
        raise WrongKeyError from None
