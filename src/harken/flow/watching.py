"""What the store says of itself -> the metrics that are looked up when somebody asks for the page."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from harken.act.outbox import store as outbox
from harken.act.outbox.store import State
from harken.audit import store as audit
from harken.domain.ticket import OwnerType
from harken.errors import TryAgainError
from harken.eventlog import store as eventlog
from harken.flow.desk import Desk, LiveDesk
from harken.intake.unusual import DAYS, Hour, unusual
from harken.kit import db, observe
from harken.kit.observe import Looked, Readings
from harken.profiles import store as profiles
from harken.tickets import store as tickets

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
KEPT = (DAYS + 1) * _DAY


def readings(desk: Desk) -> Readings:
    """A store that does not answer is a reading too. Nothing where events do not come one by one."""
    if desk.live is None:
        return {}
    try:
        return {observe.STORE_ANSWERS: {(): 1}, **_of_store(desk.live), **_of_audit(desk), **_of_tickets(desk)}
    except TryAgainError:
        return {observe.STORE_ANSWERS: {(): 0}}


def _of_store(desk: LiveDesk) -> dict[Looked, dict[tuple[str, ...], float]]:
    now = desk.clock()
    last = now.replace(minute=0, second=0, microsecond=0) - _HOUR
    with desk.database.transaction() as tx:
        eventlog.forget_hours(tx, last - KEPT)
        partitions = eventlog.partitions(tx)
        sources = eventlog.sources(tx)
        hours = _hours(eventlog.hours(tx, [last - day * _DAY for day in range(DAYS + 1)]))
        results = profiles.consistency(tx)
        leaving = outbox.waiting(tx)
    return {
        observe.CONSUMER_LAG: {(row["stream"], str(row["partition"])): row["waiting"] for row in partitions},
        observe.WATERMARK_LAG: _lags(sources, now),
        observe.SOURCE_UNUSUAL: _unusual(sources, hours, last),
        observe.CONSISTENCY: {(result,): number for result, number in results.items()},
        **_leaving(leaving, now),
    }


def _leaving(rows: Sequence[db.Row], now: datetime) -> dict[Looked, dict[tuple[str, ...], float]]:
    """What was given up no longer waits for a channel, only for a person."""
    dead = sum(row["number"] for row in rows if row["state"] == State.FAILED)
    pending = [row for row in rows if row["state"] != State.FAILED]
    oldest = max(((now - row["oldest"]).total_seconds() for row in pending), default=0.0)
    return {
        observe.OUTBOX_PENDING: {(row["state"],): row["number"] for row in pending},
        observe.OUTBOX_OLDEST: {(): oldest},
        observe.DEAD_LETTERS: {(): dead},
    }


def _of_tickets(desk: Desk) -> dict[Looked, dict[tuple[str, ...], float]]:
    if desk.live is None:
        return {}
    with desk.live.database.transaction() as tx:
        owners = tickets.open_by_owner(tx)
        inflight = desk.jobs_inflight(tx) if desk.jobs_inflight else None
    return {
        observe.TICKETS_OPEN: {(owner.value,): owners.get(owner.value, 0) for owner in OwnerType},
        **({} if inflight is None else {observe.JOBS_INFLIGHT: {(): inflight}}),
    }


def _of_audit(desk: Desk) -> dict[Looked, dict[tuple[str, ...], float]]:
    if desk.live is None or desk.open_audit is None:
        return {}
    with desk.live.database.transaction() as tx:
        events, age_s = audit.waiting(tx)
        newest = audit.newest(tx)
    verified = desk.open_audit().pins.last_verified()
    return {
        observe.AUDIT_UNSEALED: {(): events},
        observe.AUDIT_UNSEALED_AGE: {(): age_s},
        observe.AUDIT_TREE: {(): newest.size if newest else 0},
        observe.AUDIT_VERIFIED: {} if verified is None else {(): verified},
    }


def _lags(sources: Sequence[db.Row], now: datetime) -> dict[tuple[str, ...], float]:
    """Of several sources under one label, the one that is furthest behind."""
    found: dict[tuple[str, ...], float] = {}
    for row in sources:
        label = (observe.source_label(row["source"]),)
        found[label] = max(found.get(label, 0.0), (now - row["newest"]).total_seconds())
    return found


def _hours(rows: Sequence[db.Row]) -> dict[tuple[str, datetime], Hour]:
    found: dict[tuple[str, datetime], Hour] = {}
    for row in rows:
        there = found.get((row["source"], row["hour"]), Hour())
        kinds = {**there.kinds, row["kind"]: row["events"]}
        found[row["source"], row["hour"]] = Hour(kinds, there.slow + row["slow"])
    return found


def _unusual(
    sources: Sequence[db.Row], hours: Mapping[tuple[str, datetime], Hour], last: datetime
) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for row in sources:
        source = row["source"]
        days = [last - day * _DAY for day in range(1, DAYS + 1) if last - day * _DAY >= row["since"]]
        usual = [hours.get((source, day), Hour()) for day in days]
        for what, rings in unusual(hours.get((source, last), Hour()), usual).items():
            label = (observe.source_label(source), what)
            found[label] = max(found.get(label, 0), int(rings))
    return found
