"""An hour of a source beside the same hour of earlier days -> what is unusual about it.

Medians, so that one odd day is no yardstick; floors, so that a source of a few events never rings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

DAYS = 14
"""How far back an hour is compared."""

MIN_DAYS = 3
"""With fewer days nothing is usual yet."""

MIN_EVENTS = 50
TIMES = 3
SHARE = 0.25


class Hour(NamedTuple):
    """What a source sent in one hour; nothing is as good an hour as any."""

    kinds: Mapping[str, int] = {}  #: events, by kind
    slow: int = 0  #: those that came long after they happened

    @property
    def events(self) -> int:
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    rings: Callable[[Hour, Sequence[Hour]], bool]
    because: str


def _rate(now: Hour, usual: Sequence[Hour]) -> bool:
    then = median(hour.events for hour in usual)
    more, less = max(now.events, then), min(now.events, then)
    return more - less >= MIN_EVENTS and more > TIMES * less


def _lag(now: Hour, usual: Sequence[Hour]) -> bool:
    """Hours without an event have no share of anything."""
    busy = [hour.slow / hour.events for hour in usual if hour.events]
    return bool(busy) and now.events >= MIN_EVENTS and now.slow / now.events - median(busy) >= SHARE


def _mix(now: Hour, usual: Sequence[Hour]) -> bool:
    """Half the sum of the differences of shares: how much of the hour would have to be of another kind."""
    busy = [hour for hour in usual if hour.events >= MIN_EVENTS]
    if not busy or now.events < MIN_EVENTS:
        return False
    kinds = set(now.kinds).union(*(hour.kinds for hour in busy))
    return sum(abs(_share(now, kind) - median(_share(hour, kind) for hour in busy)) for kind in kinds) / 2 >= SHARE


def _share(hour: Hour, kind: str) -> float:
    return hour.kinds.get(kind, 0) / hour.events


RULES = (
    Rule("rate", _rate, f"{MIN_EVENTS} events more or fewer than usual, and {TIMES} times as many or a third"),
    Rule("lag", _lag, f"of {MIN_EVENTS} events or more, a quarter more than usual came 5 minutes late or later"),
    Rule("mix", _mix, f"of {MIN_EVENTS} events or more, a quarter is of other kinds than usual"),
)
"""What is looked at; read them to whoever operates the sources."""


def unusual(now: Hour, usual: Sequence[Hour]) -> dict[str, bool]:
    """Rule -> whether it rings. `usual`: the same hour of the days before on which the source was known."""
    known = len(usual) >= MIN_DAYS
    return {rule.name: known and rule.rings(now, usual) for rule in RULES}
