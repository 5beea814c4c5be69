"""A store and the master key it was made with: every other is refused before it writes."""

import pyarrow as pa

from harken.errors import UnsuitableError
from harken.flow.ports import Warehouse
from harken.privacy import keys
from harken.privacy.keys import MasterKey

KEY_CHECK = "check:master"
"""The subject whose key tells one master key from another."""


def refuse_another(warehouse: Warehouse, master: MasterKey) -> bool:
    """A store remembers the key it was made with: another would make noise of every text, and seal half the log anew.

    False where it remembers none yet.
    """
    found = warehouse.keys(pa.array([KEY_CHECK]))
    if not found.num_rows:
        return False
    try:
        keys.unwrap(master, KEY_CHECK, found["wrapped"][0].as_py())
    except keys.WrongKeyError:
        raise UnsuitableError(
            "This store was sealed with another master key. Put the right one in HARKEN_MASTER_KEY or HARKEN_HOME/master.key; "
            "nothing was changed."
        ) from None
    return True


def keep_to(warehouse: Warehouse, master: MasterKey) -> None:
    if refuse_another(warehouse, master):
        return
    [(_, wrapped)] = keys.wrap_many(master, [KEY_CHECK])
    warehouse.add_keys(pa.table({"subject": pa.array([KEY_CHECK]), "wrapped": pa.array([wrapped], pa.binary())}))
    refuse_another(warehouse, master)  # another process may have been first
