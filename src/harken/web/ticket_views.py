"""Tickets -> what people of the house are shown of them, and the little that their customers are."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from harken.domain.ticket import OwnerType, Ticket
from harken.flow.ticket_turns import Message, Seen
from harken.tickets import changes as c
from harken.tickets.changes import Stamped
from harken.tickets.desk_rules import DeskRules
from harken.web.ticket_bodies import (
    ChangeShown,
    ChangesShown,
    ClockShown,
    CustomersLine,
    CustomersTicket,
    MessageShown,
    OwnerShown,
    TicketShown,
    WholeTicket,
)

_OURS = frozenset({OwnerType.AI.value, OwnerType.PERSON.value, OwnerType.BOT.value})


def shown(ticket: Ticket, rules: DeskRules) -> TicketShown:
    return TicketShown(**_columns(ticket, rules))


def _columns(ticket: Ticket, rules: DeskRules) -> dict[str, Any]:
    return {
        **{name: getattr(ticket, name) for name in TicketShown.model_fields if hasattr(ticket, name)},
        "customer_id": ticket.customer,
        "label": rules.label_of(ticket.status, ticket.label),
        "owner": OwnerShown(**asdict(ticket.owner)),
        "created_at": ticket.opened_at,
        "tags": list(ticket.tags),
        "attributes": dict(ticket.attributes),
    }


def whole(seen: Seen, rules: DeskRules) -> WholeTicket:
    said = [MessageShown(**asdict(message)) for message in seen.messages]
    return WholeTicket(
        **_columns(seen.ticket, rules),
        acknowledged=_acknowledged(seen),
        description=seen.description,
        messages=said,
        answers=[message for message in said if message.author_type in _OURS and not message.private],
        sla=[ClockShown(**{name: getattr(clock, name) for name in ClockShown.model_fields}) for clock in seen.clocks],
    )


def for_customer(seen: Seen) -> CustomersTicket:
    said = [_for_customer(message) for message in seen.messages if not message.private]
    return CustomersTicket(
        **line_for_customer(seen.ticket).model_dump(),
        updated_at=max([seen.ticket.opened_at, *(message.at for message in said)]),
        acknowledged=_acknowledged(seen),
        description=seen.description,
        messages=said,
        answers=[message for message in said if message.author_type in _OURS],
    )


def line_for_customer(ticket: Ticket) -> CustomersLine:
    return CustomersLine(
        id=ticket.id,
        number=ticket.number,
        customer_id=ticket.customer,
        subject=ticket.subject,
        channel=ticket.channel,
        status=ticket.status,
        created_at=ticket.opened_at,
    )


def _for_customer(message: Message) -> MessageShown:
    return MessageShown(**asdict(message) | {"author": ""})


def _acknowledged(seen: Seen) -> bool:
    return any(isinstance(stamped.change, c.Acknowledged) for stamped in seen.changes)


def changes_shown(changes: Sequence[Stamped], *, to_customer: bool) -> ChangesShown:
    told = [stamped for stamped in changes if not (to_customer and type(stamped.change) in c.PRIVATE)]
    return ChangesShown(data=[_change(stamped, to_customer=to_customer) for stamped in told])


def _change(stamped: Stamped, *, to_customer: bool) -> ChangeShown:
    return ChangeShown(
        version=stamped.version,
        at=stamped.at,
        by=stamped.by.partition(":")[0] if to_customer else stamped.by,
        event=stamped.name,
        data={} if to_customer else c.told(stamped.change),
    )
