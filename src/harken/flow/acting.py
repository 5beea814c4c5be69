"""What a writer proposed for a ticket -> done at once, on its way, put to people, or refused. All in the caller's transaction.

plan     proposals -> what becomes of each            limits hold across everything that is decided at the same time
propose  what was planned -> rows, changes of the ticket, the outbox
order    the same for what a rule or a person wants
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

from harken.act import plan as planning
from harken.act.approvals import State
from harken.act.asked import store as asked
from harken.act.asked.store import Asked
from harken.act.catalogue import ActionSpec, Executor
from harken.act.plan import Answer, Planned
from harken.act.ports import Message
from harken.domain.decision import Live
from harken.domain.proposal import Proposal
from harken.domain.ticket import Ticket
from harken.errors import RefusedError, UnsuitableError
from harken.flow import sending
from harken.flow.act_desk import ActDesk
from harken.flow.sending import Why
from harken.kit import db, observe
from harken.privacy import store as vault

DAY = timedelta(hours=24)
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What the proposals were made for."""

    ticket: Ticket
    id: str  #: of the event or decision: proposed twice for the same, it is proposed once
    proposer: str = "ai"
    live: Live | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one proposal."""

    action: str
    state: str  #: `refused`, `pending`, `approved` (on its way) or `executed`
    id: str = ""
    reason: str = ""


def plan(tx: db.Tx, proposals: Sequence[Proposal], cause: Cause, desk: ActDesk) -> tuple[Planned, ...]:
    """Holds the customer's turn until the transaction ends: two drafts at once share what a day allows."""
    customer = cause.ticket.customer
    asked.take_turn(tx, customer)
    before = [_id(cause, each.action, place) for each, place in _places(proposals)]
    spent = asked.spent(tx, customer, desk.clock() - DAY, before)
    return planning.plan(proposals, cause.ticket, cause.live, desk.catalogue, spent)


def order(tx: db.Tx, wanted: Proposal, cause: Cause, desk: ActDesk) -> Done:
    """What a rule or a person orders: also what no writer may propose. Limits and approvals hold all the same."""
    customer = cause.ticket.customer
    asked.take_turn(tx, customer)
    spent = asked.spent(tx, customer, desk.clock() - DAY, [_id(cause, wanted.action, 0)])
    return propose(tx, [planning.ordered(wanted, cause.ticket, cause.live, desk.catalogue, spent)], cause, desk)[0]


def was_ordered(tx: db.Tx, action: str, cause: Cause) -> bool:
    """Whether this was done, or is on its way, for the same cause."""
    return before(tx, action, cause) is not None


def before(tx: db.Tx, action: str, cause: Cause) -> Done | None:
    """What became of it, where it was ordered for the same cause."""
    id_ = _id(cause, action, 0)
    row = asked.find(tx, id_)
    return Done(action=action, state=row["state"], id=id_) if row else None


def propose(tx: db.Tx, planned: Sequence[Planned], cause: Cause, desk: ActDesk) -> tuple[Done, ...]:
    """One answer for each, in order. What needs nobody is done or on its way when the transaction is committed."""
    return tuple(_proposed(tx, each, place, cause, desk) for each, place in _places(planned))


def _proposed(tx: db.Tx, planned: Planned, place: int, cause: Cause, desk: ActDesk) -> Done:
    if planned.answer is Answer.REFUSED:
        return _refused(tx, planned.action, planned.reason, cause, desk)
    spec = spec_of(planned.action, desk)
    leaving = sending.message(spec, cause.ticket, planned.arguments, author=cause.proposer, at=desk.clock())
    row = _row(tx, _id(cause, planned.action, place), planned, leaving, cause, desk)
    if not asked.add(tx, row):
        found = asked.find(tx, row.id)
        assert found is not None
        return Done(action=spec.name, state=found["state"], id=row.id)
    record(tx, cause.proposer, "proposed", _body(row), desk)
    if planned.answer is Answer.NEEDS_APPROVAL:
        desk.ask_person(tx, cause.ticket.id, "needs_approval")
        return Done(action=spec.name, state=State.PENDING, id=row.id)
    return carried_out(tx, row.id, spec, leaving, cause.proposer, desk)


def _refused(tx: db.Tx, action: str, reason: str, cause: Cause, desk: ActDesk) -> Done:
    record(tx, cause.proposer, REFUSED, {"action": action, "ticket": cause.ticket.id, "reason": reason}, desk)
    return Done(action=action, state=REFUSED, reason=reason)


_Either = TypeVar("_Either", Proposal, Planned)


def _places(several: Sequence[_Either]) -> list[tuple[_Either, int]]:
    """Each with how many of its action come before it."""
    seen = Counter[str]()
    placed = []
    for each in several:
        placed.append((each, seen[each.action]))
        seen[each.action] += 1
    return placed


def _id(cause: Cause, action: str, place: int) -> str:
    """By its place, not by its arguments: a second draft for the same cause takes the place of the first, and adds nothing."""
    return str(uuid5(NAMESPACE_URL, f"harken:action:{cause.ticket.id}:{cause.id}:{action}:{place}"))


def _row(tx: db.Tx, id_: str, planned: Planned, leaving: Message, cause: Cause, desk: ActDesk) -> Asked:
    wrapped = vault.keys(tx, desk.master, [leaving.customer])[leaving.customer]
    spec = spec_of(planned.action, desk)
    return Asked(
        id=id_,
        ticket=leaving.ticket,
        subject=leaving.customer,
        cause=cause.id,
        action=planned.action,
        sealed=sending.sealed(leaving, wrapped, place_of(id_), desk, planned.because),
        arguments_hash=sending.arguments_hash(leaving, wrapped, desk),
        amount_minor=planned.amount_minor,
        currency=planned.currency,
        people=planned.people,
        state=State.PENDING if planned.people else State.APPROVED,
        proposer=cause.proposer,
        proposed_at=leaving.at,
        expires_at=leaving.at + timedelta(hours=spec.expires_after_h),
    )


def carried_out(tx: db.Tx, id_: str, spec: ActionSpec, leaving: Message, who: str, desk: ActDesk) -> Done:
    """In the transaction that allowed it: the ticket changes now, everything else is on its way."""
    if spec.executor is not Executor.TICKET:
        sending.enqueue(tx, leaving, Why(cause=id_, proposal=id_), desk)
        return Done(action=spec.name, state=State.APPROVED, id=id_)
    body = {"proposal": id_, "action": spec.name, "ticket": leaving.ticket}
    try:
        with tx.transaction():  # a savepoint: what the ticket refuses leaves the rest as it is
            desk.ticket_actions(tx, leaving.ticket, spec.name, leaving.arguments)
    except RefusedError as refused:
        asked.turn_to(tx, id_, State.FAILED, [State.APPROVED], desk.clock())
        record(tx, who, State.FAILED, body, desk)
        return Done(action=spec.name, state=State.FAILED, id=id_, reason=type(refused).__name__)
    asked.turn_to(tx, id_, State.EXECUTED, [State.APPROVED], desk.clock())
    record(tx, who, State.EXECUTED, body, desk)
    return Done(action=spec.name, state=State.EXECUTED, id=id_)


def spec_of(name: str, desk: ActDesk) -> ActionSpec:
    spec = desk.catalogue.get(name)
    if spec is None:
        raise UnsuitableError(f"The catalogue has no action {name} any more. Nothing was done.")
    return spec


def place_of(id_: str) -> str:
    return f"action {id_}"


def _body(row: Asked) -> dict[str, Any]:
    return {"proposal": row.id, "action": row.action, "ticket": row.ticket, "arguments_hash": row.arguments_hash.hex(), "people": row.people}  # fmt: skip


def told(row: db.Row) -> dict[str, Any]:
    return {"proposal": row["id"], "action": row["action"], "ticket": row["ticket"], "arguments_hash": row["arguments_hash"].hex()}  # fmt: skip


def record(tx: db.Tx, who: str, what: str, body: dict[str, Any], desk: ActDesk) -> None:
    desk.record(tx, who, f"action.{what}", body)
    observe.add(observe.ACTIONS, action=body["action"], state=what)
