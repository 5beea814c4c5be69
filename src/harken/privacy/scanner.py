"""A text -> the personal data in it: where it stands, of what kind, and its value."""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from harken.privacy import patterns
from harken.privacy.phones import phones

REGIONS = ("US", "GB", "DE")
"""Whose telephone numbers a message is searched for, unless its customer's are known."""

DOCUMENT_REGIONS = (
    "US", "CA", "GB", "IE", "DE", "AT", "CH", "FR", "BE", "NL", "LU", "ES", "PT", "IT", "PL", "SE", "DK", "NO", "FI", "CZ",
    "HU", "AU", "NZ",
)  # fmt: skip
"""Whose a document is searched for: it may come from any country that is served."""


class PersonalKind(StrEnum):
    """What a piece of personal data is; where two overlap, the kind named first here wins."""

    URL_SECRET = "URL_SECRET"  #: a link that carries a token or a password
    EMAIL = "EMAIL"
    IBAN = "IBAN"
    CARD = "CARD"
    SSN = "SSN"
    IP = "IP"
    DATE_OF_BIRTH = "DATE_OF_BIRTH"
    ACCOUNT = "ACCOUNT"
    PHONE = "PHONE"
    ADDRESS = "ADDRESS"
    NAME = "NAME"
    HANDLE = "HANDLE"  #: @user


class PersonalData(NamedTuple):
    """One find: `text[start:end] == value`."""

    start: int
    end: int
    kind: PersonalKind
    value: str


class Known(NamedTuple):
    """A value that the profile already holds for this customer."""

    value: str
    kind: PersonalKind


_RANK = {kind: rank for rank, kind in enumerate(PersonalKind)}
_Find = tuple[int, int, PersonalKind]

# What can only be there when a digit is that does not belong to a word or an @handle.
_NUMBERED: Sequence[tuple[PersonalKind, Callable[[str], Iterator[patterns.Place]]]] = (
    (PersonalKind.IBAN, patterns.ibans),
    (PersonalKind.CARD, patterns.cards),
    (PersonalKind.SSN, patterns.ssns),
    (PersonalKind.IP, patterns.addresses_of_machines),
    (PersonalKind.DATE_OF_BIRTH, patterns.births),
    (PersonalKind.ACCOUNT, patterns.accounts),
    (PersonalKind.ADDRESS, patterns.addresses),
)
_NUMBER = re.compile(r"\d(?<![@\d]\d)")
_NOT_PLAIN = re.compile(r"(?![\x00-\x7f])[\d\s\u2010-\u2015\u2212]")


def scan(
    text: str,
    *,
    known: Sequence[Known] = (),
    regions: Sequence[str] = REGIONS,
    handles: bool = True,
    public: frozenset[str] = frozenset(),
) -> list[PersonalData]:
    """Personal data in `text`, sorted, never overlapping.

    `regions` are the countries whose telephone numbers are understood without a country code (ISO 3166).
    `public` names handles, lower case and without @, that are an organisation's own.
    """
    found = [(start, end, PersonalKind.NAME) for start, end in patterns.names(text)]
    if "://" in text:
        found += [(start, end, PersonalKind.URL_SECRET) for start, end in patterns.secret_urls(text)]
    if "@" in text:
        found += [(start, end, PersonalKind.EMAIL) for start, end in patterns.emails(text)]
        if handles:
            found += [
                (start, end, PersonalKind.HANDLE)
                for start, end in patterns.handles(text)
                if text[start + 1 : end].lower() not in public
            ]
    if _NUMBER.search(text):
        found += _numbered(text, regions)
    for kind, values in _by_kind(known).items():
        found += [(start, end, kind) for start, end in patterns.known_values(text, values)]
    return _settle(text, found)


def _numbered(text: str, regions: Sequence[str]) -> Iterator[_Find]:
    plain = text if text.isascii() else _NOT_PLAIN.sub(_in_plain, text)
    for kind, find in _NUMBERED:
        yield from ((start, end, kind) for start, end in find(plain))
    yield from ((start, end, PersonalKind.PHONE) for start, end in phones(plain, regions))


def _in_plain(match: re.Match[str]) -> str:
    """One character for one, so that places stay: other scripts' digits, typeset dashes, no-break spaces."""
    character = match[0]
    if character.isdecimal():
        return str(int(character))
    return " " if character.isspace() else "-"


def _by_kind(known: Sequence[Known]) -> dict[PersonalKind, tuple[str, ...]]:
    kinds: dict[PersonalKind, tuple[str, ...]] = {}
    for value, kind in known:
        if len(value.strip()) > 1:  # one letter would be found everywhere
            kinds[kind] = (*kinds.get(kind, ()), value)
    return kinds


def _settle(text: str, found: list[_Find]) -> list[PersonalData]:
    """Overlapping finds become one: what two rules saw is hidden from the first character to the last."""
    settled: list[_Find] = []
    for start, end, kind in sorted(found):
        if settled and start < settled[-1][1]:
            first, last, other = settled.pop()
            settled.append((first, max(end, last), min(kind, other, key=_RANK.__getitem__)))
        else:
            settled.append((start, end, kind))
    return [PersonalData(start, end, kind, text[start:end]) for start, end, kind in settled]
