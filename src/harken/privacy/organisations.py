"""Personal data -> which of it is nobody's: hotlines that a numbering plan knows as such, and mailboxes named after a task."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

from harken.privacy.scanner import PersonalData, PersonalKind

_HOTLINES = frozenset(
    {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.UAN,
    }
)
_CARRIED = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PERSONAL_NUMBER})
_MAILBOX = re.compile(
    r"(?:support|help(?:desk|line)?|info|service|contact|care|customer[.-]?(?:care|service|support)|no-?reply|do-?not-?reply"
    r"|complaints?|feedback|billing|sales|press|legal|privacy|dpo|compliance|security|abuse|fraud|phishing|careers|jobs|office"
    r"|kunden(?:service|dienst)|hilfe|kontakt|datenschutz|beschwerde[n]?|ayuda|contacto|atencion|reclamaciones|aide|contacts?"
    r"|reclamations?|assistenza|contatti|klantenservice|pomoc)@",
    re.IGNORECASE,
)


def of_people(found: Iterable[PersonalData], regions: Sequence[str]) -> list[PersonalData]:
    """Without what a company prints on its own pages: hiding it would take the answer out of a document."""
    return [each for each in found if not _is_nobodys(each, tuple(regions))]


def _is_nobodys(each: PersonalData, regions: tuple[str, ...]) -> bool:
    if each.kind is PersonalKind.EMAIL:
        return _MAILBOX.match(each.value) is not None
    return each.kind is PersonalKind.PHONE and _is_hotline(each.value, regions)


@lru_cache(maxsize=1024)
def _is_hotline(written: str, regions: tuple[str, ...]) -> bool:
    """In one country, and in none a number that somebody carries."""
    kinds = {kind for region in regions if (kind := _kind(written, region)) is not None}
    return not kinds.isdisjoint(_HOTLINES) and kinds.isdisjoint(_CARRIED)


def _kind(written: str, region: str) -> int | None:
    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.number_type(number) if phonenumbers.is_valid_number(number) else None
