"""What events of the log say of identifiers -> who is who, to be kept or compared with what is kept."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow.compute as pc

from harken.flow.load import Load
from harken.flow.preparing import LINKS
from harken.kit.spool import batches
from harken.profiles import identity
from harken.profiles.identity import Spoken

ROWS_AT_ONCE = 50_000
_MARK = f'"{LINKS}"'


def spoken(attributes: str | None, at: int, event: str) -> Iterator[Spoken]:
    """What one event says of identifiers; nearly all say nothing."""
    if attributes and _MARK in attributes:
        for link in identity.from_text(orjson.loads(attributes).get(LINKS)):
            yield link, at, event


def say(load: Load, thin: Path, *, anew: bool) -> None:
    """A load's events, without their texts (`tables.THIN`), into who is who; `anew`: they are the whole log."""
    load.step("who is who")
    if load.warehouse.joins:
        load.warehouse.say(list(_links_of(thin)), load.clock(), anew=anew)


def pairs(load: Load, thin: Path) -> Iterator[tuple[str, bytes]]:
    """Every word that holds, member and conflict under a key of its own, as JSON, in order of key."""
    if load.warehouse.joins:
        yield from _pairs_of(_links_of(thin))


def _links_of(thin: Path) -> Iterator[Spoken]:
    for batch in batches(thin, ROWS_AT_ONCE, ["attributes", "at", "id"]):
        for row in batch.filter(pc.match_substring(batch["attributes"], _MARK)).to_pylist():
            yield from spoken(row["attributes"], row["at"], row["id"])


def _pairs_of(links: Iterable[Spoken]) -> list[tuple[str, bytes]]:
    words = identity.newest(links)
    found = identity.resolve(edge for edge, word in words.items() if not word.parted)
    told: dict[str, dict[str, Any]] = {
        f"edge {edge.kind} {edge.one} {edge.other}": {"joined": not word.parted, "at": word.at, "event": word.event}
        for edge, word in words.items()
    }
    told |= {f"member {name}": {"customer": customer} for name, customer in found.members.items()}
    told |= {
        f"conflict {name}": {"reason": reason.value, "customers": customers}
        for name, (reason, customers) in found.conflicts.items()
    }
    return [(key, orjson.dumps(value)) for key, value in sorted(told.items())]
