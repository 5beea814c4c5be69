"""The same POST with the same Idempotency-Key -> the same answer, and done once.

A process that dies between doing and answering leaves the key open for a while; after that the same request may run
again, so what must never happen twice has a key of its own further in, as events and actions have.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import orjson

from harken.kit.clock import Clock
from harken.kit.db import Database
from harken.privacy import store as privacy
from harken.privacy.keys import MasterKey, WrongKeyError
from harken.privacy.ring import KeyRing
from harken.privacy.sealing import Body, ErasedError
from harken.web.auth import store
from harken.web.auth.principal import Principal, full_identity
from harken.web.auth.refusals import Denied
from harken.web.auth.store import Claim

HEADER = "idempotency-key"
MOST_CHARACTERS = 255
MOST_ANSWER_BYTES = 1_000_000
KEPT_FOR = timedelta(hours=24)
RUNNING_FOR = timedelta(minutes=2)
"""After this, a request under way counts as one whose process died."""

_KEPT_HEADERS = frozenset({b"content-type", b"location", b"etag", b"cache-control"})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A key taken for one request, and who sealed what it is answered."""

    claim: Claim
    subject: str


class Answers:
    """What callers were answered, by their keys."""

    def __init__(self, database: Database, master: MasterKey, clock: Clock) -> None:
        self._database, self._master, self._clock = database, master, clock

    def begin(self, principal: Principal, caller: bytes, key: str, request: bytes) -> Held | Answer:
        """The key, taken; or the answer it had. Raises Denied: 422 for another request, 409 while the first one runs."""
        digest = self._master.fingerprint("request", request)
        asked = Claim(caller, self._master.fingerprint("idempotency", key.encode()))
        subject = full_identity(principal.customer) if principal.customer else f"caller:{caller.hex()}"
        now = self._clock()
        with self._database.transaction() as tx:
            limits = {"running_until": now + RUNNING_FOR, "expires_at": now + KEPT_FOR}
            if attempt := store.claim(tx, asked, digest, now=now, **limits):
                return Held(replace(asked, attempt=attempt), subject)
            there = store.answered(tx, asked)
            keys = privacy.keys(tx, self._master, [subject])
        if there and there["digest"] != digest:
            raise Denied(422, "key_reused", "This Idempotency-Key was sent with another request. Take a new one.")
        if there is None or there["sealed"] is None:
            raise Denied(
                409, "key_in_use", "The first request with this Idempotency-Key is under way.", {"Retry-After": "1"}
            )
        return self._opened(subject, keys[subject], asked, there["sealed"])

    def finish(self, held: Held, answer: Answer) -> None:
        """Only a success is kept: what was refused changed nothing, and may be asked again with the same key."""
        with self._database.transaction() as tx:
            if answer.status >= 400 or len(answer.body) > MOST_ANSWER_BYTES:
                store.release(tx, held.claim)
                return
            wrapped = privacy.keys(tx, self._master, [held.subject])[held.subject]
            body = Body(_packed(answer))
            store.finish(tx, held.claim, KeyRing(self._master).seal(held.subject, wrapped, _place(held.claim), body))

    def release(self, held: Held) -> None:
        """Nothing came of it."""
        with self._database.transaction() as tx:
            store.release(tx, held.claim)

    def _opened(self, subject: str, wrapped: bytes, asked: Claim, sealed: bytes) -> Answer:
        try:
            text = KeyRing(self._master).open(subject, wrapped, _place(asked), sealed).text
        except (ErasedError, WrongKeyError):  # the customer's key was destroyed, and there may be a new one
            raise Denied(409, "erased", "What was answered then has been erased.") from None
        status, headers, body = orjson.loads(text)
        return Answer(status, [(name.encode(), value.encode()) for name, value in headers], base64.b64decode(body))


def checked(key: str) -> str:
    """Raises Denied (400)."""
    if not 0 < len(key) <= MOST_CHARACTERS or not key.isascii() or not key.isprintable():
        raise Denied(400, "key_unfit", f"An Idempotency-Key has 1 to {MOST_CHARACTERS} printable ASCII characters.")
    return key


def _place(claim: Claim) -> str:
    """An answer opens for the key it was sealed for, and for no other."""
    return f"idempotency:{claim.caller.hex()}:{claim.key.hex()}"


def _packed(answer: Answer) -> str:
    kept = [
        [name.decode("latin-1"), value.decode("latin-1")] for name, value in answer.headers if name in _KEPT_HEADERS
    ]
    return orjson.dumps([answer.status, kept, base64.b64encode(answer.body).decode()]).decode()
