"""The log since a place -> whose profiles that changed."""

import orjson

from harken.eventlog import store as eventlog
from harken.flow.preparing import LINKS
from harken.kit import db
from harken.profiles import identity


def touched_since(tx: db.Tx, after: int, limit: int) -> tuple[int | None, set[str]]:
    """The last of the next events (None: there is none), their identities, and those that they tie or part."""
    found = eventlog.read(tx, after, limit)
    names = {row["identity"] for row in found if row["identity"]}
    for row in found:
        told = orjson.loads(row["attributes"]) if row["attributes"] else {}
        names |= {end for link in identity.from_text(told.get(LINKS, "")) for end in (link.one, link.other)}
    return (found[-1]["position"] if found else None), names
