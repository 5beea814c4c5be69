"""Something that was done -> the action that takes it back, ordered by a person, on the same path as any other.

undo   a lead's word -> limits, approval where its tier wants one, the ticket or the outbox, in one transaction
"""

from datetime import timedelta

from harken.act import plan as planning
from harken.act.approvals import NotYoursError, State, UnknownActionError
from harken.act.asked import store as asked
from harken.act.catalogue import ActionSpec
from harken.act.plan import Planned
from harken.act.plan import Weighed as Allowed
from harken.domain.profile import Value
from harken.domain.ticket import Ticket, TicketId
from harken.errors import RefusedError
from harken.flow import acting, sending
from harken.flow.act_desk import ActDesk
from harken.flow.acting import Cause, Done
from harken.flow.deciding import NotAllowedError, Person
from harken.kit import db
from harken.privacy.ring import KeyRing
from harken.tickets import store as tickets


class NothingUndoesError(RefusedError):
    """The catalogue has no action that takes this back."""


class NotDoneError(RefusedError):
    """This was not done, so there is nothing to take back."""


class TooLateError(RefusedError):
    """The time in which this could be taken back is over."""

    status = 410


def undo(id_: str, by: Person, desk: ActDesk) -> Done:
    """Asked for twice it is done once. Raises UnknownActionError and what stands above; nothing is done then."""
    with desk.database.transaction() as tx:
        row = asked.held(tx, id_)
        if row is None:
            raise UnknownActionError
        back = _back(row, by, desk)
        ticket = tickets.lock(tx, TicketId(row["ticket"]), KeyRing(desk.master))
        cause = Cause(ticket=ticket, id=f"undo:{id_}", proposer=by.who)
        if known := acting.before(tx, back.name, cause):
            return known
        [done] = acting.propose(tx, [_planned(tx, row, back, ticket, desk)], cause, desk)
        acting.record(tx, by.who, "undone", {**acting.told(row), "by": done.id}, desk)
        return done


def _back(row: db.Row, by: Person, desk: ActDesk) -> ActionSpec:
    spec = acting.spec_of(row["action"], desk)
    if not by.roles & set(spec.approvers):
        raise NotYoursError(f"{', '.join(spec.approvers)} may take this back.")
    if not spec.undo:
        raise NothingUndoesError
    if row["state"] != State.EXECUTED:
        raise NotDoneError
    if desk.clock() >= row["decided_at"] + timedelta(hours=spec.undo_within_h):
        raise TooLateError
    return acting.spec_of(spec.undo, desk)


def _planned(tx: db.Tx, row: db.Row, back: ActionSpec, ticket: Ticket, desk: ActDesk) -> Planned:
    """With those of the first one's arguments that this one knows. Whether the customer is who they say was looked at then."""
    leaving, _ = sending.opened(row, acting.place_of(row["id"]), desk)
    known = back.arguments.get("properties", {})
    arguments: dict[str, Value] = {name: value for name, value in leaving.arguments.items() if name in known}
    asked.take_turn(tx, row["subject"])
    spent = asked.spent(tx, row["subject"], desk.clock() - acting.DAY, [])
    found = planning.weighed(back, arguments, desk.catalogue, spent, verified=True, proposed=False)
    if not isinstance(found, Allowed):
        raise NotAllowedError(f"This cannot be taken back: {found}.")
    return planning.allowed(back, ticket, arguments, found, f"Takes back {row['action']}.")
