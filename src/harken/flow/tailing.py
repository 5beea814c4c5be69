"""The log as it grows -> its events, each with what it changed of its identity's profile.

What an event changed is the difference between all that was known of its identity before it and with it, both read as
of the newest of these events: so a window that moved on in the meantime is not taken for the event's doing. Features of
conversations are not in it, since they follow whole threads and not one event.
"""

from collections import OrderedDict
from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any

from harken.domain.ids import CustomerId, customer_of
from harken.domain.profile import Value
from harken.errors import UnsuitableError
from harken.eventlog import store as eventlog
from harken.flow.desk import Desk, LiveDesk
from harken.flow.predict import one
from harken.kit import db
from harken.profiles import fold as folding
from harken.profiles import read
from harken.profiles.features import CONVERSATION_FEATURES, DERIVED_FEATURES
from harken.profiles.fold import State

AT_ONCE = 500
MOST_IDENTITIES = 1_000
MOST_EVENTS = 20_000
"""An identity of more events than this is followed without saying what each changed: all would have to be read first."""

_NOT_OF_EVENTS = frozenset(feature.name for feature in CONVERSATION_FEATURES)
_DERIVED = tuple(feature for feature in DERIVED_FEATURES if _NOT_OF_EVENTS.isdisjoint(feature.of))


class Tail:
    """Where somebody is in the log. `first`: the position to begin with; None: whatever comes from now on."""

    def __init__(self, desk: Desk, first: int | None = None, customer: CustomerId | None = None) -> None:
        if desk.live is None:
            raise UnsuitableError("Only a PostgreSQL store has a log to follow; this one takes files only.")
        self._desk, self._live, self._customer = desk, desk.live, customer
        self._whose = self._identities()
        self._effects = _Effects()
        self._after = _end(desk.live) if first is None else first - 1

    def news(self) -> list[dict[str, Any]]:
        """What came since the last call, in order, a limited number at once."""
        whose = self._identities()
        if whose != self._whose:
            self._whose, self._effects = whose, _Effects()
        with self._live.database.transaction() as tx:
            rows = eventlog.read(tx, self._after, AT_ONCE)
            told = [_told(row, self._effects.of(tx, row)) for row in rows if whose is None or row["identity"] in whose]
        self._after = rows[-1]["position"] if rows else self._after
        return told

    def _identities(self) -> Collection[str] | None:
        """None: everybody's."""
        return None if self._customer is None else one(self._customer, self._desk)[1]


def _end(desk: LiveDesk) -> int:
    with desk.database.statement() as tx:
        return eventlog.end(tx)


def _told(row: db.Row, changed: Mapping[str, tuple[Value, Value]] | None) -> dict[str, Any]:
    told = {name: row[name] for name in ("position", "id", "kind", "source", "channel", "identity")}
    who, at = row["identity"], row["happened_at"].astimezone(UTC)
    return {**told, "customer": who and customer_of(who), "happened_at": at, "changed": changed}


class _Effects:
    """The states of identities that were met lately, each as of the last event that was met."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, State | None] = OrderedDict()

    def of(self, tx: db.Tx, row: db.Row) -> dict[str, tuple[Value, Value]] | None:
        """Feature -> before, after. None: of nobody, or of somebody with too many events."""
        who = row["identity"]
        if who is None:
            return {}
        if who not in self._states:
            self._states[who] = _known(tx, who, row["position"])
            if len(self._states) > MOST_IDENTITIES:
                self._states.popitem(last=False)
        self._states.move_to_end(who)
        state = self._states[who]
        if state is None:
            return None
        until = max(folding.newest_us(state) or 0, row["at"]) + 1
        before = _values(state, until)
        self._states[who] = folding.prune(folding.fold(state, row))
        after = _values(state, until)
        return {name: (before[name], value) for name, value in after.items() if before[name] != value}


def _known(tx: db.Tx, who: str, position: int) -> State | None:
    rows = eventlog.before(tx, who, position, MOST_EVENTS + 1)
    if len(rows) > MOST_EVENTS:
        return None
    state: State = {}
    for row in rows:
        folding.fold(state, row)
    return state


def _values(state: State, until: int) -> dict[str, Value]:
    values = read.read([state], until)
    values.update({feature.name: feature.how(*[values[name] for name in feature.of]) for feature in _DERIVED})
    return values
