"""Decisions -> what the audit says of them: each that somebody asked for, and a batch as one event with a digest of its file.

In a transaction of its own, behind the decisions' own rows: those are kept by id, so a run that ends in between is run again.
"""

import hashlib
from collections.abc import Callable

from harken.audit import store
from harken.audit.store import Body
from harken.domain.decision import Advice
from harken.flow.desk import Desk
from harken.flow.predicting import Tally
from harken.privacy.audited import customer_token
from harken.privacy.keys import MasterKey

DECIDED, RUN = "decision.made", "decision.run"

FILE = "audit file"


class Digest:
    """Writes a file, and remembers what it was."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._whole = hashlib.sha256()

    def write(self, rows: bytes) -> None:
        self._write(rows)
        self._whole.update(rows)

    def keyed(self, master: MasterKey) -> str:
        """The file is full of names: a plain digest would let anybody try what stands in it."""
        return master.fingerprint(FILE, self._whole.digest()).hex()


def decided(advice: Advice, desk: Desk) -> None:
    """Nothing on a store that has no audit."""
    if desk.live is None:
        return
    decision = advice.decision
    body = {
        "decision": decision.id,
        "customer": customer_token(desk.live.master, decision.customer),
        "rule": decision.rule,
        "action": decision.action,
        "channel": decision.channel,
        "policy": decision.policy,
        "mode": advice.draft.mode,
    }
    with desk.live.database.transaction() as tx:
        store.record(tx, _actor(desk), DECIDED, body)


def decided_all(tally: Tally, whole: Digest, desk: Desk) -> None:
    """As above, of a whole run."""
    if desk.live is None:
        return
    body: Body = {"customers": tally.customers, "decisions": tally.decisions, "digest": whole.keyed(desk.live.master)}
    with desk.live.database.transaction() as tx:
        store.record(tx, _actor(desk), RUN, body)


def _actor(desk: Desk) -> str:
    return f"local:{desk.who}"[:200]
