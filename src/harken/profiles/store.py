"""States of identities and who is who, read and replaced within the transaction of the events that change them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from harken.kit import db, sql
from harken.profiles import identity, stored
from harken.profiles.fold import State
from harken.profiles.identity import Edge, Resolution, Spoken

q = sql.queries(__package__)

REBUILD = "rebuild"
"""In place of an event, where who is who was made anew from all of them."""


def states(tx: db.Tx, identities: Iterable[str]) -> dict[str, State]:
    """Those that exist."""
    found = db.rows(tx, q.states, identities=list(identities))
    return {row["identity"]: stored.from_bytes(row["state"]) for row in found}


def keep(tx: db.Tx, states: Mapping[str, State]) -> None:
    packed = [stored.to_bytes(state).decode() for state in states.values()]
    tx.execute(q.keep, {"identities": list(states), "states": packed})


def say(tx: db.Tx, links: Sequence[Spoken], now: datetime) -> None:
    """What events say of identifiers, in any order, as often as they like.

    Whoever may speak of the same two at once has their turn: see eventlog.store.lock.
    """
    turned, events = _keep_words(tx, links)
    if turned:
        tx.execute(q.lock_identities)
        _settle(tx, sorted(turned), ",".join(events), now)


def say_anew(tx: db.Tx, links: Sequence[Spoken], now: datetime) -> None:
    """All that the log says of identifiers, in place of what was kept. Nobody else writes meanwhile."""
    before = _customers(db.rows(tx, q.every_member))
    for query in (q.forget_every_edge, q.forget_every_member, q.forget_every_conflict):
        tx.execute(query)
    _keep_words(tx, links)
    edges = [Edge(row["one"], row["other"], row["kind"]) for row in db.rows(tx, q.every_pair)]
    _put(tx, before, identity.resolve(edges), REBUILD, now)


def _keep_words(tx: db.Tx, links: Sequence[Spoken]) -> tuple[set[str], list[str]]:
    """Identities of pairs that joined or parted by it, and the events that hold now."""
    words = sorted(identity.newest(links).items())  # in order, so that two writers never wait for each other
    if not words:
        return set(), []
    rows = [(*edge, not word.parted, word.at, word.event) for edge, word in words]
    names = ("one", "other", "kind", "joined", "at", "event")
    turned = db.rows(tx, q.say, **dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    return {name for row in turned for name in (row["one"], row["other"])}, sorted({word.event for _, word in words})


def _settle(tx: db.Tx, names: list[str], event: str, now: datetime) -> None:
    """Whose the identities around these are, after a pair of them joined or parted."""
    reached = db.rows(tx, q.component, names=names)
    around = sorted({row["name"] for row in reached})
    edges = {Edge(row["one"], row["other"], row["kind"]) for row in reached if row["one"]}
    before = _customers(db.rows(tx, q.members, names=around))
    tx.execute(q.forget_members, {"names": around})
    tx.execute(q.forget_conflicts, {"names": around})
    _put(tx, before, identity.resolve(sorted(edges)), event, now)


def _put(tx: db.Tx, before: dict[str, str], found: Resolution, event: str, now: datetime) -> None:
    tx.execute(q.join, {"names": list(found.members), "customers": list(found.members.values())})
    for name, (reason, customers) in sorted(found.conflicts.items()):
        tx.execute(q.show_conflict, {"name": name, "reason": reason.value, "customers": list(customers)})
    if before != found.members:
        after = Jsonb(dict(sorted(found.members.items())))
        tx.execute(q.changed, {"event": event, "at": now, "before": Jsonb(before), "after": after})


def _customers(members: Sequence[db.Row]) -> dict[str, str]:
    return {row["identity"]: row["customer"] for row in members}


def save_segment(tx: db.Tx, name: str, condition: str, at: datetime) -> None:
    tx.execute(q.save_segment, {"name": name, "condition": condition, "at": at})


def drop_segment(tx: db.Tx, name: str) -> bool:
    """Whether there was one."""
    return bool(tx.execute(q.drop_segment, {"name": name}).rowcount)


def segments(tx: db.Tx) -> list[db.Row]:
    """name condition saved_at members."""
    return db.rows(tx, q.segments)


def memberships(tx: db.Tx, customers: Iterable[str]) -> set[tuple[str, str]]:
    """(segment, customer)."""
    return {(row["segment"], row["customer"]) for row in db.rows(tx, q.memberships, customers=list(customers))}


def member(tx: db.Tx, segment: str, customer: str, *, entered: bool, at: datetime, position: int) -> None:
    """Enters or leaves, and is on record; once, however many find it at the same time."""
    named = {"segment": segment, "customer": customer, "at": at}
    if tx.execute(q.enter if entered else q.leave, named).rowcount:
        tx.execute(q.changed_segment, {**named, "entered": entered, "position": position})


def members_of(tx: db.Tx, segment: str, after: str, limit: int) -> list[db.Row]:
    """customer since, in order."""
    return db.rows(tx, q.members_of, segment=segment, after=after, limit=limit)


def segment_changes(tx: db.Tx, segment: str, after: int, limit: int) -> list[db.Row]:
    """id customer entered at position."""
    return db.rows(tx, q.segment_changes, segment=segment, after=after, limit=limit)


def some_identities(tx: db.Tx, after: str, limit: int) -> list[str]:
    return [row["identity"] for row in db.rows(tx, q.some_identities, after=after, limit=limit)]


def keep_served(tx: db.Tx, most: int, **served: Any) -> None:
    """One served profile, to be checked; none where `most` wait already."""
    tx.execute(q.keep_served, {"most": most, **served})


def waiting(tx: db.Tx, after: int, limit: int) -> list[db.Row]:
    """Served profiles to be checked, after an id."""
    return db.rows(tx, q.waiting, after=after, limit=limit)


def checked(tx: db.Tx, id_: int, differs: Sequence[str], at: datetime) -> None:
    if differs:
        tx.execute(q.differs, {"id": id_, "differs": list(differs), "at": at})
    else:
        tx.execute(q.forget_served, {"id": id_})


def add_results(tx: db.Tx, results: Mapping[str, int]) -> None:
    """In the transaction of the checks, so that each counts once."""
    ordered = sorted(results.items())
    tx.execute(q.add_results, {"results": [name for name, _ in ordered], "numbers": [number for _, number in ordered]})


def consistency(tx: db.Tx) -> dict[str, int]:
    return {row["result"]: row["number"] for row in db.rows(tx, q.consistency)}
