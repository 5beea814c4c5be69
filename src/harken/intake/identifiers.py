"""What an event says of a customer's identifiers -> links between identities, e-mail and telephone behind a blind."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import phonenumbers

from harken.domain.event import Kind
from harken.domain.link import Link
from harken.intake import fields
from harken.intake.fields import Fields, InvalidEventError
from harken.intake.quality import Reason

Blind: TypeAlias = Callable[[str, str], str]
"""(kind, normalised value) -> a keyed digest: equal values meet, and nobody reads them."""

SOCIAL = {
    "twitter": "twitter",
    "x": "twitter",
    "facebook": "facebook",
    "instagram": "instagram",
    "linkedin": "linkedin",
}
"""Trait -> source of the identity."""

MOST_EXTERNAL_IDS = 20

_OURS = {"user_id": "customer", "userid": "customer", "anonymous_id": "device", "anonymousid": "device"}
_EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,64}@[^\s@\x00-\x1f]{1,189}")
_HANDLE = re.compile(r"[\w.-]{1,64}")
_SOURCE = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_TELLING = frozenset({Kind.IDENTIFY, Kind.PROFILE_UPDATE})
_SILENT = frozenset({Kind.GROUP, Kind.ALIAS, Kind.UNMERGE})


def owned(name: str, prefix: str) -> str:
    """`("ada", "customer")` -> `customer:ada`. A name in another source's form stays a name."""
    return fields.prefixed(name if name.startswith(f"{prefix}:") else f"{prefix}:{name}", prefix)


def links(kind: Kind, body: Fields, identity: str | None, blind: Blind) -> tuple[Link, ...]:
    """Each once, none of an identity with itself. An e-mail or a number that is none ties nothing."""
    said = _said(kind, body, identity, blind)
    return tuple(dict.fromkeys(link for link in said if link.one != link.other))


def _said(kind: Kind, body: Fields, identity: str | None, blind: Blind) -> Iterator[Link]:
    if kind is Kind.ALIAS:
        yield Link(
            "alias",
            owned(fields.required(body, "previousId"), "customer"),
            owned(fields.required(body, "userId"), "customer"),
        )
    elif kind is Kind.UNMERGE:
        properties = mapping(body, "properties")
        yield Link("part", *(fields.prefixed(fields.required(properties, end), "customer") for end in ("one", "other")))
    if identity is not None and kind not in _SILENT:
        yield from (Link("tie", identity, other) for other in _others(kind, body, blind))


def _others(kind: Kind, body: Fields, blind: Blind) -> Iterator[str]:
    if kind in _TELLING:
        traits = mapping(body, "traits")
        if kind is Kind.IDENTIFY and (device := fields.text(body, "anonymousId")):
            yield owned(device, "device")
        if kind is Kind.IDENTIFY and (user := fields.text(body, "userId")):
            yield owned(user, "customer")
        for name in ("email", "phone"):
            yield from _hidden(name, fields.text(traits, name), blind)
        for trait, source in SOCIAL.items():
            yield from _handle(source, fields.text(traits, trait))
    for one in _external(mapping(body, "context").get("externalIds")):
        yield from _outside(one, blind)


def _external(given: Any) -> Sequence[Mapping[str, Any]]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise InvalidEventError(Reason.WRONG_TYPE)
    if len(given) > MOST_EXTERNAL_IDS:
        raise InvalidEventError(Reason.OUT_OF_RANGE)
    return given


def _outside(one: Fields, blind: Blind) -> Iterator[str]:
    """`{"type": "crm", "id": "42"}` -> `crm:42`; `email` and `phone` are hidden here too."""
    name, source = fields.required(one, "id"), fields.required(one, "type").strip().lower()
    if source in ("email", "phone"):
        yield from _hidden(source, name, blind)
    elif not _SOURCE.fullmatch(source):
        raise InvalidEventError(Reason.BAD_ID)
    else:
        yield owned(name, _OURS.get(source, source))


def _hidden(name: str, written: str | None, blind: Blind) -> Iterator[str]:
    normalised = {"email": email, "phone": phone}[name](written) if written else None
    if normalised:
        yield f"{name}:{blind(name, normalised)}"


def _handle(source: str, written: str | None) -> Iterator[str]:
    handle = (written or "").strip().removeprefix("@").lower()
    if _HANDLE.fullmatch(handle):
        yield f"{source}:{handle}"


def email(written: str) -> str | None:
    """` Ada@Example.ORG ` -> `ada@example.org`. Dots and tags stay: two spellings may be two people."""
    address = written.strip().lower()
    return address if _EMAIL.fullmatch(address) else None


def phone(written: str) -> str | None:
    """`+44 20 7946 0958` -> `+442079460958`, by E.164.

    Only with its country, and not behind an extension: a guess would tie strangers.
    """
    try:
        number = phonenumbers.parse(written)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mapping(body: Fields, name: str) -> Fields:
    """An object of the body; empty where it is missing."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidEventError(Reason.WRONG_TYPE)
    return value
