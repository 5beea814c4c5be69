"""Zones and a policy's hours -> the hours of the next week in which somebody may be written to or called."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from harken.decide.policy_file import DAYS, Business, Quiet, Timing

HOUR_S = 3600
DAY_S = 24 * HOUR_S
AHEAD = 7 * 24  #: hours looked at
QUARTERS_S = (0, 900, 1800, 2700)  # an hour is permitted when all four are: zones differ by quarters
CACHED = 4096  #: entries kept before starting afresh


class Reach(Enum):
    """What a step needs: the customer awake, our people at work, or both."""

    MESSAGE = "message"
    STAFF = "staff"
    CALL = "call"


class Slots(NamedTuple):
    offsets: tuple[int, ...]  #: permitted hours from the current one (0) on
    prior: tuple[float, ...]  #: expected share of reading per UTC hour, adding up to 1


class Calendar:
    """Remembers what it worked out per zone, day and hour: the same question is asked for every customer."""

    def __init__(self, business: Business, quiet: Quiet, timing: Timing) -> None:
        self._work = _minutes(business.opens), _minutes(business.closes)
        self._days = frozenset(DAYS.index(day) for day in business.days)
        self._quiet = _minutes(quiet.starts), _minutes(quiet.ends)
        self._zone = ZoneInfo(business.zone)
        self._markets = tuple(ZoneInfo(name) for name in quiet.market_zones)
        total = sum(timing.prior_hours) or 1
        self._prior = tuple(share / total for share in timing.prior_hours)
        self._slots: dict[tuple[Reach, str | None, int], Slots] = {}
        self._permitted: dict[tuple[Reach, str | None, int], tuple[bool, ...]] = {}

    def slots(self, reach: Reach, zone: str | None, now_s: int) -> Slots:
        """`zone` None: unknown, so only hours that are permitted in every market."""
        hour = now_s // HOUR_S
        key = (reach, zone, hour)
        found = self._slots.get(key)
        if found is None:
            if len(self._slots) >= CACHED:
                self._slots.clear()
            found = self._slots[key] = self._work_out(reach, zone, hour)
        return found

    def _work_out(self, reach: Reach, zone: str | None, hour: int) -> Slots:
        offsets = []
        for offset in range(AHEAD):
            day, place = divmod(hour + offset, 24)
            if self._day(reach, zone, day)[place]:
                offsets.append(offset)
        return Slots(tuple(offsets), self._prior_in_utc(self._zones(zone), hour * HOUR_S))

    def _day(self, reach: Reach, zone: str | None, day: int) -> tuple[bool, ...]:
        key = (reach, zone, day)
        found = self._permitted.get(key)
        if found is None:
            if len(self._permitted) >= CACHED:
                self._permitted.clear()
            starts = range(day * DAY_S, (day + 1) * DAY_S, HOUR_S)
            found = self._permitted[key] = tuple(self._may(reach, self._zones(zone), start) for start in starts)
        return found

    def _may(self, reach: Reach, zones: Sequence[ZoneInfo], start_s: int) -> bool:
        quarters = [start_s + quarter for quarter in QUARTERS_S]
        if reach is not Reach.MESSAGE and not all(self._at_work(moment) for moment in quarters):
            return False
        return reach is Reach.STAFF or not any(self._is_quiet(zone, moment) for zone in zones for moment in quarters)

    def _at_work(self, moment_s: int) -> bool:
        local = datetime.fromtimestamp(moment_s, self._zone)
        opens, closes = self._work
        return local.weekday() in self._days and opens <= local.hour * 60 + local.minute < closes

    def _is_quiet(self, zone: ZoneInfo, moment_s: int) -> bool:
        local = datetime.fromtimestamp(moment_s, zone)
        return _within(local.hour * 60 + local.minute, *self._quiet)

    def _zones(self, zone: str | None) -> tuple[ZoneInfo, ...]:
        if zone is None:
            return self._markets
        try:
            return (ZoneInfo(zone),)
        except (ValueError, OSError, KeyError):
            return self._markets  # a source told us a zone that does not exist

    def _prior_in_utc(self, zones: Sequence[ZoneInfo], now_s: int) -> tuple[float, ...]:
        shares = [0.0] * 24
        for zone in zones:
            offset = datetime.fromtimestamp(now_s, UTC).astimezone(zone).utcoffset()
            ahead_h = round(offset.total_seconds() / HOUR_S) if offset else 0
            for hour in range(24):
                shares[hour] += self._prior[(hour + ahead_h) % 24] / len(zones)
        return tuple(shares)


def _minutes(clock: str) -> int:
    """`09:30` -> 570."""
    return int(clock[:2]) * 60 + int(clock[3:])


def _within(minute: int, starts: int, ends: int) -> bool:
    """Over midnight where it ends before it starts; nothing is within an hour that ends as it starts."""
    if starts <= ends:
        return starts <= minute < ends
    return minute >= starts or minute < ends
