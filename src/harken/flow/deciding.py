"""What waits for people -> shown to them, and what they say: bound to the exact arguments, used once, in time.

approve  a word -> the outbox, or the ticket, in one transaction
deny     a word -> nothing is done
edit     other arguments -> every word before is void
expire   what nobody decided in time
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from harken.act import approvals
from harken.act import plan as planning
from harken.act.approvals import State, UnknownActionError, Waiting, Word
from harken.act.asked import store as asked
from harken.act.asked.store import Edit
from harken.act.ports import Message
from harken.errors import RefusedError
from harken.flow import acting, sending
from harken.flow.act_desk import ActDesk
from harken.kit import db
from harken.privacy.keys import WrongKeyError
from harken.privacy.sealing import ErasedError

MOST_EXPIRED = 500
"""In one transaction."""


class NotAllowedError(RefusedError):
    """Nobody may do this with these arguments."""

    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who decides."""

    who: str
    roles: frozenset[str]


def approve(id_: str, by: Person, arguments_hash: str, desk: ActDesk) -> State:
    """APPROVED when it is on its way, PENDING while a second person is needed. Raises what `act.approvals` names."""
    return _said(id_, by, arguments_hash, desk, approved=True)


def deny(id_: str, by: Person, arguments_hash: str, desk: ActDesk) -> State:
    return _said(id_, by, arguments_hash, desk, approved=False)


def _said(id_: str, by: Person, arguments_hash: str, desk: ActDesk, *, approved: bool) -> State:
    now = desk.clock()
    with desk.database.transaction() as tx:
        row = _held(tx, id_)
        before = waiting_of(row, asked.words(tx, [id_]).get(id_, ()), desk)
        word = Word(who=by.who, role=_role(by, before), approved=approved, arguments_hash=arguments_hash, at=now)
        after = approvals.said(before, word)
        # Before the word is kept: of somebody whose key is gone nothing is approved any more.
        leaving, _ = sending.opened(row, acting.place_of(id_), desk)
        asked.add_word(tx, id_, word)
        acting.record(tx, by.who, "approved" if approved else "denied", {**acting.told(row), "role": word.role}, desk)
        if after.state is State.PENDING:
            return after.state
        asked.turn_to(tx, id_, after.state, [State.PENDING], now)
        if after.state is State.APPROVED:
            done = acting.carried_out(
                tx, id_, acting.spec_of(row["action"], desk), replace(leaving, at=now), by.who, desk
            )
            return State(done.state)
        return after.state


def _role(by: Person, waiting: Waiting) -> str:
    """The one of theirs that may decide this, if any."""
    return next((role for role in waiting.approvers if role in by.roles), min(by.roles, default="nobody"))


def edit(id_: str, by: Person, arguments: dict[str, Any], desk: ActDesk) -> str:
    """Other arguments, under the same limits; their hash, to which nobody has said anything. Returns it.

    Raises RefusedError with what is wrong with them, and what `act.approvals` names.
    """
    now = desk.clock()
    with desk.database.transaction() as tx:
        row = _held(tx, id_)
        waiting = waiting_of(row, (), desk)
        approvals.open_at(waiting, now)
        if not by.roles & set(waiting.approvers):
            raise approvals.NotYoursError
        leaving, because = sending.opened(row, acting.place_of(id_), desk)
        asked.take_turn(tx, row["subject"])
        spent = asked.spent(tx, row["subject"], now - acting.DAY, [id_])
        spec = acting.spec_of(row["action"], desk)
        # That the customer is verified was looked at when it was proposed.
        found = planning.weighed(spec, arguments, desk.catalogue, spent, verified=True, proposed=False)
        if isinstance(found, str):
            raise NotAllowedError(f"This cannot be done: {found}.")
        changed = replace(leaving, arguments=arguments)
        digest = sending.arguments_hash(changed, row["wrapped"], desk)
        sealed = sending.sealed(changed, row["wrapped"], acting.place_of(id_), desk, because)
        people = max(found.people, row["people"])
        new = Edit(sealed=sealed, arguments_hash=digest, amount_minor=found.amount_minor, currency=found.currency, people=people)  # fmt: skip
        asked.edit(tx, id_, new)
        acting.record(tx, by.who, "edited", {**acting.told(row), "arguments_hash": digest.hex()}, desk)
        return digest.hex()


def expire(desk: ActDesk) -> int:
    """How many were open for too long; nobody can approve them any more."""
    now = desk.clock()
    with desk.database.transaction() as tx:
        overdue = asked.overdue(tx, now, MOST_EXPIRED)
        for row in overdue:
            asked.turn_to(tx, row["id"], State.EXPIRED, [State.PENDING], now)
            acting.record(tx, "clock", State.EXPIRED, acting.told(row), desk)
    return len(overdue)


def waiting_of(row: db.Row, words: Sequence[Word], desk: ActDesk) -> Waiting:
    """Who may decide is what the catalogue says now; nobody, where the action is gone from it."""
    spec = desk.catalogue.get(row["action"])
    return Waiting(
        arguments_hash=row["arguments_hash"].hex(),
        people=row["people"],
        proposer=row["proposer"],
        approvers=spec.approvers if spec else (),
        state=State(row["state"]),
        expires_at=row["expires_at"],
        words=tuple(words),
    )


def _held(tx: db.Tx, id_: str) -> db.Row:
    row = asked.held(tx, id_)
    if row is None:
        raise UnknownActionError
    return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A proposal as people see it."""

    row: db.Row
    message: Message | None  #: None: the customer was erased
    because: str
    waiting: Waiting


def pending(desk: ActDesk, state: State, after: tuple[datetime, str], most: int) -> list[Shown]:
    """By when they were proposed, oldest first."""
    with desk.database.transaction() as tx:
        rows = asked.page(tx, state, after, most)
        words = asked.words(tx, [row["id"] for row in rows])
    return [_shown(row, words.get(row["id"], ()), desk) for row in rows]


def shown(id_: str, desk: ActDesk) -> Shown:
    """Raises UnknownActionError."""
    with desk.database.transaction() as tx:
        row = asked.find(tx, id_)
        words = asked.words(tx, [id_])
    if row is None:
        raise UnknownActionError
    return _shown(row, words.get(id_, ()), desk)


def _shown(row: db.Row, words: Sequence[Word], desk: ActDesk) -> Shown:
    try:
        message, because = sending.opened(row, acting.place_of(row["id"]), desk)
    except (ErasedError, WrongKeyError):
        return Shown(row=row, message=None, because="", waiting=waiting_of(row, words, desk))
    return Shown(row=row, message=message, because=because, waiting=waiting_of(row, words, desk))
