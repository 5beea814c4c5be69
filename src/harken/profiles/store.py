"""States of identities and who is who, read and replaced within the transaction of the events that change them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from harken.domain.link import Link
from harken.kit import db, sql
from harken.profiles import identity, stored
from harken.profiles.fold import State
from harken.profiles.identity import Edge

q = sql.queries(__package__)


def states(tx: db.Tx, identities: Iterable[str]) -> dict[str, State]:
    """Those that exist."""
    found = db.rows(tx, q.states, identities=list(identities))
    return {row["identity"]: stored.from_bytes(row["state"]) for row in found}


def keep(tx: db.Tx, states: Mapping[str, State]) -> None:
    packed = [stored.to_bytes(state).decode() for state in states.values()]
    tx.execute(q.keep, {"identities": list(states), "states": packed})


def say(tx: db.Tx, links: Sequence[tuple[Link, int, str]], now: datetime) -> None:
    """(link, at, event): what events say of identifiers, in any order, as often as they like."""
    words = sorted(identity.newest(links).items())  # in order, so that two writers never wait for each other
    rows = [(*edge, not word.parted, word.at, word.event) for edge, word in words]
    columns = dict(
        zip(("one", "other", "kind", "joined", "at", "event"), map(list, zip(*rows, strict=True)), strict=True)
    )
    turned = db.rows(tx, q.say, **columns)
    if turned:
        tx.execute(q.lock_identities)
        names = {name for row in turned for name in (row["one"], row["other"])}
        _settle(tx, sorted(names), ",".join(sorted({word.event for _, word in words})), now)


def _settle(tx: db.Tx, names: list[str], event: str, now: datetime) -> None:
    """Whose the identities around these are, after a pair of them joined or parted."""
    reached = db.rows(tx, q.component, names=names)
    around = sorted({row["name"] for row in reached})
    edges = {Edge(row["one"], row["other"], row["kind"]) for row in reached if row["one"]}
    found = identity.resolve(sorted(edges))
    before = {row["identity"]: row["customer"] for row in db.rows(tx, q.members, names=around)}
    tx.execute(q.forget_members, {"names": around})
    tx.execute(q.forget_conflicts, {"names": around})
    tx.execute(q.join, {"names": list(found.members), "customers": list(found.members.values())})
    for name, (reason, customers) in sorted(found.conflicts.items()):
        tx.execute(q.show_conflict, {"name": name, "reason": reason.value, "customers": list(customers)})
    if before != found.members:
        after = Jsonb(dict(sorted(found.members.items())))
        tx.execute(q.changed, {"event": event, "at": now, "before": Jsonb(before), "after": after})


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
    """Enters or leaves, and is on record."""
    named = {"segment": segment, "customer": customer, "at": at}
    tx.execute(q.enter if entered else q.leave, named)
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
