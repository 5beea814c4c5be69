"""Arrivals -> entries of the log: read, sealed with their subject's key, before any transaction begins."""

from collections.abc import Iterable, Mapping, Sequence

import orjson

from harken.domain.link import Link
from harken.eventlog import store as eventlog
from harken.eventlog.store import Entry
from harken.flow.arriving import Arrival, Refusal
from harken.flow.reading import Subject, kept
from harken.kit import db
from harken.privacy import store as vault
from harken.privacy.keys import MasterKey
from harken.privacy.ring import KeyRing
from harken.profiles import identity

DIGEST = "event"
"""What the master key makes fingerprints of events for."""

LINKS = "links"
"""The attribute that says what an event ties together."""

_BESIDE = ("id", "kind", "identity", "author", "channel", "at", "in_reply_to", "addressed_to", "source")


def firsts_of(arrived: Iterable[Arrival | Refusal]) -> list[Arrival]:
    """The first of each id, in order of subject-to-be: a key is unwrapped once a run."""
    firsts: dict[str, Arrival] = {}
    for each in arrived:
        if isinstance(each, Arrival):
            firsts.setdefault(each.row["id"], each)
    return sorted(firsts.values(), key=lambda each: (each.row["identity"] or "", each.row["id"]))


def sealed(arrivals: Sequence[Arrival], database: db.Database, master: MasterKey, *, with_mood: bool) -> list[Entry]:
    if not arrivals:
        return []
    with database.statement() as tx:
        subjects = _subjects(tx, arrivals)
        keys = vault.keys(tx, master, subjects.values())
    ring = KeyRing(master)
    return [
        _entry(each, Subject(subjects[each.row["id"]], keys[subjects[each.row["id"]]]), ring, master, with_mood)
        for each in arrivals
    ]


def _subjects(tx: db.Tx, arrivals: Sequence[Arrival]) -> Mapping[str, str]:
    """The author for inbound, the answered customer for outbound, the thread while nobody is known."""
    ours = {each.row["in_reply_to"] for each in arrivals if not each.row["identity"] and each.row["in_reply_to"]}
    answered = {each.row["id"]: each.row["identity"] for each in arrivals if each.row["identity"]}
    known = {**eventlog.subjects_of(tx, ours), **answered} if ours else answered
    return {
        row["id"]: row["identity"] or known.get(row["in_reply_to"]) or f"thread:{row['in_reply_to'] or row['id']}"
        for row in (each.row for each in arrivals)
    }


def digest_of(arrival: Arrival, master: MasterKey) -> bytes:
    return master.fingerprint(DIGEST, arrival.same_as)


def _entry(arrival: Arrival, subject: Subject, ring: KeyRing, master: MasterKey, with_mood: bool) -> Entry:
    row = arrival.row
    words = kept(row["id"], row["kind"], row["text"] or arrival.content, subject, ring, with_mood=with_mood)
    return Entry(
        **{name: row[name] for name in _BESIDE},
        **words._asdict(),
        subject=subject.name,
        attributes=_attributes(row["attributes"], arrival.links),
        received_at=arrival.received_at,
        digest=digest_of(arrival, master),
    )


def _attributes(given: str | None, links: Sequence[Link]) -> str | None:
    if not links:
        return given
    told = orjson.loads(given) if given else {}
    told[LINKS] = identity.to_text(links)
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()
