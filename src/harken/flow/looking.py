"""Who looked at whose data with a command -> a line in the audit, as whoever looks through a door of the server leaves one."""

from collections.abc import Iterable
from typing import Final

from harken.audit import store as audit
from harken.kit.db import Tx
from harken.privacy.audited import customer_token
from harken.privacy.keys import MasterKey

READ: Final = "access.read"
_MOST_OF_A_NAME = 200


def record(tx: Tx, who: str, command: str, identities: Iterable[str], master: MasterKey) -> tuple[str, ...]:
    """`who`: the user of this machine. Returns the customer's tokens, as they stand there."""
    tokens = tuple(sorted({customer_token(master, each) for each in identities}))
    audit.record(tx, f"local:{who}"[:_MOST_OF_A_NAME], READ, {"route": command, "customers": tokens})
    return tokens
