"""Who is who as the docstring of `profiles.identity` tells it: no union-find, nothing but looking again until nothing changes."""

from collections.abc import Callable, Iterable

from harken.domain.link import Link

Word = tuple[Link, int, str]
Seen = tuple[dict[str, str], dict[str, tuple[str, tuple[str, ...]]]]
MOST_IDENTITIES, MOST_ACCOUNTS = 100, 10


def naive(words: Iterable[Word]) -> Seen:
    """(link, at, event) -> members and conflicts."""
    holds = _what_holds(list(words))
    aliases = [set(pair) for kind, *pair in holds if kind == "alias"]
    ties = [set(pair) for kind, *pair in holds if kind == "tie"]
    names = {name for pair in [*aliases, *ties] for name in pair}
    accounts = {name for name in names if name.startswith("customer:")}
    others = names - accounts
    together = {account: _reach(account, aliases, lambda _: True) for account in accounts}
    too_many = {account for account in accounts if len(together[account]) > MOST_ACCOUNTS}
    person = {account: account if account in too_many else min(together[account]) for account in accounts}
    conflicts = {account: ("too_many", (min(together[account]),)) for account in too_many}

    beside = {
        name: {person[a] for tie in ties if name in tie for a in tie - {name} if a in accounts} for name in others
    }
    conflicts |= {name: ("shared", tuple(sorted(whose))) for name, whose in beside.items() if len(whose) > 1}
    alone = {name for name in others if len(beside[name]) < 2}
    customer = dict(person)
    for name in alone:
        group = _reach(name, ties, alone.__contains__)
        whose = {owner for each in group for owner in beside[each]}
        if len(whose) > 1:
            conflicts[name] = ("shared", tuple(sorted(whose)))
        else:
            customer[name] = next(iter(whose), min(group))

    members: dict[str, str] = {}
    for of in set(customer.values()):
        everybody = {name for name, whose in customer.items() if whose == of}
        if len(everybody) > MOST_IDENTITIES:
            known = everybody & accounts
            conflicts |= {name: ("too_many", (of,) if known else ()) for name in everybody - known}
            everybody = known
        if len(everybody) > 1:
            members |= dict.fromkeys(everybody, of)
    return members, conflicts


def _what_holds(words: list[Word]) -> set[tuple[str, str, str]]:
    """Of each pair the newest word; of two of one moment the one that parts; of two such the later event."""
    pairs = {tuple(sorted(link[1:])) for link, *_ in words if link.one != link.other}
    found = set()
    for one, other in pairs:
        for kind in ("tie", "alias"):
            about = [
                (at, link.kind == "part", event)
                for link, at, event in words
                if {link.one, link.other} == {one, other} and link.kind in (kind, "part")
            ]
            if about and not max(about)[1]:
                found.add((kind, one, other))
    return found


def _reach(start: str, pairs: list[set[str]], may_pass: Callable[[str], bool]) -> set[str]:
    reached, before = {start}, set[str]()
    while reached != before:
        before = set(reached)
        for pair in pairs:
            if pair & reached:
                reached |= {name for name in pair if may_pass(name)}
    return reached
