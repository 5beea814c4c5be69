"""Who asks about a customer -> whether that customer is theirs to look at, by whose law holds for them."""

from harken.domain.ids import CustomerId
from harken.errors import UnknownCustomerError
from harken.flow.desk import Desk
from harken.flow.pool import Seat
from harken.flow.showing import Wanted, show
from harken.web.auth.principal import Principal

COUNTRY = "country"


def refuse_elsewhere(customer: str, who: Principal, desk: Desk, seat: Seat) -> None:
    """A customer of another jurisdiction is not there, for whom any are named: raises UnknownCustomerError as for one whom
    no event ever mentioned."""
    if not who.jurisdictions or who.is_customer or desk.tickets is None:
        return
    lives_in = show(CustomerId(customer), desk, seat.policy, Wanted(features=(COUNTRY,)))["features"][COUNTRY]
    if not who.works_on(desk.tickets.rules.jurisdiction_of(lives_in)):
        raise UnknownCustomerError(f"No event has ever mentioned the customer {customer}.")
