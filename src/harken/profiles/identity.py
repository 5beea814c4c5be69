"""What was said of identifiers -> whose they are. A pure function of the edges, so that order never matters.

An account (`customer:…`) is somebody. Other identifiers (a mail address, a phone number, a device, a handle) belong to
the one account they are tied to; tied to several they belong to none, and that is shown. Two accounts are one
customer only where somebody said so (an alias). State is kept for each identity and merged at read, so joining and
parting change nothing but who is read together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias, get_args

from harken.domain.link import Link

ACCOUNT = "customer:"
KINDS = frozenset(get_args(Link.__annotations__["kind"]))
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
    people = _people(edges, _groups([(e.one, e.other) for e in edges if e.kind == "alias"]), found)
    # Two accounts that were seen together stay two: only an alias says otherwise.
    ties = [(e.one, e.other) for e in edges if e.kind == "tie" and not (e.one in people and e.other in people)]
    found.conflicts |= _shared(ties, people)
    accounts: dict[str, set[str]] = {}
    for account, person in people.items():
        accounts.setdefault(person, set()).add(account)
    loose = _loose([tie for tie in ties if not found.conflicts.keys() & set(tie) - people.keys()], people, found)
    for person in accounts.keys() | loose.keys():
        _settle(person, accounts.get(person, set()), loose.get(person, set()), found)
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


def _loose(ties: list[tuple[str, str]], people: Mapping[str, str], found: Resolution) -> dict[str, set[str]]:
    """Whom identifiers belong to that may be tied to one another, too: a person, or the first of them for nobody known."""
    whose = {name: people[other] for tie in ties for name, other in (tie, tie[::-1]) if other in people}
    loose = {name for tie in ties for name in tie} - people.keys()
    belong: dict[str, set[str]] = {}
    between = [tie for tie in ties if loose.issuperset(tie)]
    for group in _groups([*between, *((name, name) for name in loose)]):
        owners = sorted({whose[name] for name in group if name in whose})
        if len(owners) > 1:
            found.conflicts |= dict.fromkeys(group, (Conflict.SHARED, tuple(owners)))
        else:
            belong.setdefault(owners[0] if owners else min(group), set()).update(group)
    return belong


def _settle(person: str, accounts: set[str], loose: set[str], found: Resolution) -> None:
    if len(accounts) + len(loose) > MAX_IDENTITIES:
        found.conflicts |= dict.fromkeys(loose, (Conflict.TOO_MANY, (person,) if accounts else ()))
        loose = set()
    if len(accounts) + len(loose) > 1:
        found.members |= dict.fromkeys(accounts | loose, person)


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


def from_text(text: object) -> list[Link]:
    """An identifier may end with a semicolon, so words are counted; and an event of a file may carry any text there."""
    words = f"{text};".split(" ")
    found = [(kind, one, other[:-1]) for kind, one, other in zip(words[::3], words[1::3], words[2::3], strict=False)]
    is_sound = len(words) == 3 * len(found) and all(link[0] in KINDS and all(link) for link in found)
    return [Link._make(link) for link in found] if is_sound else []


class Said(NamedTuple):
    """The newest word on two identifiers, in the order in which words outdo each other."""

    at: int  #: microseconds since 1970 UTC
    parted: bool  #: of two words of one moment the one that parts holds
    event: str


Spoken: TypeAlias = tuple[Link, int, str]
"""A link, when it was said in microseconds since 1970 UTC, and by which event."""


def newest(links: Iterable[Spoken]) -> dict[Edge, Said]:
    """In any order -> what was last said of each pair."""
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
