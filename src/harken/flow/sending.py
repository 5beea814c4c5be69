"""A message that was decided -> a sealed row of the outbox, and back. The row is written in the caller's transaction."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from harken.act.catalogue import ActionSpec, Executor
from harken.act.outbox import store as outbox
from harken.act.outbox.store import Claim, Outgoing
from harken.act.ports import Message
from harken.domain.ticket import Ticket
from harken.errors import UnsuitableError
from harken.flow.act_desk import ActDesk
from harken.kit import db
from harken.privacy import store as vault
from harken.privacy.ring import KeyRing
from harken.privacy.sealing import Body

_ARGUMENTS = "action arguments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What made this leave. The same cause and place give the same id, so that it leaves once."""

    cause: str  #: the id of an event, a decision, a proposal
    place: int = 0  #: where one cause sends several of a kind
    proposal: str | None = None
    not_before: datetime | None = None


def message(spec: ActionSpec, ticket: Ticket, arguments: Mapping[str, Any], *, author: str, at: datetime) -> Message:
    """Whom it concerns and where it goes, from the ticket alone."""
    return Message(
        action=spec.name,
        channel=spec.executor.value,
        ticket=ticket.id,
        customer=ticket.customer,
        arguments=dict(arguments),
        at=at,
        brand=ticket.brand,
        spoken_on=ticket.channel.value,
        epoch=ticket.owner.epoch,
        answers=ticket.newest_turn or "",
        author=author,
    )


def enqueue(tx: db.Tx, leaving: Message, why: Why, desk: ActDesk) -> str:
    """Its id, which is the key that the other side takes once. Nothing leaves before the transaction is committed.

    Raises UnsuitableError for an action that the catalogue does not have.
    """
    spec = desk.catalogue.get(leaving.action)
    if spec is None or spec.executor is Executor.TICKET:
        raise UnsuitableError(f"There is no action {leaving.action!r} that leaves the house. Nothing was sent.")
    if spec.executor is Executor.EMAIL and not leaving.to:
        leaving = _addressed(tx, leaving, desk)
    id_ = str(uuid5(NAMESPACE_URL, f"harken:outbox:{why.cause}:{leaving.action}:{why.place}"))
    wrapped = vault.keys(tx, desk.master, [leaving.customer])[leaving.customer]
    row = Outgoing(
        id=id_,
        ticket=leaving.ticket,
        subject=leaving.customer,
        proposal=why.proposal,
        action=leaving.action,
        channel=spec.executor.value,
        effect=spec.effect.value,
        sealed=sealed(leaving, wrapped, place_of(id_), desk),
        at=leaving.at,
        not_before=why.not_before or leaving.at,
    )
    outbox.enqueue(tx, row)
    return id_


def _addressed(tx: db.Tx, leaving: Message, desk: ActDesk) -> Message:
    return replace(leaving, to=desk.address_of(tx, leaving.customer))


def sealed(leaving: Message, wrapped: bytes, place: str, desk: ActDesk, because: str = "") -> bytes:
    text = json.dumps({**asdict(leaving), "at": leaving.at.isoformat(), "because": because}, sort_keys=True)
    return KeyRing(desk.master).seal(leaving.customer, wrapped, place, Body(text))


def opened(row: Mapping[str, Any], place: str, desk: ActDesk) -> tuple[Message, str]:
    """The message, and why somebody proposed it. Raises ErasedError, WrongKeyError."""
    body = KeyRing(desk.master).open(row["subject"], row["wrapped"], place, bytes(row["sealed"]))
    told = json.loads(body.text)
    because = told.pop("because")
    return Message(**{**told, "at": datetime.fromisoformat(told["at"])}), because


def claimed(held: Claim, desk: ActDesk) -> Message:
    """Raises ErasedError, WrongKeyError."""
    row = {"subject": held.subject, "wrapped": held.wrapped, "sealed": held.sealed}
    return opened(row, place_of(held.id), desk)[0]


def place_of(id_: str) -> str:
    """What a sealed row is bound to: no event's id has a space in it."""
    return f"outbox {id_}"


def arguments_hash(leaving: Message, wrapped: bytes, desk: ActDesk) -> bytes:
    """16 bytes of what exactly is to be done, for whom: nobody can make or guess them without the customer's key."""
    exact = [leaving.action, leaving.ticket, leaving.customer, leaving.arguments]
    form = json.dumps(exact, sort_keys=True, separators=(",", ":")).encode()
    return KeyRing(desk.master).fingerprint(leaving.customer, wrapped, _ARGUMENTS, form)
