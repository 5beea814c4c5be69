"""`POST /api/v1/events` and `/events/batch`: what sources send, one event or many, as Segment's libraries do."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from harken.errors import UnsuitableError
from harken.flow.arriving import Outcome, Receipt, Sent
from harken.flow.desk import Desk
from harken.flow.inbox import Inbox

BATCH = "/api/v1/events/batch"
MAX_BATCH_BYTES = 500_000
MAX_BATCH_EVENTS = 2_000
SOURCE = "api"
"""Whose events they are where no tracking plan names sources."""


class Told(BaseModel):
    """`position`: where the event is in the log; whoever asks for a profile with `min_position` sees it."""

    message_id: str
    outcome: str
    position: int | None
    reason: str | None
    detail: str


class ToldAll(BaseModel):
    accepted: int
    duplicates: int
    quarantined: int
    position: int | None
    results: list[Told]


async def _json(request: Request) -> Any:
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise HTTPException(400, "The body is not JSON.") from None


Body = Annotated[Any, Depends(_json)]


def router(desk: Desk, inbox: Inbox | None) -> APIRouter:
    routes = APIRouter(prefix="/api/v1", tags=["events"])

    async def kept(bodies: Sequence[Any], sent_at: Any = None) -> list[Receipt]:
        if inbox is None:
            raise UnsuitableError("This store takes files only: events one by one need PostgreSQL.")
        now = desk.bench.clock()
        return await inbox.put([Sent(body=_with(body, sent_at), source=SOURCE, received_at=now) for body in bodies])

    @routes.post("/events", status_code=202, responses={422: {"description": "Kept aside, with the reason."}})
    async def one(body: Body) -> Told:
        """One event. 202: it is in the log and in the profile, now."""
        [receipt] = await kept([body])
        if receipt.outcome is Outcome.QUARANTINED:
            raise HTTPException(422, f"Kept aside: {receipt.reason}. {receipt.detail}".strip())
        return _told(receipt)

    @routes.post("/events/batch", status_code=202)
    async def many(body: Body) -> ToldAll:
        """`{"batch": […], "sentAt": …}`: each event is told for itself, and the others do not suffer for one."""
        batch = body.get("batch") if isinstance(body, dict) else None
        if not isinstance(batch, list) or not batch:
            raise HTTPException(422, 'A batch looks like {"batch": [event, …]}.')
        if len(batch) > MAX_BATCH_EVENTS:
            raise HTTPException(413, f"A batch may have {MAX_BATCH_EVENTS:,} events at most.")
        return _told_all(await kept(batch, body.get("sentAt")))

    return routes


def _with(body: Any, sent_at: Any) -> Any:
    """A batch says once when it was sent."""
    return {"sentAt": sent_at, **body} if sent_at is not None and isinstance(body, dict) else body


def _told(receipt: Receipt) -> Told:
    return Told(
        message_id=receipt.id,
        outcome=receipt.outcome.value,
        position=receipt.position,
        reason=receipt.reason,
        detail=receipt.detail,
    )


def _told_all(receipts: Sequence[Receipt]) -> ToldAll:
    outcomes = [receipt.outcome for receipt in receipts]
    positions = [receipt.position for receipt in receipts if receipt.position is not None]
    return ToldAll(
        accepted=outcomes.count(Outcome.ACCEPTED),
        duplicates=outcomes.count(Outcome.DUPLICATE),
        quarantined=outcomes.count(Outcome.QUARANTINED),
        position=max(positions, default=None),
        results=[_told(receipt) for receipt in receipts],
    )
