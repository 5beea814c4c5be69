"""A reply -> personal data in it that is neither this customer's nor the company's own."""

import re
from collections.abc import Iterable

from harken.guard.literals import addresses, long_numbers, plain
from harken.guard.seen import Seen
from harken.privacy.scanner import PersonalKind, scan

_WATCHED = frozenset(PersonalKind) - {PersonalKind.NAME, PersonalKind.URL_SECRET, PersonalKind.HANDLE}
"""Names have a check of their own, links and handles too."""
_WITH_COUNTRY_CODE = ()
"""Other telephone numbers are long numbers, which are found as such in any country's spelling."""
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def of_others(seen: Seen) -> bool:
    """An address, account, card or telephone number that neither we, a cited passage, the profile nor the customer has said."""
    said = _values(seen.message)
    return bool(said and said - _known(_companys(seen)) - _known(_customers(seen)))


def unconfirmed(seen: Seen) -> bool:
    """One that only the customer wrote: it may be theirs, or it may have been put into their mouth."""
    said = _values(seen.message)
    return bool(said and said - _known(_companys(seen))) and not of_others(seen)


def _values(text: str) -> frozenset[str]:
    said = plain(text)
    found = [each.value for each in scan(said, regions=_WITH_COUNTRY_CODE) if each.kind in _WATCHED]
    return frozenset(map(_bare, [*found, *addresses(said), *long_numbers(said)])) - {""}


def _known(texts: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(_values(text) for text in texts))


def _companys(seen: Seen) -> tuple[str, ...]:
    passages = (part for passage in seen.grounds for part in (passage.text, passage.source))
    brand = seen.context.conversation.brand
    ours = (f"@{turn.author}" for turn in seen.context.conversation.turns if not turn.from_customer)
    return (*passages, *seen.ours, f"@{brand}", *ours)


def _customers(seen: Seen) -> tuple[str, ...]:
    identities = (each.partition(":")[2] for each in map(str, seen.context.profile.identities))
    return (*seen.said, *identities)


def _bare(value: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", value).casefold()
