"""`/api/v1/actions` and `/api/v1/outbox`: what waits for people, and what they say of it."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from harken.act.approvals import State, UnknownActionError
from harken.act.outbox.store import State as OutboxState
from harken.errors import RefusedError
from harken.flow import deciding, ticketing, undelivered, undoing
from harken.flow.act_desk import ActDesk
from harken.flow.deciding import Person, Shown
from harken.flow.desk import Desk
from harken.flow.undelivered import UnknownDeliveryError
from harken.web.auth.principal import Asking, Principal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEGINNING = (EPOCH, "")
_MICROSECOND = timedelta(microseconds=1)

Size = Annotated[int, Query(alias="page[size]", ge=1, le=100)]
After = Annotated[
    str | None,
    Query(
        alias="page[after]",
        description="Where the page before ended: take it from its `links.next`.",
        pattern=r"^[0-9]{1,17}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    ),
]


class NoActionsError(RefusedError):
    """This store takes in files only: nobody acts in it."""

    status = 404


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Word(_Strict):
    arguments_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Of the arguments as you were shown them."""


class Edited(_Strict):
    arguments: Annotated[dict[str, str | int | float | bool | None], Field(max_length=50)]


class Decision(_Strict):
    decision: Literal["delivered", "resend", "drop"]
    """It happened · send it (again) · leave it."""


class ActionView(BaseModel):
    id: UUID
    ticket: str
    action: str
    title: str
    arguments: dict[str, Any] | None
    """null: the customer was erased."""

    arguments_hash: str
    because: str
    state: State
    people: int
    approved_by: list[str]
    proposer: str
    proposed_at: datetime
    expires_at: datetime


class DeliveryView(BaseModel):
    id: UUID
    ticket: str
    action: str
    channel: str
    state: OutboxState
    tries: int
    enqueued_at: datetime
    error: str | None


class Links(BaseModel):
    next: str | None


class Meta(BaseModel):
    has_more: bool


class ActionPage(BaseModel):
    actions: list[ActionView]
    meta: Meta
    links: Links


class DeliveryPage(BaseModel):
    deliveries: list[DeliveryView]
    meta: Meta
    links: Links


class Told(BaseModel):
    id: UUID
    state: State
    arguments_hash: str


_CHOICES = {"delivered": OutboxState.DELIVERED, "resend": OutboxState.WAITING, "drop": OutboxState.DROPPED}


class Undone(BaseModel):
    """`id`: of the action that takes it back. `pending`: it waits for somebody's approval first."""

    id: UUID
    action: str
    state: State


class _Door:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _acts(self) -> ActDesk:
        if (acts := self._desk.acts) is None:
            raise NoActionsError
        return acts

    def _theirs(self, ticket: str, who: Principal) -> bool:
        """Whether the ticket that it is for is theirs to work on; whose jurisdictions nobody named works on all."""
        if not who.jurisdictions or self._desk.tickets is None:
            return True
        attributes = ticketing.found(ticket, self._desk.tickets).attributes
        return who.works_on(str(attributes.get("jurisdiction", "")))

    def _shown(self, id: UUID, who: Principal) -> Shown:
        """Raises UnknownActionError, also for one of another jurisdiction."""
        found = deciding.shown(str(id), self._acts())
        if not self._theirs(found.row["ticket"], who):
            raise UnknownActionError
        return found

    def actions(self, who: Asking, state: State = State.PENDING, size: Size = 50, after: After = None) -> ActionPage:
        """By when they were proposed, oldest first. A page has fewer where some are of another jurisdiction."""
        desk = self._acts()
        found = deciding.pending(desk, state, _place(after), size + 1)
        last = (found[size - 1].row["proposed_at"], found[size - 1].row["id"]) if len(found) > size else None
        views = [_view(each, desk) for each in found[:size] if self._theirs(each.row["ticket"], who)]
        return ActionPage(actions=views, **_rest(f"/api/v1/actions?state={state.value}", size, last))

    def action(self, id: UUID, who: Asking) -> ActionView:
        return _view(self._shown(id, who), self._acts())

    def undo(self, id: UUID, who: Asking) -> Undone:
        """What takes it back is done, or waits for a person where its own tier says so. Twice is once."""
        self._shown(id, who)
        done = undoing.undo(str(id), _person(who), self._acts())
        return Undone(id=UUID(done.id), action=done.action, state=State(done.state))

    def approve(self, id: UUID, word: Word, who: Asking) -> Told:
        """Bound to the exact arguments. `approved`: on its way; `pending`: a second person is needed."""
        self._shown(id, who)
        state = deciding.approve(str(id), _person(who), word.arguments_hash, self._acts())
        return Told(id=id, state=state, arguments_hash=word.arguments_hash)

    def deny(self, id: UUID, word: Word, who: Asking) -> Told:
        self._shown(id, who)
        state = deciding.deny(str(id), _person(who), word.arguments_hash, self._acts())
        return Told(id=id, state=state, arguments_hash=word.arguments_hash)

    def edit(self, id: UUID, edited: Edited, who: Asking) -> Told:
        """Other arguments: every approval before is void."""
        self._shown(id, who)
        digest = deciding.edit(str(id), _person(who), dict(edited.arguments), self._acts())
        return Told(id=id, state=State.PENDING, arguments_hash=digest)

    def outbox(
        self, who: Asking, state: OutboxState = OutboxState.IN_DOUBT, size: Size = 50, after: After = None
    ) -> DeliveryPage:
        """`in_doubt`, `failed` and `unconfigured` wait for people. A page has fewer where some are of another jurisdiction."""
        rows = undelivered.kept(self._acts(), state, _place(after), size + 1)
        last = (rows[size - 1]["enqueued_at"], rows[size - 1]["id"]) if len(rows) > size else None
        views = [DeliveryView.model_validate(row) for row in rows[:size] if self._theirs(row["ticket"], who)]
        return DeliveryPage(deliveries=views, **_rest(f"/api/v1/outbox?state={state.value}", size, last))

    def decide(self, id: UUID, decision: Decision, who: Asking) -> dict[str, str]:
        """A person who has looked says what became of it, or what is to be done."""
        if not self._theirs(undelivered.ticket_of(str(id), self._acts()), who):
            raise UnknownDeliveryError
        choice = _CHOICES[decision.decision]
        undelivered.decide(str(id), who.subject, choice, self._acts())
        return {"id": str(id), "state": choice.value}


def _person(who: Principal) -> Person:
    return Person(who=who.subject, roles=frozenset(role.value for role in who.roles))


def _view(each: Shown, desk: ActDesk) -> ActionView:
    row, spec = each.row, desk.catalogue.get(each.row["action"])
    names = ("id", "ticket", "action", "state", "people", "proposer", "proposed_at", "expires_at")
    return ActionView(
        **{name: row[name] for name in names},
        title=spec.title if spec else row["action"],
        arguments=dict(each.message.arguments) if each.message else None,
        arguments_hash=each.waiting.arguments_hash,
        because=each.because,
        approved_by=sorted(each.waiting.yes),
    )


def _rest(path: str, size: int, last: tuple[datetime, str] | None) -> dict[str, Any]:
    if last is None:
        return {"meta": Meta(has_more=False), "links": Links(next=None)}
    cursor = f"{(last[0] - EPOCH) // _MICROSECOND}.{last[1]}"
    return {"meta": Meta(has_more=True), "links": Links(next=f"{path}&page[size]={size}&page[after]={cursor}")}


def _place(cursor: str | None) -> tuple[datetime, str]:
    if cursor is None:
        return BEGINNING
    at, _, id_ = cursor.partition(".")
    return EPOCH + int(at) * _MICROSECOND, id_


def router(desk: Desk) -> APIRouter:
    routes, door = APIRouter(prefix="/api/v1", tags=["actions"]), _Door(desk)
    routes.add_api_route("/actions", door.actions)
    routes.add_api_route("/actions/{id}", door.action)
    routes.add_api_route("/actions/{id}/approve", door.approve, methods=["POST"])
    routes.add_api_route("/actions/{id}/deny", door.deny, methods=["POST"])
    routes.add_api_route("/actions/{id}/undo", door.undo, methods=["POST"])
    routes.add_api_route("/actions/{id}/arguments", door.edit, methods=["PUT"])
    routes.add_api_route("/outbox", door.outbox)
    routes.add_api_route("/outbox/{id}/decide", door.decide, methods=["POST"])
    return routes
