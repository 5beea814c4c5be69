"""How new an answer is, and waiting a bounded time until it is new enough."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from harken.decide.policy import Policy
from harken.flow.desk import Desk
from harken.kit.clock import stopwatch

LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """`age_s`: from the customer's newest event to the moment asked for; None: there is none."""

    position: int  #: of the log, up to which everything is in the answer
    age_s: float | None
    lag_events: int  #: that wait in outside streams, whoever they concern
    lag_s: float  #: how long the stream that is furthest behind has stood
    degraded: bool = False  #: older than the policy allows, after the wait that it allows


def freshness(desk: Desk, position: int, at: datetime, last_seen_at: object, *, degraded: bool = False) -> Freshness:
    events, lag_s = _lag(desk)
    return Freshness(
        position=position,
        age_s=round(at.timestamp() - last_seen_at, 3) if isinstance(last_seen_at, int) else None,
        lag_events=events,
        lag_s=round(lag_s, 3),
        degraded=degraded,
    )


async def wait_until_fresh(desk: Desk, policy: Policy) -> bool:
    """False: what waits in outside streams is older than the policy allows, and no wait that it allows changed that."""
    waited = stopwatch()
    while (await asyncio.to_thread(_lag, desk))[1] > policy.limits.stale_after_s:
        if waited() >= policy.limits.wait_for_fresh_s:
            return False
        await asyncio.sleep(LOOK_EVERY_S)
    return True


def _lag(desk: Desk) -> tuple[int, float]:
    """(events that wait, seconds)."""
    backlog = desk.warehouse.backlog()
    if not backlog.events or backlog.moved_at is None:
        return 0, 0.0
    return backlog.events, max(0.0, (desk.bench.clock() - backlog.moved_at).total_seconds())
