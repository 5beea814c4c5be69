"""What could not be delivered -> shown to people, and what they decide of it."""

from datetime import datetime

from harken.act import approvals
from harken.act.asked import store as asked
from harken.act.outbox import store as outbox
from harken.act.outbox.store import State
from harken.errors import RefusedError
from harken.flow.act_desk import ActDesk
from harken.flow.delivering import follow
from harken.kit import db


class UnknownDeliveryError(RefusedError):
    """There is nothing of this id in the outbox."""

    status = 404


_MAY_BECOME = {
    State.IN_DOUBT: (State.DELIVERED, State.WAITING, State.DROPPED),
    State.FAILED: (State.DELIVERED, State.WAITING, State.DROPPED),
    State.UNCONFIGURED: (State.WAITING, State.DROPPED),
    State.WAITING: (State.DROPPED,),
}


def decide(id_: str, who: str, choice: State, desk: ActDesk) -> None:
    """`choice`: DELIVERED (it happened), WAITING (send it, again if need be) or DROPPED. Raises UnknownDeliveryError, RefusedError where it is not theirs to decide (any more)."""
    now = desk.clock()
    with desk.database.transaction() as tx:
        row = outbox.one(tx, id_)
        if row is None:
            raise UnknownDeliveryError
        state = State(row["state"])
        if choice not in _MAY_BECOME.get(state, ()):
            raise RefusedError(f"It is {state.value}: that is nothing to decide.")
        if state is State.IN_DOUBT and row["leased_until"] is not None and row["leased_until"] > now:
            raise RefusedError("Somebody is sending it just now: look again in a minute.")
        outbox.decide(tx, id_, choice, now)
        if choice is State.WAITING:
            if row["proposal"]:
                undone = [approvals.State.IN_DOUBT, approvals.State.FAILED]
                asked.turn_to(tx, row["proposal"], approvals.State.APPROVED, undone, now)
            desk.record(tx, who, "action.resent", {"outbox": id_, "ticket": row["ticket"], "action": row["action"]})
        else:
            follow(tx, row, choice, desk, who)


def retry_unconfigured(desk: ActDesk) -> None:
    """When a process starts: somebody may have said meanwhile how a channel is reached."""
    with desk.database.transaction() as tx:
        outbox.retry_unconfigured(tx, desk.clock())


def ticket_of(id_: str, desk: ActDesk) -> str:
    """Raises UnknownDeliveryError."""
    with desk.database.transaction() as tx:
        row = outbox.one(tx, id_)
    if row is None:
        raise UnknownDeliveryError
    return str(row["ticket"])


def kept(desk: ActDesk, state: State, after: tuple[datetime, str], most: int) -> list[db.Row]:
    """What people look at, by when it was decided."""
    with desk.database.transaction() as tx:
        return outbox.page(tx, state, after, most)
