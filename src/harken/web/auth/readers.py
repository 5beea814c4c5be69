"""Who asks -> the reader of the knowledge they are; what a request says of a role or a place may only narrow that."""

from dataclasses import replace

from harken.knowledge.access import ALL, Clearances, NotClearedError, Reader, checked
from harken.web.auth.principal import NotYoursError, Principal


def reader(principal: Principal, clearances: Clearances, role: str | None, jurisdiction: str | None) -> Reader:
    """Raises NotYoursError for a jurisdiction that is not theirs, NotClearedError for a role that sees more than theirs."""
    place = checked(jurisdiction) if jurisdiction else None
    if place and not principal.works_in(place):
        raise NotYoursError(f"This token is not for {place}.")
    own = _own(principal, clearances, principal.role.value, place)
    if role is None or role == principal.role:
        return own
    wanted = _own(principal, clearances, role, place)
    if not _within(wanted, own):
        raise NotClearedError(f"The role {role!r} may read more than {principal.role.value!r}, which is this token's.")
    return wanted


def _own(principal: Principal, clearances: Clearances, role: str, place: str | None) -> Reader:
    """Without a place: everywhere that the token is for."""
    if place or not principal.jurisdictions:
        return clearances.reader(role, place)
    readers = [clearances.reader(role, each) for each in principal.jurisdictions]
    places = sorted({each for reader in readers for each in reader.jurisdictions})
    return replace(readers[0], jurisdictions=tuple(places))


def _within(less: Reader, more: Reader) -> bool:
    return (
        less.visibility <= more.visibility
        and less.risk <= more.risk
        and set(less.classes) <= set(more.classes)
        and (ALL in more.jurisdictions or set(less.jurisdictions) <= set(more.jurisdictions))
    )
