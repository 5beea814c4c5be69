"""A request -> who is asking, by the name under which it stands on record."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from harken.flow.desk import Desk
from harken.tickets.store import NoSuchTicketError
from harken.web.auth import principal as asked_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """`name`: the token's subject; without tokens, whoever runs this."""

    name: str
    roles: frozenset[str]
    asking: asked_by.Principal

    @property
    def is_customer(self) -> bool:
        return self.asking.is_customer

    def see(self, customer: str) -> None:
        """Raises NoSuchTicketError: what is another's is not there."""
        if not self.asking.may_see(customer):
            raise NoSuchTicketError


def principal(request: Request) -> Principal:
    desk: Desk = request.app.state.desk
    asking = asked_by.asking(request)
    name = desk.who if asking.local else asking.subject
    return Principal(name=name, roles=frozenset(role.value for role in asking.roles), asking=asking)


Who = Annotated[Principal, Depends(principal)]
