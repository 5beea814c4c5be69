"""A signed head -> somebody else's address, as one signed POST; and an address -> the heads that were kept there."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from harken.act.ports import NotSentError, RejectedError, UnconfiguredError, UnknownOutcomeError
from harken.adapters.channels.http_action import HttpAction
from harken.adapters.channels.outside import Asked, Outside, Rules
from harken.audit import note
from harken.errors import RefusedError, TryAgainError, UnsuitableError

DEADLINE_S = 5.0
"""For one head: the next ones wait behind it."""

FETCH_DEADLINE_S = 60.0
MOST_BYTES = 256_000_000
"""Of the heads of some years."""

TYPE = "audit.checkpoint"
_ID_DIGITS = 32


class Elsewhere:
    """Where heads are kept that whoever owns the database does not own."""

    def __init__(self, url: str, rules: Rules, public_key: str, clock: Callable[[], datetime]) -> None:
        if not rules.secrets:
            raise UnsuitableError(
                "HARKEN_AUDIT_PIN_URL needs HARKEN_ACTION_SECRET: whoever keeps the heads must know that we sent them."
            )
        self._url, self._key = url, public_key
        self._http = HttpAction(replace(rules, deadline_s=min(rules.deadline_s, DEADLINE_S)), clock)

    def send(self, signed: str) -> None:
        """The same head may come twice, with the same id. Raises TryAgainError, RefusedError for a no."""
        id_ = f"pin-{hashlib.sha256(signed.encode()).hexdigest()[:_ID_DIGITS]}"
        try:
            self._http.post(self._url, id_, self._body(id_, signed))
        except (NotSentError, UnknownOutcomeError) as later:
            raise TryAgainError(f"A signed head could not be kept elsewhere: {later}. It waits here.") from later
        except (RejectedError, UnconfiguredError) as no:
            raise RefusedError(f"A signed head was not taken elsewhere: {no}. It waits here.") from no

    def _body(self, id_: str, signed: str) -> bytes:
        head = note.said(signed)
        told = {
            "id": id_,
            "type": TYPE,
            "timestamp": head.at.isoformat(),
            "data": {
                "tree_size": head.size, "root": head.root.hex(), "checkpoint": signed, "public_key": self._key,
            },
        }  # fmt: skip
        return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def fetched(url: str, rules: Rules) -> str:
    """What is kept at an address. Raises TryAgainError, and UnsuitableError for an address or an answer that is none."""
    outside = Outside(replace(rules, deadline_s=FETCH_DEADLINE_S))
    headers = {"User-Agent": "Harken", "Accept": "text/plain", "Connection": "close"}
    try:
        status, _, body = outside.ask(url, Asked("GET", headers, most=MOST_BYTES))
    except (NotSentError, UnknownOutcomeError) as away:
        raise TryAgainError(f"The heads at {url} could not be fetched: {away}. Nothing was verified.") from away
    except RejectedError as refused:
        raise UnsuitableError(f"The heads at {url} are not fetched: {refused}.") from refused
    if status != 200:
        raise UnsuitableError(f"{url} answered {status}, so there is nothing to compare.")
    return body.decode("utf-8", "replace")
