"""A token's id -> refused from now on, by every server of this store."""

from datetime import timedelta

from harken.errors import UnsuitableError
from harken.flow.desk import Desk
from harken.privacy.keys import MasterKey
from harken.web.auth import store
from harken.web.auth.minting import MOST_MINUTES


def digest(master: MasterKey, token_id: str) -> bytes:
    return master.fingerprint("token", token_id.encode())


def revoke(token_id: str, desk: Desk) -> None:
    """Raises UnsuitableError for a store that keeps no list."""
    if desk.live is None:
        raise UnsuitableError("Tokens are revoked in PostgreSQL; this store keeps no list of them.")
    now = desk.live.clock()
    with desk.live.database.statement() as tx:
        store.revoke(tx, digest(desk.live.master, token_id), now + timedelta(minutes=MOST_MINUTES), now)
