"""Wrapped keys in, sealed and opened texts out: the key of the last subject stays at hand."""

from harken.privacy.keys import MasterKey, unwrap
from harken.privacy.sealing import Body, Sealer


class KeyRing:
    """For runs of messages sorted by subject: a key is unwrapped once a run."""

    __slots__ = ("_at_hand", "_master", "_sealer")

    def __init__(self, master: MasterKey) -> None:
        self._master = master
        self._sealer = Sealer()
        self._at_hand = ("", b"", b"")

    def seal(self, subject: str, wrapped: bytes, event_id: str, body: Body) -> bytes:
        return self._sealer.seal(self._of(subject, wrapped), event_id, body)

    def open(self, subject: str, wrapped: bytes | None, event_id: str, sealed: bytes) -> Body:
        """Raises ErasedError where the key was destroyed, WrongKeyError where key, event or bytes do not fit."""
        key = None if wrapped is None else self._of(subject, wrapped)
        return self._sealer.unseal(key, event_id, sealed)

    def fingerprint(self, subject: str, wrapped: bytes, purpose: str, content: bytes) -> bytes:
        """As the master key's (16 bytes), but nobody can make it again once the subject's key was destroyed."""
        return self._master.fingerprint(purpose, self._of(subject, wrapped) + content)

    def _of(self, subject: str, wrapped: bytes) -> bytes:
        if (subject, wrapped) != self._at_hand[:2]:
            self._at_hand = (subject, wrapped, unwrap(self._master, subject, wrapped))
        return self._at_hand[2]

    def __repr__(self) -> str:
        return "KeyRing(hidden)"
