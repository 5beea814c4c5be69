"""Who is who as the docstring of `profiles.identity` tells it: no union-find, nothing but walking from name to name."""

from collections.abc import Callable, Iterable

from harken.domain.link import Link

Word = tuple[Link, int, str]
Seen = tuple[dict[str, str], dict[str, tuple[str, tuple[str, ...]]]]
Near = dict[str, set[str]]
MOST_IDENTITIES, MOST_ACCOUNTS = 100, 10


def naive(words: Iterable[Word]) -> Seen:
    """(link, at, event) -> members and conflicts."""
    holds = _what_holds(words)
    aliased, tied = (_near({tuple(pair) for said, *pair in holds if said == kind}) for kind in ("alias", "tie"))
    names = aliased.keys() | tied.keys()
    accounts = {name for name in names if name.startswith("customer:")}
    together = {account: _reach(account, aliased, lambda _: True) for account in accounts}
    too_many = {account for account in accounts if len(together[account]) > MOST_ACCOUNTS}
    person = {account: account if account in too_many else min(together[account]) for account in accounts}
    conflicts = {account: ("too_many", (min(together[account]),)) for account in too_many}

    owners = {name: {person[near] for near in tied[name] & accounts} for name in names - accounts}
    conflicts |= {name: ("shared", tuple(sorted(whose))) for name, whose in owners.items() if len(whose) > 1}
    alone = {name for name, whose in owners.items() if len(whose) < 2}
    customer = dict(person)
    for name in alone:
        group = _reach(name, tied, alone.__contains__)
        whose = {owner for each in group for owner in owners[each]}
        if len(whose) > 1:
            conflicts[name] = ("shared", tuple(sorted(whose)))
        else:
            customer[name] = next(iter(whose), min(group))
    return _within_bounds(customer, accounts, conflicts)


def _within_bounds(
    customer: dict[str, str], accounts: set[str], conflicts: dict[str, tuple[str, tuple[str, ...]]]
) -> Seen:
    members: dict[str, str] = {}
    everybody: Near = {}
    for name, whose in customer.items():
        everybody.setdefault(whose, set()).add(name)
    for whose, names in everybody.items():
        known = names & accounts
        if len(names) > MOST_IDENTITIES:
            conflicts |= {name: ("too_many", (whose,) if known else ()) for name in names - known}
        held = known if len(names) > MOST_IDENTITIES else names
        if len(held) > 1:
            members |= dict.fromkeys(held, whose)
    return members, conflicts


def _what_holds(words: Iterable[Word]) -> set[tuple[str, str, str]]:
    """Of each pair the newest word; of two of one moment the one that parts; of two such the later event."""
    about: dict[tuple[str, str, str], list[tuple[int, bool, str]]] = {}
    for link, at, event in words:
        one, other = sorted((link.one, link.other))
        for kind in ("tie", "alias"):
            if one != other and link.kind in (kind, "part"):
                about.setdefault((kind, one, other), []).append((at, link.kind == "part", event))
    return {pair for pair, told in about.items() if not max(told)[1]}


def _near(pairs: Iterable[tuple[str, ...]]) -> Near:
    found: Near = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


def _reach(start: str, near: Near, may_pass: Callable[[str], bool]) -> set[str]:
    reached, ahead = {start}, [start]
    while ahead:
        new = {name for name in near.get(ahead.pop(), ()) if may_pass(name)} - reached
        reached |= new
        ahead += new
    return reached
