"""`POST /predict_nba`: one customer -> the next best action, with everything that was weighed."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from harken.domain.decision import OutChannel
from harken.domain.ids import CustomerId
from harken.domain.profile import Value
from harken.flow import predict
from harken.flow.desk import Desk
from harken.flow.pool import Seat
from harken.flow.predict import Answer
from harken.flow.predicting import candidate_row
from harken.web.auth.principal import Asking
from harken.web.auth.reads import about
from harken.web.moments import Moment
from harken.web.profile_rights import refuse_elsewhere


class Question(BaseModel):
    customer_id: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
    as_of: Moment | None = None


class Weighed(BaseModel):
    action: str
    kept: bool
    stage: str
    rule: str
    because: str
    score: float | None


class Known(BaseModel):
    """How new what was looked at is. `degraded`: older than the policy allows, after the wait that it allows."""

    position: int
    age_s: float | None
    lag_events: int
    lag_s: float
    degraded: bool


class Advised(BaseModel):
    """No open conversation: channel `no_contact`, and what belongs to a decision is null or empty."""

    customer_id: str
    conversation_id: str | None
    channel: str
    message: str
    send_time: datetime | None
    reasoning: str
    issue_status: str | None
    decision_id: str | None
    rule: str | None
    candidates: list[Weighed]
    probability: float | None
    features: dict[str, Any]
    as_of: datetime
    profile_position: int
    mode: str | None
    freshness: Known


def router(desk: Desk, seat: Seat) -> APIRouter:
    routes = APIRouter(tags=["next best action"])

    @routes.post("/predict_nba", responses={404: {"description": "No event has ever mentioned this customer."}})
    async def predict_nba(question: Question, who: Asking, request: Request) -> Advised:
        """The next best action for the customer's most pressing open issue. The decision is recorded."""
        about(request.state, question.customer_id)
        await asyncio.to_thread(refuse_elsewhere, question.customer_id, who, desk, seat)
        return answered(await predict.ask(CustomerId(question.customer_id), seat, desk, question.as_of))

    return routes


def answered(answer: Answer) -> Advised:
    if answer.advice is None:
        return _nothing_open(answer)
    decision, draft = answer.advice.decision, answer.advice.draft
    return Advised(
        customer_id=decision.customer,
        conversation_id=decision.conversation,
        channel=decision.channel,
        message=draft.message,
        send_time=decision.send_at,
        reasoning=draft.reasoning,
        issue_status=decision.issue_status,
        decision_id=decision.id,
        rule=decision.rule,
        candidates=[Weighed.model_validate(candidate_row(candidate)) for candidate in decision.candidates],
        probability=decision.probability,
        features=_plain(decision.features),
        as_of=decision.as_of,
        profile_position=decision.profile_position,
        mode=draft.mode,
        freshness=Known.model_validate(asdict(answer.freshness)),
    )


def _nothing_open(answer: Answer) -> Advised:
    profile = answer.profile
    return Advised(
        customer_id=profile.customer,
        conversation_id=None,
        channel=OutChannel.NONE,
        message="",
        send_time=None,
        reasoning="No conversation is open: every issue of this customer is resolved.",
        issue_status=None,
        decision_id=None,
        rule=None,
        candidates=[],
        probability=None,
        features=_plain(profile.features),
        as_of=profile.as_of,
        profile_position=profile.position,
        mode=None,
        freshness=Known.model_validate(asdict(answer.freshness)),
    )


def _plain(features: Any) -> dict[str, Value]:
    return dict(features)
