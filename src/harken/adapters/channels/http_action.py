"""An action -> one signed POST to a system of the organisation's, whose address stands in the catalogue.

Signed as Standard Webhooks has it, with the outbox's id as `webhook-id` and `Idempotency-Key`.
"""

import base64
import binascii
import hashlib
import hmac
import json
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from harken.act.ports import Message, NotSentError, Receipt, RejectedError, UnconfiguredError, UnknownOutcomeError
from harken.adapters.channels.outside import Answered, Asked, Outside, Rules
from harken.errors import UnsuitableError

MOST_REFERENCE = 100
PREFIX = "whsec_"
_LATER = frozenset({408, 409, 423, 425, 429})
"""Not now: 409 is also how an earlier request with this key is said to be under way."""


class HttpAction:
    """POST, JSON, signed."""

    def __init__(self, rules: Rules, clock: Callable[[], datetime], context: ssl.SSLContext | None = None) -> None:
        self._outside, self._clock = Outside(rules, context), clock
        self._keys = [_key(secret) for secret in rules.secrets]

    def send(self, message: Message, key: str) -> Receipt:
        if not message.url:
            raise UnconfiguredError
        return self.post(message.url, key, _body(message, key))

    def post(self, url: str, key: str, body: bytes) -> Receipt:
        """`key`: the same for every try. Raises what a sender raises, and no other."""
        if not self._keys:
            raise UnconfiguredError
        headers = {**signed(key, int(self._clock().timestamp()), body, self._keys), "Idempotency-Key": key,
                   "Content-Type": "application/json", "User-Agent": "Harken", "Connection": "close"}  # fmt: skip
        return _receipt(self._outside.ask(url, Asked("POST", headers, body)))


def _body(message: Message, key: str) -> bytes:
    """The same bytes with every try."""
    told: dict[str, Any] = {
        "id": key,
        "type": f"action.{message.action}",
        "timestamp": message.at.isoformat(),
        "data": {"ticket": message.ticket, "customer": message.customer, "arguments": dict(message.arguments)},
    }
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def signed(id_: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> dict[str, str]:
    """The three headers of Standard Webhooks; one signature for each key."""
    content = f"{id_}.{timestamp}.".encode() + body
    made = [base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode() for key in keys]
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{each}" for each in made),
    }


def _key(secret: SecretStr) -> bytes:
    try:
        key = base64.b64decode(secret.get_secret_value().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise UnsuitableError(
            "HARKEN_ACTION_SECRET is whsec_ and the base64 of 24 to 64 bytes: openssl rand -base64 32"
        )
    return key


def _receipt(answered: Answered) -> Receipt:
    status, retry_after, answer = answered
    if 200 <= status < 300:
        return Receipt(_reference(answer))
    if status in _LATER:
        wait = float(retry_after) if retry_after and retry_after.isdigit() else None
        raise NotSentError(f"it answered {status}", after_s=wait)
    if status >= 500:
        # It may have broken before or after it acted.
        raise UnknownOutcomeError(f"it answered {status}")
    raise RejectedError(f"it answered {status}")


def _reference(answer: bytes) -> str:
    """The other side's own number for it, where it gives one: `{"reference": "R-17"}`. Nothing else of its words is kept."""
    try:
        told = json.loads(answer)
    except ValueError:
        return ""
    found = told.get("reference") if isinstance(told, dict) else None
    short = isinstance(found, str) and len(found) <= MOST_REFERENCE and found.isascii() and found.isprintable()
    return str(found) if short else ""
