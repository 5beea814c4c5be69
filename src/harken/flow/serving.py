"""Served profiles -> a sample of them, kept until they have been recomputed from the log: see `verifying`."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson

from harken.conversations.status import Silence
from harken.domain.profile import Profile
from harken.eventlog import store as eventlog
from harken.flow.desk import Desk
from harken.flow.dossier import Moment
from harken.profiles import store as profiles

ONE_IN = 100
MOST_WAITING = 100_000
"""Samples that may wait to be checked, some 300 MB; further ones are not kept."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A profile that is about to be read, and will be kept."""

    known_before: str  #: what of the log is surely in it


def is_chosen(customer: str, at: datetime) -> bool:
    """One in a hundred, the same ones whoever asks."""
    digest = hashlib.blake2b(f"{customer}\n{at.isoformat()}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % ONE_IN == 0


def mark(customer: str, moment: Moment, desk: Desk) -> Marked | None:
    """Before the reading. None for most, and while a file's events are on their way into the profiles."""
    if desk.live is None or not is_chosen(customer, moment.at):
        return None
    with desk.live.database.statement() as tx:
        oldest_open = eventlog.horizon(tx)
    return Marked(oldest_open) if oldest_open else None


def keep(marked: Marked | None, profile: Profile, silence: Silence, desk: Desk) -> None:
    """After the reading."""
    if marked is None or desk.live is None:
        return
    with desk.live.database.statement() as tx:
        profiles.keep_served(
            tx,
            MOST_WAITING,
            customer=profile.customer,
            identities=list(profile.identities),
            as_of=profile.as_of,
            position=profile.position,
            definitions=profile.definitions,
            silence=orjson.dumps(asdict(silence)).decode(),
            features=orjson.dumps(dict(profile.features)).decode(),
            served_at=desk.live.clock(),
            known_before=marked.known_before,
        )
