"""A message's text -> bytes that only its subject's key opens, and only as the event they were sealed for."""

import json
import os
from typing import NamedTuple

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harken.domain.event import Span
from harken.errors import RefusedError
from harken.privacy.keys import NONCE_BYTES, TAG_BYTES, WrongKeyError

_VERSION = b"\x01"
_HEAD = len(_VERSION) + NONCE_BYTES
_LETTERS = {"url": "u", "mention": "m", "tag": "t"}
_KINDS = {letter: kind for kind, letter in _LETTERS.items()}


class ErasedError(RefusedError):
    """The key to this text was destroyed: the customer was erased, or the text outlived its retention."""

    status = 410


class Body(NamedTuple):
    """What a message says: the raw text and the links, mentions and tags in it."""

    text: str
    spans: tuple[Span, ...] = ()


class Sealer:
    """Seals and unseals, keeping the last key set up: quick for runs of messages sorted by subject."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: tuple[bytes, AESGCM] | None = None

    def seal(self, key: bytes, event_id: str, body: Body) -> bytes:
        """Version (1 byte), nonce (12), ciphertext and tag; the event's id is bound to it."""
        nonce = os.urandom(NONCE_BYTES)
        return _VERSION + nonce + self._ready(key).encrypt(nonce, _pack(body), event_id.encode())

    def unseal(self, key: bytes | None, event_id: str, blob: bytes) -> Body:
        """Raises ErasedError when there is no key any more, WrongKeyError when key, event or bytes do not fit."""
        if key is None:
            raise ErasedError
        if blob[:1] != _VERSION or len(blob) < _HEAD + TAG_BYTES:
            raise WrongKeyError
        try:
            plain = self._ready(key).decrypt(blob[1:_HEAD], blob[_HEAD:], event_id.encode())
        except InvalidTag:
            raise WrongKeyError from None
        return _unpack(plain)

    def _ready(self, key: bytes) -> AESGCM:
        last = self._last  # read once, set once: another thread may use the same Sealer
        if last is None or last[0] != key:
            self._last = last = (key, AESGCM(key))
        return last[1]

    def __repr__(self) -> str:
        return "Sealer(hidden)"


def seal(key: bytes, event_id: str, body: Body) -> bytes:
    """Seal one message; for many, keep a Sealer."""
    return Sealer().seal(key, event_id, body)


def unseal(key: bytes | None, event_id: str, blob: bytes) -> Body:
    """Unseal one message; for many, keep a Sealer."""
    return Sealer().unseal(key, event_id, blob)


def _pack(body: Body) -> bytes:
    parts = [body.text, [[start, end, _LETTERS[kind]] for start, end, kind in body.spans]]
    try:
        return orjson.dumps(parts)
    except TypeError:  # half of a surrogate pair, which sources do send; orjson refuses it, and a text is never lost
        return json.dumps(parts).encode()


def _unpack(plain: bytes) -> Body:
    try:
        text, spans = orjson.loads(plain)
    except orjson.JSONDecodeError:
        text, spans = json.loads(plain)
    return Body(text, tuple((start, end, _KINDS[letter]) for start, end, letter in spans))
