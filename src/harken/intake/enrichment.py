"""What a typed event says of itself -> the few flat facts that features read: each declared once, with its reason.

Everything else stays with the sealed content. A fact is a number, yes or no, or a word of a closed list: never free
text, so nothing personal can come this way.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias
from zoneinfo import available_timezones

import orjson

from harken.domain import money
from harken.domain.event import Channel, Kind
from harken.intake import fields, products
from harken.intake.fields import Fields, InvalidEventError
from harken.intake.quality import Reason

Fact: TypeAlias = str | int | bool | None

OUTCOMES = frozenset(
    {"approved", "declined", "referred", "pending", "counter_offered", "withdrawn", "cancelled", "expired"}
)
DISPUTE_STATUSES = frozenset(
    {
        *("opened", "submitted", "under_review", "waiting_for_customer", "escalated", "won", "lost"),
        *("resolved", "refunded", "rejected", "withdrawn", "closed"),
    }
)
SCALES = frozenset({1, 100, 1000})
TIERS = frozenset(
    {
        *("free", "trial", "basic", "starter", "standard", "plus", "pro", "premium", "business", "enterprise"),
        *("bronze", "silver", "gold", "platinum", "vip"),
    }
)
"""What a subscription may be called; one that is called otherwise is said with the ticket."""

_CHANNELS = frozenset(channel.value for channel in Channel)
_COUNTRY = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrichment:
    """One fact: the attribute's name, whose events have it, how it is read from (properties, context), and what for.

    What identifies somebody says it in its traits, which take the place of properties.
    """

    name: str
    kinds: frozenset[Kind]
    read: Callable[[Fields, Fields], Fact]
    why: str
    needed: bool = False  #: an event of these kinds without it says nothing
    vouched: bool = False  #: left out where the source does not vouch for it: customers must not say it of themselves


def attributes(kind: Kind, properties: Fields, context: Fields, *, vouches: bool = True) -> str | None:
    """The facts of one event as sorted JSON; None where there are none. `vouches`: its source does. Raises InvalidEventError."""
    found: dict[str, Fact] = {}
    for enrichment in _of(kind):
        if enrichment.vouched and not vouches:
            continue
        fact = enrichment.read(properties, context)
        if fact is not None:
            found[enrichment.name] = fact
        elif enrichment.needed:
            raise InvalidEventError(Reason.MISSING_FIELD)
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode() if found else None


@cache
def _of(kind: Kind) -> tuple[Enrichment, ...]:
    return tuple(each for each in ENRICHMENTS if kind in each.kinds)


def _amount(properties: Fields, _: Fields) -> int | None:
    minor, written = properties.get("amount_minor"), properties.get("amount")
    if (minor if minor is not None else written) is None:
        return None
    try:
        if minor is not None:
            return money.in_range(_whole(minor))
        if isinstance(written, bool) or not isinstance(written, str | int | float):
            raise InvalidEventError(Reason.WRONG_TYPE)
        return money.minor_units(written, fields.text(properties, "currency") or "")
    except OverflowError as wrong:
        raise InvalidEventError(Reason.OUT_OF_RANGE) from wrong
    except ValueError as wrong:
        raise InvalidEventError(Reason.WRONG_TYPE) from wrong


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidEventError(Reason.WRONG_TYPE)
    return value


def _yes_or_no(name: str) -> Callable[[Fields, Fields], bool | None]:
    def read(properties: Fields, _: Fields) -> bool | None:
        value: object = properties.get(name)
        if value is not None and not isinstance(value, bool):
            raise InvalidEventError(Reason.WRONG_TYPE)
        return value

    return read


def _word(name: str, known: frozenset[str]) -> Callable[[Fields, Fields], str | None]:
    def read(properties: Fields, _: Fields) -> str | None:
        written = fields.text(properties, name)
        word = written.strip().lower().replace(" ", "_").replace("-", "_") if written else None
        if word is not None and word not in known:
            raise InvalidEventError(Reason.WRONG_TYPE)
        return word

    return read


def _zone(_: Fields, context: Fields) -> str | None:
    """A zone that nobody knows is left out: the event says more than its clock."""
    name = fields.text(context, "timezone")
    return name if name in _zones() else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _tier(traits: Fields, _: Fields) -> str | None:
    """One that nobody knows is left out: the event says more than what they pay for."""
    given = (traits.get(name) for name in ("tier", "subscription_tier", "plan"))
    return next((word for each in given if isinstance(each, str) and (word := each.strip().lower()) in TIERS), None)


def _country(traits: Fields, _: Fields) -> str | None:
    """ISO 3166, `DE` or `US-CA`; a country's name in words is left out."""
    address = traits.get("address")
    lived = address.get("country") if isinstance(address, Mapping) else None
    given = (traits.get("country"), traits.get("country_code"), lived)
    codes = (each.strip().upper() for each in given if isinstance(each, str))
    return next((code for code in codes if _COUNTRY.fullmatch(code)), None)


def _product(properties: Fields, _: Fields) -> str | None:
    """The first that the table knows; one that it does not know is left out."""
    readers: Mapping[str, Callable[[str], str | None]] = {
        "product_category": products.named,
        "product": products.named,
        "merchant_category": products.of_merchant,
    }
    given = ((fields.text(properties, name), read) for name, read in readers.items())
    return next((category for text, read in given if text and (category := read(text))), None)


def _risk(properties: Fields, _: Fields) -> int | None:
    """`score` of `scale` (1, 100 or 1000; 1 where unsaid) -> 0 to 1000, halves to the even neighbour."""
    if properties.get("score") is None:
        return None
    score, scale = _number(properties["score"]), _number(properties.get("scale", 1))
    if scale not in SCALES or not 0 <= score <= scale:
        raise InvalidEventError(Reason.OUT_OF_RANGE)
    return round(score * (1000 // int(scale)))


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidEventError(Reason.WRONG_TYPE)
    return value


_MONEY = frozenset({Kind.PAYMENT, Kind.TRANSACTION})

ENRICHMENTS = (
    Enrichment(
        name="amount_minor",
        kinds=_MONEY,
        read=_amount,
        why="Sums need whole minor units, whatever the currency writes after the point.",
    ),
    Enrichment(
        name="product",
        kinds=_MONEY,
        read=_product,
        why="One vocabulary for what merchants and systems each call differently.",
    ),
    Enrichment(
        name="success",
        kinds=frozenset({Kind.LOGIN}),
        read=_yes_or_no("success"),
        why="A customer who cannot come in needs us now.",
    ),
    Enrichment(
        name="granted",
        kinds=frozenset({Kind.CONSENT}),
        read=_yes_or_no("granted"),
        why="Whether they may be contacted.",
        needed=True,
    ),
    Enrichment(
        name="channel",
        kinds=frozenset({Kind.CONSENT}),
        read=_word("channel", _CHANNELS),
        why="Where they may be contacted.",
        needed=True,
    ),
    Enrichment(
        name="outcome",
        kinds=frozenset({Kind.CREDIT_DECISION}),
        read=_word("outcome", OUTCOMES),
        why="A declined customer is not offered what was declined.",
        needed=True,
    ),
    Enrichment(
        name="status",
        kinds=frozenset({Kind.DISPUTE}),
        read=_word("status", DISPUTE_STATUSES),
        why="An open dispute changes what may be said.",
        needed=True,
    ),
    Enrichment(
        name="risk",
        kinds=frozenset({Kind.RISK_SIGNAL}),
        read=_risk,
        why="Systems score to 1, 100 or 1000; rules compare thousandths.",
        needed=True,
    ),
    Enrichment(
        name="tier",
        kinds=frozenset({Kind.IDENTIFY}),
        read=_tier,
        why="What they pay for says how soon they were promised an answer.",
        vouched=True,
    ),
    Enrichment(
        name="country",
        kinds=frozenset({Kind.IDENTIFY}),
        read=_country,
        why="Whose law holds for what they are told.",
        vouched=True,
    ),
    Enrichment(
        name="zone",
        kinds=frozenset(Kind),
        read=_zone,
        why="Quiet hours follow their own clock.",
    ),
)
