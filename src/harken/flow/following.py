"""New entries of the log -> what follows from them, in their own transaction."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import orjson

from harken.conversations import regroup as regrouping
from harken.conversations import store as conversations
from harken.conversations.cases import Row
from harken.conversations.regroup import Placed
from harken.conversations.threads import LINKED_KINDS
from harken.domain.link import Link
from harken.eventlog import store as eventlog
from harken.eventlog.store import Entry
from harken.flow import linking
from harken.kit import db
from harken.profiles import fold as folding
from harken.profiles import store as profiles
from harken.profiles.identity import Spoken

New: TypeAlias = Sequence[tuple[Entry, int]]
"""Entries with their positions."""

PAIR_LOCKS = 256
_LINKED = frozenset(kind.value for kind in LINKED_KINDS)


def names_of(entries: Iterable[Entry]) -> set[str]:
    """What must not change under us: the identities, the trees that turns may join or found, and what is said of two
    identifiers: another's word that we cannot see yet may be what ours turns round."""
    names: set[str] = set()
    for entry in entries:
        names.update(_pair(link) for link, *_ in _said([entry]))
        if entry.identity:
            names.add(entry.identity)
        if entry.kind in _LINKED:
            names.update((_thread(entry.id), _thread(entry.in_reply_to or entry.id)))
    return names


def _pair(link: Link) -> str:
    """One event may speak of dozens of pairs, and a server has room for so many locks: pairs share a few hundred."""
    return f"link:{zlib.crc32(' '.join(sorted((link.one, link.other))).encode()) % PAIR_LOCKS}"


def _thread(id_: str) -> str:
    return f"thread:{id_}"


def fold(tx: db.Tx, new: New) -> int:
    """Each event into the state of its identity. How many were older than what it knew."""
    own: dict[str, list[Entry]] = {}
    for entry, _ in new:
        if entry.identity:
            own.setdefault(entry.identity, []).append(entry)
    if not own:
        return 0
    late = 0
    states = profiles.states(tx, own)
    for who, entries in own.items():
        state = states.get(who, {})
        newest = folding.newest_us(state)
        late += sum(entry.at < newest for entry in entries) if newest is not None else 0
        for entry in entries:
            folding.fold(state, _columns(entry))
        states[who] = folding.prune(state)
    profiles.keep(tx, states)
    return late


def _columns(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "at": entry.at,
        "channel": entry.channel,
        "addressed_to": entry.addressed_to,
        "language": entry.language,
        "sentiment": entry.sentiment,
        "urgency": entry.urgency,
        "signals": entry.signals,
        "attributes": entry.attributes,
    }


def who_is_who(tx: db.Tx, new: New, now: datetime) -> None:
    """What the events say of identifiers."""
    said = list(_said(entry for entry, _ in new))
    if said:
        profiles.say(tx, said, now)


def _said(entries: Iterable[Entry]) -> Iterator[Spoken]:
    for entry in entries:
        yield from linking.spoken(entry.attributes, entry.at, entry.id)


def regroup(tx: db.Tx, new: New) -> None:
    """The conversations of every thread that the new turns touch, by the batch's own rules."""
    turns = [Placed(_row(entry), position, None) for entry, position in new if entry.kind in _LINKED]
    if not turns:
        return
    near = _held(tx, turns)
    made = regrouping.regrouped([*near, *turns])
    threads = {turn.thread for turn in near if turn.thread} | {conversation.thread for conversation in made}
    conversations.replace(tx, sorted(threads), made)


def _held(tx: db.Tx, turns: Sequence[Placed]) -> list[Placed]:
    """The neighbours, once all their threads are ours: another's turn may have brought some in while we waited."""
    held = {_thread(name) for turn in turns for name in (turn.row.id, turn.row.in_reply_to or turn.row.id)}
    while True:
        near = conversations.neighbours(tx, [turn.row for turn in turns])
        wanted = {_thread(turn.thread) for turn in near if turn.thread} - held
        if not wanted:
            return near
        eventlog.lock(tx, wanted)
        held |= wanted


def _row(entry: Entry) -> Row:
    return Row(
        id=entry.id,
        at=entry.at,
        kind=entry.kind,
        identity=entry.identity,
        author=entry.author,
        channel=entry.channel,
        in_reply_to=entry.in_reply_to,
        addressed_to=entry.addressed_to,
        language=entry.language,
        sentiment=entry.sentiment,
        urgency=entry.urgency,
        signals=entry.signals,
        evidence=orjson.loads(entry.evidence) if entry.evidence else {},
    )
