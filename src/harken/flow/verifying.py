"""Served profiles and the log -> whether they agree: each is recomputed from the events that its reader saw, and no others.

States are folded anew and conversations grouped anew; of what is stored only the threads are asked, for where else to look.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from harken.conversations import regroup
from harken.conversations import store as conversations
from harken.conversations.regroup import Made, Placed
from harken.conversations.status import Silence
from harken.conversations.threads import LINKED_KINDS
from harken.domain.conversation import Conversation
from harken.domain.ids import CustomerId
from harken.errors import UnsuitableError
from harken.eventlog import store as eventlog
from harken.eventlog.store import Seen
from harken.flow import dossier
from harken.flow.desk import Desk, LiveDesk
from harken.flow.dossier import Moment
from harken.kit import db
from harken.kit.clock import stopwatch
from harken.profiles import read
from harken.profiles import store as profiles
from harken.profiles.features import definitions_hash

AT_ONCE = 100
_LINKED = frozenset(kind.value for kind in LINKED_KINDS)


class Result(StrEnum):
    MATCH = "match"
    MISMATCH = "mismatch"
    MISSING = "missing"  #: the log has a value that was not served
    EXTRA = "extra"  #: served, and nothing in the log says so


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What `harken profile verify --json` prints."""

    profiles: int  #: recomputed
    raced: int  #: not compared: something of theirs was being written while they were read
    outdated: int  #: not compared: served with other feature definitions
    values: Mapping[str, int]  #: by result
    features: Mapping[str, int]  #: those that differ, how often
    seconds: float

    @property
    def agrees(self) -> bool:
        return not self.features


class _RacedError(Exception):
    """Whether the reader saw an event cannot be told."""


def verify(desk: Desk) -> Verified:
    """Check every sample that waits. One that is right is forgotten; one that is not is kept, and told once."""
    if desk.live is None:
        raise UnsuitableError("Only profiles of live events are sampled, and this store takes files only.")
    elapsed, done, values, features = stopwatch(), Counter[str](), Counter[Result](), Counter[str]()
    after = 0
    while served := _some(desk.live, after):
        for each in served:
            with desk.live.database.transaction() as tx:
                what, found = _compared(tx, each)
                differs = [name for name, result in found.items() if result is not Result.MATCH]
                results = Counter(found.values())
                profiles.checked(tx, each["id"], differs, desk.live.clock())
                profiles.add_results(tx, {result.value: number for result, number in results.items()})
            done[what] += 1
            values.update(results)
            features.update(differs)
        after = served[-1]["id"]
    return Verified(
        profiles=done["profiles"],
        raced=done["raced"],
        outdated=done["outdated"],
        values={result.value: values[result] for result in Result},
        features=dict(sorted(features.items())),
        seconds=round(elapsed(), 3),
    )


def _some(desk: LiveDesk, after: int) -> list[db.Row]:
    with desk.database.statement() as tx:
        return profiles.waiting(tx, after, AT_ONCE)


def _compared(tx: db.Tx, served: db.Row) -> tuple[str, dict[str, Result]]:
    if served["definitions"] != definitions_hash():
        return "outdated", {}
    try:
        made = _recomputed(tx, served)
    except _RacedError:
        return "raced", {}
    return "profiles", dict(_differences(orjson.loads(served["features"]), made))


def _differences(served: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[tuple[str, Result]]:
    for name in sorted(served.keys() | made.keys()):
        if name not in served:
            yield name, Result.MISSING
        elif name not in made:
            yield name, Result.EXTRA
        else:
            yield name, Result.MATCH if served[name] == made[name] else Result.MISMATCH


def _recomputed(tx: db.Tx, served: db.Row) -> dict[str, Any]:
    moment = Moment(at=served["as_of"].astimezone(UTC), position=served["position"])
    reader = Seen(served["known_before"], served["unknown_from"])
    events = _known(eventlog.of_identities(tx, served["identities"], reader))
    events.sort(key=itemgetter("identity"))
    own = {who: list(found) for who, found in groupby(events, itemgetter("identity"))}
    states = {who: read.state_of(own.get(who, ()), moment.us + 1) for who in served["identities"]}
    turns = _turns(tx, events, reader)
    made = [each for each in regroup.regrouped(list(turns.values())) if each.identity in states]
    then = [stood for each in made if (stood := _as_of(each, turns, moment))]
    judged = dossier.judged(then, moment, Silence(**orjson.loads(served["silence"])))
    profile = dossier.profile_of(CustomerId(served["customer"]), states, judged, moment)
    features: dict[str, Any] = orjson.loads(orjson.dumps(dict(profile.features)))
    return features


def _known(rows: Sequence[db.Row]) -> list[db.Row]:
    if any(row["perhaps"] for row in rows):
        raise _RacedError
    return [row for row in rows if row["known"]]


def _turns(tx: db.Tx, events: Sequence[db.Row], reader: Seen) -> dict[int, Placed]:
    """Every turn of the threads that the customer's own turns are in, as far as the reader saw them."""
    own = [conversations.placed(row) for row in events if row["kind"] in _LINKED]
    near = conversations.neighbours(tx, [turn.row for turn in own])
    seen = {row["position"] for row in _known(eventlog.seen(tx, [turn.position for turn in near], reader))}
    return {turn.position: turn for turn in (*own, *[turn for turn in near if turn.position in seen])}


def _as_of(made: Made, turns: Mapping[int, Placed], moment: Moment) -> Conversation | None:
    conversation = dossier.conversation_of(made._asdict(), orjson.loads(made.facts))
    return dossier.as_of(conversation, moment, lambda: [turns[position].row for position in made.positions])
