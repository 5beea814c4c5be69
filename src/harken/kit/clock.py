"""Time is an input. The only file that may ask the machine what time it is."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""Moments that people may ask for: with room on both sides for what is added to them."""


def wall_clock() -> datetime:
    return datetime.now(UTC)


def stopped_at(moment: datetime) -> Clock:
    """A clock that stands still, also in worker processes."""
    return partial(_same, moment)


def _same(moment: datetime) -> datetime:
    return moment


def asked_for(moment: datetime) -> datetime:
    """A moment as somebody wrote it -> UTC; without a zone it is that already. Raises ValueError outside 1970 to 2200."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not FIRST <= aware < LAST:
        raise ValueError(f"must be between {FIRST.year} and {LAST.year}")
    return aware.astimezone(UTC)


def stopwatch() -> Callable[[], float]:
    """Seconds since this call, for reports only: no decision may depend on it."""
    started = time.perf_counter()
    return lambda: time.perf_counter() - started
