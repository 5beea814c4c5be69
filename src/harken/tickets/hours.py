"""When people are at work: how much working time lies between two moments, and when so much of it will be over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from harken.tickets.desk_file import DAYS, Hours

DAY_MINUTES = 24 * 60
MOST_DAYS = 3660
"""So far ahead the end of a promise is looked for."""

Interval = tuple[int, int]  # minutes of the local day, from and to


@dataclass(frozen=True, slots=True)
class Week:
    """Working hours by local wall clock. On the days when clocks change, they last as long as they last."""

    zone: ZoneInfo
    days: tuple[tuple[Interval, ...], ...]  #: from Monday on, in order, none touching another
    yearly: frozenset[tuple[int, int]] = frozenset()  #: month, day
    once: frozenset[date] = frozenset()

    @classmethod
    def of(cls, hours: Hours, zone: ZoneInfo) -> "Week":
        yearly = {(int(day[:2]), int(day[3:])) for day in hours.holidays if len(day) == len("MM-DD")}
        once = {day for day in hours.holidays if len(day) > len("MM-DD")}
        return cls(
            zone=zone,
            days=tuple(_joined(getattr(hours, day)) for day in DAYS),
            yearly=frozenset(yearly),
            once=frozenset(date.fromisoformat(day) for day in once),
        )

    @property
    def ever_open(self) -> bool:
        return any(self.days)

    def seconds(self, start: datetime, end: datetime) -> int:
        """Working time between two moments; none where the second is not later."""
        if end <= start:
            return 0
        days = (end.astimezone(self.zone).date() - start.astimezone(self.zone).date()).days + 1
        inside = timedelta()
        for opens, closes in self._spans(start.astimezone(self.zone).date(), days):
            inside += max(min(closes, end) - max(opens, start), timedelta())
        return int(inside.total_seconds())

    def after(self, start: datetime, seconds: int) -> datetime:
        """The moment at which so much working time has passed, in UTC."""
        left = timedelta(seconds=seconds)
        last = start
        for opens, closes in self._spans(start.astimezone(self.zone).date(), MOST_DAYS):
            begins = max(opens, start)
            if closes <= begins:
                continue
            if left <= closes - begins:
                return begins + left
            left -= closes - begins
            last = closes
        return last

    def is_open(self, at: datetime) -> bool:
        return any(opens <= at < closes for opens, closes in self._spans(at.astimezone(self.zone).date(), 1))

    def next_open(self, at: datetime) -> datetime:
        """The moment itself where people are at work, else when they will be."""
        for opens, closes in self._spans(at.astimezone(self.zone).date(), MOST_DAYS):
            if at < closes:
                return max(opens, at)
        return at

    def _spans(self, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
        """In UTC, in order."""
        for offset in range(days):
            day = first + timedelta(days=offset)
            if (day.month, day.day) in self.yearly or day in self.once:
                continue
            for opens, closes in self.days[day.weekday()]:
                yield self._moment(day, opens), self._moment(day, closes)

    def _moment(self, day: date, minute: int) -> datetime:
        more, minute = divmod(minute, DAY_MINUTES)
        wall = datetime.combine(day + timedelta(days=more), time(*divmod(minute, 60)), self.zone)
        return wall.astimezone(UTC)


ALWAYS = Week(zone=ZoneInfo("UTC"), days=(((0, DAY_MINUTES),),) * len(DAYS))
"""Round the clock."""


def _joined(spans: tuple[str, ...]) -> tuple[Interval, ...]:
    """In order, with what overlaps or touches made one; what ends before it begins is nothing."""
    joined: list[Interval] = []
    for opens, closes in sorted(map(_minutes, spans)):
        if closes <= opens:
            continue
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((opens, closes))
    return tuple(joined)


def _minutes(span: str) -> Interval:
    """`09:30-12:00` -> 570, 720."""
    opens, _, closes = span.partition("-")
    return int(opens[:2]) * 60 + int(opens[3:]), int(closes[:2]) * 60 + int(closes[3:])
