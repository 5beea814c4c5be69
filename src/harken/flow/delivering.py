"""What is to leave -> carried by its channel, once: claim, send, receipt. No transaction is open during a call.

A channel that takes a key is simply tried again with the same one. For a channel that does not, the row says `in_doubt`
before the call: whoever finds it so asks the other side, and where that cannot say, a person decides. Nothing is ever
sent a second time because nobody knew about the first.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from harken.act import approvals
from harken.act.asked import store as asked
from harken.act.catalogue import Effect, Executor
from harken.act.outbox import store as outbox
from harken.act.outbox.store import Claim, Settled, State
from harken.act.ports import (
    Finder,
    Message,
    NotSentError,
    RejectedError,
    Sender,
    UnconfiguredError,
    UnknownOutcomeError,
)
from harken.errors import RefusedError
from harken.flow import sending
from harken.flow.act_desk import ActDesk
from harken.kit import db, observe
from harken.kit.log import logger
from harken.privacy.keys import WrongKeyError
from harken.privacy.sealing import ErasedError

LEASE = timedelta(seconds=60)
"""Longer than any sender takes: each has a deadline of its own."""

MOST_TRIES = 8
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
UNKNOWN = "unknown"
"""What an error begins with while it may have happened."""

log = logger(__name__)

_OF_PROPOSAL = {
    State.DELIVERED: approvals.State.EXECUTED,
    State.FAILED: approvals.State.FAILED,
    State.DROPPED: approvals.State.FAILED,
    State.IN_DOUBT: approvals.State.IN_DOUBT,
}
_ASKS = {State.FAILED: "undeliverable", State.IN_DOUBT: "in_doubt", State.UNCONFIGURED: "unconfigured"}


class UnknownDeliveryError(RefusedError):
    """There is nothing of this id in the outbox."""

    status = 404


def deliver(desk: ActDesk, lease: timedelta = LEASE) -> bool:
    """One step further; False: nothing is due. Any number of processes may call it at once."""
    now = desk.clock()
    with desk.database.transaction() as tx:
        held = outbox.claim(tx, now, now + lease)
    if held is None:
        return _reconcile(desk, lease)
    message = _message(held, desk)
    if isinstance(message, Settled):
        _settle(held, message, desk)
    elif held.effect == Effect.TRANSACTIONAL:
        _write(held, message, desk)
    else:
        _send(held, message, desk, lease)
    return True


def _message(held: Claim, desk: ActDesk) -> Message | Settled:
    """What is to be sent, exactly as it was allowed; or that it must not be."""
    now = desk.clock()
    if held.tries > MOST_TRIES:
        return _given_up(held, now, "tried too often")
    try:
        message = sending.claimed(held, desk)
    except (ErasedError, WrongKeyError):
        return Settled(state=State.FAILED, at=now, error="erased: the customer's key was destroyed")
    if held.arguments_hash is not None:
        assert held.wrapped is not None
        if sending.arguments_hash(message, held.wrapped, desk) != bytes(held.arguments_hash):
            return Settled(state=State.FAILED, at=now, error="changed: these are not the arguments that were approved")
    spec = desk.catalogue.get(held.action)
    if spec is None:
        return Settled(
            state=State.UNCONFIGURED, at=now, error="unconfigured: the catalogue has no such action any more"
        )
    return replace(message, url=spec.url)


def _write(held: Claim, message: Message, desk: ActDesk) -> None:
    """The effect is a row of our own, so it is there with its receipt or not at all."""
    assert held.channel == Executor.SCHEDULE_CALL, held.channel
    now = desk.clock()
    at = message.arguments.get("at")
    call_at = datetime.fromisoformat(str(at)) if at else None
    with desk.database.transaction() as tx:
        if _settled(tx, held, Settled(state=State.DELIVERED, at=now, receipt="call_task"), desk):
            outbox.add_call(tx, held, call_at, now)


def _send(held: Claim, message: Message, desk: ActDesk, lease: timedelta) -> None:
    sender = desk.senders.get(held.channel)
    if sender is None:
        return _settle(held, _unconfigured(desk), desk)
    if held.effect == Effect.UNKEYED and not _begun(held, desk, lease):
        return None
    return _settle(held, _tried(held, message, sender, desk), desk)


def _begun(held: Claim, desk: ActDesk, lease: timedelta) -> bool:
    with desk.database.transaction() as tx:
        if outbox.begin_unkeyed(tx, held, desk.clock() + lease):
            return True
    observe.add(observe.LEASE_FENCED)
    return False


def _tried(held: Claim, message: Message, sender: Sender, desk: ActDesk) -> Settled:
    try:
        receipt = sender.send(message, held.id)
    except NotSentError as later:
        return _again(held, desk.clock(), later)
    except RejectedError as never:
        return _rejected(held, desk.clock(), never)
    except UnconfiguredError:
        return _unconfigured(desk)
    except UnknownOutcomeError as unknown:
        return _unknown(held, message, sender, unknown, desk)
    return Settled(state=State.DELIVERED, at=desk.clock(), receipt=receipt.reference)


def _unconfigured(desk: ActDesk) -> Settled:
    return Settled(state=State.UNCONFIGURED, at=desk.clock(), error="unconfigured: nobody has said how this is reached")


def _again(held: Claim, now: datetime, later: NotSentError) -> Settled:
    if held.tries >= MOST_TRIES:
        return _given_up(held, now, str(later))
    wait = timedelta(seconds=later.after_s) if later.after_s is not None else _wait(held.tries)
    error = held.error if _may_have_happened(held) else f"not sent: {later}"
    return Settled(state=State.WAITING, at=now, next_at=now + min(wait, LONGEST_WAIT), error=error)


def _wait(tries: int) -> timedelta:
    doubled: int = 2 ** min(tries - 1, 20)
    return min(FIRST_WAIT * doubled, LONGEST_WAIT)


def _may_have_happened(held: Claim) -> bool:
    return (held.error or "").startswith(UNKNOWN)


def _given_up(held: Claim, now: datetime, why: str) -> Settled:
    if _may_have_happened(held):
        return Settled(state=State.IN_DOUBT, at=now, error=held.error)
    return Settled(state=State.FAILED, at=now, error=f"given up: {why}")


def _rejected(held: Claim, now: datetime, never: RejectedError) -> Settled:
    """Where an earlier try may have happened, a later refusal does not say that it did not."""
    if _may_have_happened(held):
        return Settled(state=State.IN_DOUBT, at=now, error=held.error)
    return Settled(state=State.FAILED, at=now, error=f"rejected: {never}")


def _unknown(held: Claim, message: Message, sender: Sender, unknown: UnknownOutcomeError, desk: ActDesk) -> Settled:
    now, error = desk.clock(), f"{UNKNOWN}: {unknown}"
    if held.effect == Effect.KEYED and held.tries < MOST_TRIES:
        return Settled(state=State.WAITING, at=now, next_at=now + _wait(held.tries), error=error)
    if isinstance(sender, Finder):
        return _asked(held, message, sender, desk, error)
    return Settled(state=State.IN_DOUBT, at=now, error=error)


def _asked(held: Claim, message: Message, finder: Finder, desk: ActDesk, error: str) -> Settled:
    """What the other side says became of the key."""
    now = desk.clock()
    try:
        found = finder.find(message, held.id)
    except (UnknownOutcomeError, NotSentError):
        return Settled(state=State.IN_DOUBT, at=now, error=error)
    if found is not None:
        return Settled(state=State.DELIVERED, at=now, receipt=found.reference)
    if held.tries >= MOST_TRIES:
        return Settled(state=State.FAILED, at=now, error="given up: the other side never got it")
    return Settled(
        state=State.WAITING, at=now, next_at=now + _wait(held.tries), error="not sent: as the other side says"
    )


def _reconcile(desk: ActDesk, lease: timedelta) -> bool:
    """What somebody began and never settled: the other side is asked, or a person."""
    now, askable = desk.clock(), [name for name, sender in desk.senders.items() if isinstance(sender, Finder)]
    with desk.database.transaction() as tx:
        held = outbox.claim_doubtful(tx, askable, now, now + lease) if askable else None
    if held is None:
        return _left_to_people(askable, desk)
    message = _message(held, desk)
    if isinstance(message, Settled):
        _settle(held, message, desk)
        return True
    finder = desk.senders[held.channel]
    assert isinstance(finder, Finder)
    _settle(held, _asked(held, message, finder, desk, f"{UNKNOWN}: whoever sent it stopped midway"), desk)
    return True


def _left_to_people(askable: list[str], desk: ActDesk) -> bool:
    with desk.database.transaction() as tx:
        row = outbox.abandoned(tx, askable, desk.clock())
        if row is not None:
            _follow(tx, row, State.IN_DOUBT, desk)
    return row is not None


def _settle(held: Claim, how: Settled, desk: ActDesk) -> None:
    with desk.database.transaction() as tx:
        _settled(tx, held, how, desk)


def _settled(tx: db.Tx, held: Claim, how: Settled, desk: ActDesk) -> bool:
    """False: another worker has it meanwhile, and says what came of it."""
    if not outbox.settle(tx, held, how):
        observe.add(observe.LEASE_FENCED)
        return False
    observe.add(observe.OUTBOX_SENT, channel=held.channel, outcome=how.state.value)
    if how.state is not State.WAITING and not (how.state is State.UNCONFIGURED and how.error == held.error):
        row = {"id": held.id, "ticket": held.ticket, "proposal": held.proposal, "action": held.action, "channel": held.channel}  # fmt: skip
        _follow(tx, row, how.state, desk)
    return True


def _follow(tx: db.Tx, row: Mapping[str, Any], state: State, desk: ActDesk, who: str = "outbox") -> None:
    """What the end of a delivery means for its proposal, the audit and people."""
    if reason := _ASKS.get(state):
        desk.ask_person(tx, row["ticket"], reason)
        log.warning("delivery_waits_for_a_person", outbox=row["id"], channel=row["channel"], reason=reason)
    after = _OF_PROPOSAL.get(state)
    if after is None:
        return
    if row["proposal"]:
        before = [approvals.State.APPROVED, approvals.State.IN_DOUBT, approvals.State.FAILED]
        asked.turn_to(tx, row["proposal"], after, before, desk.clock())
    body = {"outbox": row["id"], "ticket": row["ticket"], "action": row["action"], "channel": row["channel"], "proposal": row["proposal"]}  # fmt: skip
    desk.record(tx, who, f"action.{after}", body)
    observe.add(observe.ACTIONS, action=row["action"], state=after.value)


# What people decide of it


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
            _follow(tx, row, choice, desk, who)


def retry_unconfigured(desk: ActDesk) -> None:
    """When a process starts: somebody may have said meanwhile how a channel is reached."""
    with desk.database.transaction() as tx:
        outbox.retry_unconfigured(tx, desk.clock())


def kept(desk: ActDesk, state: State, after: tuple[datetime, str], most: int) -> list[db.Row]:
    """What people look at, by when it was decided."""
    with desk.database.transaction() as tx:
        return outbox.page(tx, state, after, most)
