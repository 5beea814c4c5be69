"""Whoever asks, as everything behind the door sees them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Request

from harken.errors import RefusedError
from harken.kit.places import within


class NotYoursError(RefusedError):
    """This is not yours to see."""

    status = 403


class Role(StrEnum):
    """What a token may call its bearer; a role that stands here later outranks those before it."""

    CUSTOMER = "customer"
    SERVICE = "service"  #: another program of the organisation's
    AGENT = "agent"
    LEAD = "lead"
    COMPLIANCE = "compliance"
    ADMIN = "admin"


STAFF = frozenset({Role.AGENT, Role.LEAD, Role.COMPLIANCE, Role.ADMIN})
EVERY_JURISDICTION = frozenset({Role.COMPLIANCE, Role.ADMIN})
_RANK = {role: rank for rank, role in enumerate(Role)}
PLAIN_IDENTITY = "customer:"
"""What an organisation calls its own customers, where no other source is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, as a token said, or this machine's own user."""

    subject: str
    roles: frozenset[Role]
    scopes: frozenset[str] | None = None  #: None: whatever the roles may
    jurisdictions: tuple[str, ...] = ()
    customer: str | None = None  #: whose own things a customer's token opens
    conversation: str | None = None  #: the only one, where a socket's ticket was given for one
    token_id: str = ""
    expires_at: datetime | None = None
    local: bool = False  #: this machine's own user, who needs no token

    @property
    def role(self) -> Role:
        """The highest."""
        return max(self.roles, key=_RANK.__getitem__)

    @property
    def is_customer(self) -> bool:
        """Sees what is their own, and no private note."""
        return self.roles <= {Role.CUSTOMER}

    def owns(self, customer: str) -> bool:
        """`ada` and `customer:ada` are one; a name of another source's customer is another's."""
        return self.customer is not None and full_identity(self.customer) == full_identity(customer)

    def may_see(self, customer: str) -> bool:
        return not self.is_customer or self.owns(customer)

    def works_in(self, jurisdiction: str | None) -> bool:
        """Whether what holds in a jurisdiction (`DE`, `US-CA`; None: everywhere) is theirs to work on."""
        if jurisdiction is None or self.local or (not self.jurisdictions and self.roles & EVERY_JURISDICTION):
            return True
        return within(jurisdiction.upper(), self.jurisdictions)

    def works_on(self, jurisdiction: str) -> bool:
        """Whether a ticket of a customer there (empty: nobody knows where) is theirs to work on: who is named none has them all."""
        return not (jurisdiction and self.jurisdictions) or self.is_customer or self.works_in(jurisdiction)

    def see(self, customer: str) -> None:
        """Raises NotYoursError."""
        if not self.may_see(customer):
            raise NotYoursError


LOCAL = Principal(subject="local", roles=frozenset({Role.ADMIN}), local=True)
"""Who asks on loopback where no authentication is configured."""


def full_identity(customer: str) -> str:
    return customer if ":" in customer else PLAIN_IDENTITY + customer


def asking(request: Request) -> Principal:
    """The request's principal, for a route's parameters."""
    found: Principal = request.state.principal
    return found


Asking = Annotated[Principal, Depends(asking)]
