"""What was said of identifiers -> whose they are. A pure function of the edges, so that order never matters.

An account (`customer:…`) is somebody. Other identifiers (a mail address, a phone number, a device, a handle) belong to
the one account they are tied to; tied to several they belong to none, and that is shown. Two accounts are one
customer only where somebody said so (an alias). State is kept for each identity and merged at read, so joining and
parting change nothing but who is read together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from harken.domain.link import Link

ACCOUNT = "customer:"
MAX_IDENTITIES = 100  #: of one customer; more is a shared terminal or a mistake, not a person
MAX_ACCOUNTS = 10


class Conflict(StrEnum):
    SHARED = "shared"  #: tied to several customers
    TOO_MANY = "too_many"  #: more identities together than one customer has


class Edge(NamedTuple):
    """Two identifiers that belong together, as last said. `one` < `other`."""

    one: str
    other: str
    kind: str  #: `tie` or `alias`


@dataclass(slots=True)
class Resolution:
    """Identities that stand alone are in neither."""

    members: dict[str, str] = field(default_factory=dict)  #: identity -> the customer's first account or identity
    conflicts: dict[str, tuple[Conflict, tuple[str, ...]]] = field(
        default_factory=dict
    )  #: identity -> whose it might be


def resolve(edges: Iterable[Edge]) -> Resolution:
    """Whole components of the graph -> whose each identity is."""
    edges = list(edges)
    found = Resolution()
    aliases = _groups([(e.one, e.other) for e in edges if e.kind == "alias"])
    people = _people(edges, aliases, found)
    ties = [(e.one, e.other) for e in edges if e.kind == "tie"]
    shared = _shared(ties, people)
    found.conflicts |= shared
    of_one = [(one, other) for one, other in ties if one not in shared and other not in shared]
    for group in _groups([*of_one, *((person, account) for account, person in people.items())]):
        _settle(group, people, found)
    return found


def _people(edges: list[Edge], aliases: list[set[str]], found: Resolution) -> dict[str, str]:
    """Every account -> the first account of its person."""
    people = {name: name for edge in edges for name in edge[:2] if name.startswith(ACCOUNT)}
    for group in aliases:
        if len(group) > MAX_ACCOUNTS:
            found.conflicts |= dict.fromkeys(group, (Conflict.TOO_MANY, (min(group),)))
        else:
            people |= dict.fromkeys(group, min(group))
    return people


def _shared(ties: list[tuple[str, str]], people: Mapping[str, str]) -> dict[str, tuple[Conflict, tuple[str, ...]]]:
    """Identifiers that are tied to several people directly."""
    owners: dict[str, set[str]] = {}
    for one, other in [*ties, *((other, one) for one, other in ties)]:
        if one not in people and other in people:
            owners.setdefault(one, set()).add(people[other])
    return {name: (Conflict.SHARED, tuple(sorted(whose))) for name, whose in owners.items() if len(whose) > 1}


def _settle(group: set[str], people: Mapping[str, str], found: Resolution) -> None:
    whose = sorted({people[name] for name in group if name in people})
    if len(whose) > 1:  # by way of identifiers that are tied to each other
        loose = group - people.keys()
        found.conflicts |= dict.fromkeys(loose, (Conflict.SHARED, tuple(whose)))
        found.members |= {name: people[name] for name in group if name in people and _is_joined(people, name)}
    elif len(group) > MAX_IDENTITIES:
        loose = group - people.keys()
        found.conflicts |= dict.fromkeys(loose, (Conflict.TOO_MANY, tuple(whose)))
        found.members |= {name: people[name] for name in group if name in people and _is_joined(people, name)}
    elif len(group) > 1:
        found.members |= dict.fromkeys(group, whose[0] if whose else min(group))


def _is_joined(people: Mapping[str, str], account: str) -> bool:
    return people[account] != account or any(people[other] == account for other in people if other != account)


def _groups(pairs: Iterable[tuple[str, str]]) -> list[set[str]]:
    """Connected components."""
    group_of: dict[str, set[str]] = {}
    for one, other in pairs:
        left, right = group_of.setdefault(one, {one}), group_of.setdefault(other, {other})
        if left is not right:
            small, large = sorted((left, right), key=len)
            large |= small
            for name in small:
                group_of[name] = large
    return list({id(group): group for group in group_of.values()}.values())


def to_text(links: Iterable[Link]) -> str:
    """As an attribute of the event, from which a rebuild reads it again. Identifiers have no blanks."""
    return "; ".join(" ".join(link) for link in links)


def from_text(text: str) -> list[Link]:
    return [Link._make(part.split(" ")) for part in text.split("; ")] if text else []


class Said(NamedTuple):
    """The newest word on two identifiers, in the order in which words outdo each other."""

    at: int  #: microseconds since 1970 UTC
    parted: bool  #: of two words of one moment the one that parts holds
    event: str


def newest(links: Iterable[tuple[Link, int, str]]) -> dict[Edge, Said]:
    """(link, at, event) in any order -> what was last said of each pair."""
    said: dict[Edge, Said] = {}
    for link, at, event in links:
        one, other = sorted((link.one, link.other))
        if one == other:
            continue
        kinds = ("tie", "alias") if link.kind == "part" else (link.kind,)
        for kind in kinds:
            word, edge = Said(at, link.kind == "part", event), Edge(one, other, kind)
            said[edge] = max(word, said[edge]) if edge in said else word
    return said
