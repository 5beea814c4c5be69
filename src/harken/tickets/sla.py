"""A ticket's changes and the desk's promises -> the clocks that run on it. Pure: the same at any later look.

A clock counts working time while it is our turn and nothing holds the ticket up: pending, on hold and snoozed stop it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final

from harken.domain.ticket import StatusCategory, Ticket
from harken.tickets import changes as c
from harken.tickets.changes import Stamped
from harken.tickets.desk_rules import DeskRules
from harken.tickets.fold import fold
from harken.tickets.hours import Week

FIRST, NEXT, RESOLUTION = "first_response", "next_response", "resolution"
_HELD: Final = frozenset({StatusCategory.PENDING, StatusCategory.ON_HOLD})
_OVER: Final = frozenset({StatusCategory.RESOLVED, StatusCategory.CLOSED})


class State(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"  #: whether or not what was promised came later


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Seconds are working time. `due_at` and `warn_at` are None while it stands still or is over."""

    name: str
    state: State
    started_at: datetime
    limit_s: int
    elapsed_s: int
    warn_s: int
    due_at: datetime | None = None
    warn_at: datetime | None = None


@dataclass(slots=True)
class _Running:
    started_at: datetime
    spans: list[tuple[datetime, datetime]] = field(default_factory=list)


def clocks(history: Sequence[Stamped], desk: DeskRules, now: datetime) -> tuple[Clock, ...]:
    """First and latest next response, and resolution, as of `now`; none before the ticket was opened or where another took it in."""
    ticket: Ticket | None = None
    kept: dict[str, _Running] = {}
    ends = [*(after.at for _, after in pairwise(history)), now]
    for stamped, end in zip(history, ends, strict=True):
        if stamped.at > now:
            break
        ticket = fold(ticket, stamped)
        for name, started_at in _wanted(ticket):
            if name not in kept or kept[name].started_at != started_at:
                kept[name] = _Running(started_at)
            kept[name].spans.extend(_counting(ticket, stamped.at, min(end, now)))
    if ticket is None or ticket.merged_into:
        return ()
    return tuple(_clock(name, running, ticket, desk, now) for name, running in kept.items())


def due(history: Sequence[Stamped], desk: DeskRules, now: datetime) -> tuple[c.SlaWarning | c.SlaBreached, ...]:
    """What has to be said now and was not said yet; of a wait that is over its limit only that."""
    said = {_mark(stamped.change) for stamped in history if isinstance(stamped.change, c.SlaWarning | c.SlaBreached)}
    found = []
    for clock in clocks(history, desk, now):
        if (change := _telling(clock, desk)) and _mark(change) not in said:
            breached = (c.SlaBreached, clock.name, clock.started_at)
            if breached not in said:
                found.append(change)
    return tuple(found)


def next_look(history: Sequence[Stamped], desk: DeskRules, now: datetime) -> datetime | None:
    """When `due` will next have something to say, as things stand; None where nothing runs."""
    said = {_mark(stamped.change) for stamped in history if isinstance(stamped.change, c.SlaWarning | c.SlaBreached)}
    moments = []
    for clock in clocks(history, desk, now):
        if (c.SlaBreached, clock.name, clock.started_at) in said:
            continue
        if clock.warn_at and (c.SlaWarning, clock.name, clock.started_at) not in said:
            moments.append(clock.warn_at)
        elif clock.due_at:
            moments.append(clock.due_at)
    return min(moments, default=None)


def _mark(change: c.Change) -> tuple[type, str, datetime]:
    assert isinstance(change, c.SlaWarning | c.SlaBreached)
    return type(change), change.clock, change.started_at


def _telling(clock: Clock, desk: DeskRules) -> c.SlaWarning | c.SlaBreached | None:
    if clock.due_at is None:
        return None
    if clock.state is State.BREACHED:
        return c.SlaBreached(clock=clock.name, started_at=clock.started_at, due_at=clock.due_at)
    if clock.elapsed_s >= clock.warn_s:
        return c.SlaWarning(clock=clock.name, started_at=clock.started_at, due_at=clock.due_at)
    return None


def _wanted(ticket: Ticket) -> Iterable[tuple[str, datetime]]:
    """The clocks that are not over, by when their wait began."""
    if ticket.merged_into or ticket.status in _OVER:
        return
    yield RESOLUTION, ticket.opened_at
    if ticket.first_reply_at is None:
        if ticket.waiting_since is not None:
            yield FIRST, ticket.opened_at
    elif ticket.waiting_since is not None:
        yield NEXT, ticket.waiting_since


def _counting(ticket: Ticket, start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    """The part of a stretch without changes in which clocks run: a snooze may end within it."""
    if ticket.status in _HELD:
        return
    begins = max(start, ticket.snoozed_until) if ticket.snoozed_until else start
    if begins < end:
        yield begins, end


def _clock(name: str, running: _Running, ticket: Ticket, desk: DeskRules, now: datetime) -> Clock:
    week = desk.week_of(ticket.priority)
    limit = limit_s(name, ticket, desk)
    warn = round(limit * desk.content.sla.warn_at)
    elapsed = sum(week.seconds(start, end) for start, end in running.spans)
    wanted = (name, running.started_at) in _wanted(ticket)
    held = ticket.status in _HELD or bool(ticket.snoozed_until and ticket.snoozed_until > now)
    over = elapsed >= limit if wanted else elapsed > limit
    state = State.BREACHED if over else State.MET if not wanted else State.PAUSED if held else State.RUNNING
    ahead = wanted and not held
    return Clock(
        name=name,
        state=state,
        started_at=running.started_at,
        limit_s=limit,
        elapsed_s=elapsed,
        warn_s=warn,
        due_at=_moment(running, week, limit, elapsed, now) if ahead else None,
        warn_at=_moment(running, week, warn, elapsed, now) if ahead else None,
    )


def _moment(running: _Running, week: Week, seconds: int, elapsed: int, now: datetime) -> datetime:
    """When the counted time came to so much, or will."""
    if elapsed < seconds:
        return week.after(now, seconds - elapsed)
    left = seconds
    for start, end in running.spans:
        counted = week.seconds(start, end)
        if counted >= left:
            return week.after(start, left)
        left -= counted
    return now


def limit_s(name: str, ticket: Ticket, desk: DeskRules) -> int:
    """By priority, and the part of it that the ticket's tier was promised."""
    sla = desk.content.sla
    minutes: int = getattr(sla, name)[ticket.priority]
    return round(minutes * 60 * sla.tier.get(str(ticket.attributes.get("tier", "")), 1.0))
