"""`POST /api/v1/events` and `/events/batch`: what sources send, one event or many, as Segment's libraries do."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from harken.errors import UnsuitableError
from harken.flow.arriving import Outcome, Receipt
from harken.flow.desk import Desk
from harken.flow.door import Sent
from harken.flow.inbox import Inbox
from harken.web.sources import LOCAL, Senders

BATCH = "/api/v1/events/batch"
MAX_BATCH_BYTES = 500_000
MAX_BATCH_EVENTS = 2_000


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
    refused: int
    position: int | None
    results: list[Told]


async def _json(request: Request) -> Any:
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise HTTPException(400, "The body is not JSON.") from None


Body = Annotated[Any, Depends(_json)]

_EVENT = {
    "type": "object",
    "description": "Which types there are and what each needs is in the registry: `harken schema list`.",
    "required": ["type", "messageId"],
    "properties": {
        "type": {"type": "string", "minLength": 1, "examples": ["message"]},
        "messageId": {"type": "string", "minLength": 1},
    },
    "additionalProperties": True,
}
_BATCH = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {
            "type": "array",
            "minItems": 1,
            "items": {"description": "As one event; each is told for itself. Two thousand at most."},
        },
        "sentAt": {"description": "When it was sent, by the sender's clock."},
    },
    "additionalProperties": True,
}


def _takes(schema: dict[str, Any]) -> dict[str, Any]:
    """The body is read by hand: a schema's look at two thousand events would cost more than taking them in."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


class _Door:
    def __init__(self, desk: Desk, inbox: Inbox | None) -> None:
        self._clock, self._inbox = desk.bench.clock, inbox
        self._senders = Senders(desk.live.open_door().plan if desk.live else None)

    async def one(self, request: Request, body: Body) -> Told:
        """One event. 202: it is in the log and in the profile, now."""
        [receipt] = await self._kept(request, body, [body])
        if receipt.outcome is Outcome.QUARANTINED:
            raise HTTPException(422, f"Kept aside: {receipt.reason}. {receipt.detail}".strip())
        if receipt.outcome is Outcome.REFUSED:
            raise HTTPException(403, f"Not kept: {receipt.reason}. {receipt.detail}".strip())
        return _told(receipt)

    async def many(self, request: Request, body: Body) -> ToldAll:
        """`{"batch": […], "sentAt": …}`: each event is told for itself, and the others do not suffer for one."""
        batch = body.get("batch") if isinstance(body, dict) else None
        if not isinstance(batch, list) or not batch:
            raise HTTPException(422, 'A batch looks like {"batch": [event, …]}.')
        if len(batch) > MAX_BATCH_EVENTS:
            raise HTTPException(413, f"A batch may have {MAX_BATCH_EVENTS:,} events at most.")
        return _told_all(await self._kept(request, body, batch, body.get("sentAt")))

    async def _kept(self, request: Request, body: Any, events: Sequence[Any], sent_at: Any = None) -> list[Receipt]:
        if self._inbox is None:
            raise UnsuitableError("This store takes files only: events one by one need PostgreSQL.")
        rules = self._senders.sender(request, body)
        self._senders.take(rules, len(events))
        name, now = rules.name if rules else LOCAL, self._clock()
        return await self._inbox.put(
            [Sent(body=_with(each, sent_at), source=name, received_at=now, rules=rules) for each in events]
        )


def router(desk: Desk, inbox: Inbox | None) -> APIRouter:
    routes = APIRouter(prefix="/api/v1", tags=["events"])
    door = _Door(desk, inbox)
    told: dict[int | str, dict[str, Any]] = {
        401: {"description": "No write key of the tracking plan."},
        422: {"description": "Kept aside, with the reason."},
        429: {"description": "More than the tracking plan allows this source."},
    }
    add = partial(routes.add_api_route, methods=["POST"], status_code=202, responses=told)
    add("/events", door.one, openapi_extra=_takes(_EVENT))
    add("/events/batch", door.many, openapi_extra=_takes(_BATCH))
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
        refused=outcomes.count(Outcome.REFUSED),
        position=max(positions, default=None),
        results=[_told(receipt) for receipt in receipts],
    )
