"""Proposals of a writer -> what becomes of each: done, put to people, or refused with a reason. The writer has no say in it.

Whom an action concerns and where it goes comes from the ticket. A proposal that names either, an action or an argument
that nobody declared, or more money than is allowed, is refused whole: nothing is trimmed to fit.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from harken.act.catalogue import AIMS, ActionSpec, Catalogue, Tier
from harken.domain.decision import Live
from harken.domain.ids import IdentityId
from harken.domain.profile import Value
from harken.domain.proposal import Proposal
from harken.domain.ticket import Ticket, TicketId

Arguments: TypeAlias = Mapping[str, Value]

MOST_PROPOSALS = 10
"""Of one draft. A writer that proposes more is refused the rest."""

UNVERIFIED = "the customer is not verified"

MOST_CHARACTERS = 20_000
"""Of all of a proposal's arguments."""

_SCHEME = re.compile(r"\b(?:https?|ftp|file|data|javascript|mailto|tel)\s*:|//|\bwww\.", re.IGNORECASE)
_ADDRESS = re.compile(rf"[^\s@]+@[^\s@]+\.[^\s@]{{2,}}|{_SCHEME.pattern}", re.IGNORECASE)
_SOMEBODY = re.compile(r"\b(?:twitter|customer|device|email|phone|identity|user|account)\s*:\s*\S", re.IGNORECASE)
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")


class Answer(StrEnum):
    ALLOWED = "allowed"
    NEEDS_APPROVAL = "needs_approval"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one customer had done within 24 hours: what waits for people counts, what was denied does not."""

    counts: Mapping[str, int] = field(default_factory=dict)  #: action -> how many
    sums: Mapping[tuple[str, str], int] = field(default_factory=dict)  #: (action, currency) -> minor units


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A proposal with what becomes of it; `customer` and `ticket` are filled in here and nowhere else."""

    action: str
    answer: Answer
    ticket: TicketId
    customer: IdentityId
    arguments: Mapping[str, Value] = field(default_factory=dict)
    reason: str = ""  #: why it was refused; never what the proposal said
    people: int = 0
    amount_minor: int | None = None
    currency: str | None = None
    because: str = ""  #: as the writer put it: for people to read, never a ground to act


def plan(
    proposals: Sequence[Proposal], ticket: Ticket, live: Live | None, catalogue: Catalogue, spent: Spent
) -> tuple[Planned, ...]:
    """One answer for each proposal, in order. What the first ones take is gone for those after them."""
    counts, sums = dict(spent.counts), dict(spent.sums)
    made = []
    for place, proposal in enumerate(proposals):
        now = Spent(counts=counts, sums=sums)
        planned = _planned(proposal, ticket, live, catalogue, now, proposed=True) if place < MOST_PROPOSALS else (
            _refused(proposal, ticket, "too many proposals")
        )  # fmt: skip
        if planned.answer is not Answer.REFUSED:
            counts[planned.action] = counts.get(planned.action, 0) + 1
            if planned.currency and planned.amount_minor is not None:
                key = (planned.action, planned.currency)
                sums[key] = sums.get(key, 0) + planned.amount_minor
        made.append(planned)
    return tuple(made)


def ordered(wanted: Proposal, ticket: Ticket, live: Live | None, catalogue: Catalogue, spent: Spent) -> Planned:
    """What a rule or a person orders: also what no writer may propose, and with their own words looked at by nobody else.

    Arguments, limits, verification and approval hold as for everybody.
    """
    return _planned(wanted, ticket, live, catalogue, spent, proposed=False)


def _planned(
    proposal: Proposal, ticket: Ticket, live: Live | None, catalogue: Catalogue, spent: Spent, *, proposed: bool
) -> Planned:
    spec = catalogue.get(proposal.action) if isinstance(proposal.action, str) else None
    if spec is None:
        return _refused(proposal, ticket, "no such action")
    arguments = dict(proposal.arguments)
    verified = live is not None and live.verified
    found = weighed(spec, arguments, catalogue, spent, verified=verified, proposed=proposed)
    if isinstance(found, str):
        return _refused(proposal, ticket, found, spec.name)
    return allowed(spec, ticket, arguments, found, proposal.because[:1000])


class Weighed(NamedTuple):
    people: int
    amount_minor: int | None
    currency: str | None


def weighed(
    spec: ActionSpec, arguments: Arguments, catalogue: Catalogue, spent: Spent, *, verified: bool, proposed: bool
) -> Weighed | str:
    """How many people are needed for exactly these arguments, or why nobody may."""
    for reason in _objections(spec, arguments, catalogue, spent, verified=verified, proposed=proposed):
        return reason
    amount, currency = _money(spec, arguments)
    return Weighed(_people(spec, amount, currency), amount, currency)


def allowed(spec: ActionSpec, ticket: Ticket, arguments: Arguments, weighed: Weighed, because: str) -> Planned:
    """At once, or once enough people have said so."""
    return Planned(
        action=spec.name,
        answer=Answer.NEEDS_APPROVAL if weighed.people else Answer.ALLOWED,
        ticket=ticket.id,
        customer=ticket.customer,
        arguments=arguments,
        people=weighed.people,
        amount_minor=weighed.amount_minor,
        currency=weighed.currency,
        because=because,
    )


def _refused(proposal: Proposal, ticket: Ticket, reason: str, action: str = "unknown") -> Planned:
    """An unknown action's name is the writer's own words: it goes nowhere."""
    return Planned(action=action, answer=Answer.REFUSED, ticket=ticket.id, customer=ticket.customer, reason=reason)


def _objections(
    spec: ActionSpec, arguments: Arguments, catalogue: Catalogue, spent: Spent, *, verified: bool, proposed: bool
) -> Iterator[str]:
    """Every reason not to, the plainest first."""
    if proposed and not spec.proposable:
        yield "not a writer's to propose"
    if any(not isinstance(name, str) or AIMS.search(name.lower()) for name in arguments):
        yield "names whom it concerns or where it goes"
    if sum(len(value) for value in arguments.values() if isinstance(value, str)) > MOST_CHARACTERS:
        yield "too long"
    if wrong := catalogue.violation(spec, arguments):
        yield wrong
    if proposed:
        yield from _in_words(spec, arguments)
    if spec.needs_verified and not verified:
        yield UNVERIFIED
    yield from _over_limits(spec, arguments, spent)


def _in_words(spec: ActionSpec, arguments: Arguments) -> Iterator[str]:
    """An address hidden in a text would be an aim all the same."""
    for name, value in arguments.items():
        if not isinstance(value, str):
            continue
        if _UNSEEN.search(value):
            yield f"{name}: has characters that nobody sees"
        if (_SCHEME if name in spec.may_name else _ADDRESS).search(value):
            yield f"{name}: has an address in it"
        if _SOMEBODY.search(value):
            yield f"{name}: names somebody"


def _over_limits(spec: ActionSpec, arguments: Arguments, spent: Spent) -> Iterator[str]:
    limits = spec.limits
    if limits.count_per_day is not None and spent.counts.get(spec.name, 0) >= limits.count_per_day:
        yield "as often as a day allows"
    amount, currency = _money(spec, arguments)
    if amount is None or currency is None:
        return
    if currency not in limits.per_action:
        yield "no limit is set for this currency"
    elif amount > limits.per_action[currency]:
        yield "more than one may be"
    if spent.sums.get((spec.name, currency), 0) + amount > limits.per_day.get(currency, amount):
        yield "more than a day allows"


def _money(spec: ActionSpec, arguments: Arguments) -> tuple[int | None, str | None]:
    """Minor units and their currency; nothing for an action that moves none.

    Only after the schema has been checked, and then still only of the right types: a catalogue may forget to say so.
    """
    if not spec.limits.amount:
        return None, None
    amount, currency = arguments.get(spec.limits.amount), arguments.get(spec.limits.currency)
    # What is no whole number of minor units costs more than anything allows.
    whole = isinstance(amount, int) and not isinstance(amount, bool) and amount > 0
    return (amount if whole else 10**18), (currency if isinstance(currency, str) else "")  # type: ignore[return-value]


def _people(spec: ActionSpec, amount: int | None, currency: str | None) -> int:
    """How many different people have to say yes."""
    needed = {Tier.AUTO: 0, Tier.APPROVE: 1, Tier.TWO_PERSON: 2}[spec.tier]
    over = spec.limits.two_people_over.get(currency or "")
    return 2 if over is not None and amount is not None and amount > over else needed
