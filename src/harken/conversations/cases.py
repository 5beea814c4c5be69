"""The turns of one reply tree -> one case per customer, brand and episode.

A tree may hold several customers: somebody asks, others chime in, the brand answers each. Every turn ends up in exactly
one case, and the cases depend on the set of turns alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from harken.domain.conversation import Turn
from harken.domain.event import Channel, Kind, Reading
from harken.domain.ids import ConversationId, EventId, IdentityId, ThreadId

EPISODE_GAP_DAYS = 14
"""A customer who writes again after so long a silence has a new issue."""

EPISODE_GAP_US = EPISODE_GAP_DAYS * 86_400_000_000
NOBODY = "-"
_OURS = frozenset({Kind.MESSAGE_SENT.value, Kind.ISSUE_RESOLVED.value})
_TIME = attrgetter("at", "id")
SENT, CLOSED = Kind.MESSAGE_SENT.value, Kind.ISSUE_RESOLVED.value
OURS = frozenset((SENT, CLOSED))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EMPTY: Mapping[str, tuple[str, ...]] = {}


class Row(NamedTuple):
    """A turn as the log's thin table gives it: no text, times as integers. Millions of these are made."""

    id: str
    at: int  #: microseconds since 1970 UTC
    kind: str
    identity: str | None
    author: str
    channel: str
    in_reply_to: str | None = None
    addressed_to: str | None = None
    language: str = "und"
    sentiment: int | None = None
    urgency: int = 0
    signals: int = 0
    evidence: Mapping[str, tuple[str, ...]] = _EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One issue of one customer with one brand; `rows` in time order, never empty."""

    id: ConversationId
    thread: ThreadId
    identity: IdentityId | None
    brand: str
    channel: str  #: of the customer's last message, else of the last turn
    rows: tuple[Row, ...]
    bystander_since: int | None = None  #: seconds since 1970 UTC; see Facts


def cases_of(thread: ThreadId, rows: Iterable[Row]) -> list[Case]:
    """All turns of one thread -> its cases, ordered by first turn. Ids are unique."""
    ordered = sorted(rows, key=_TIME)
    pair = _only_pair(ordered)
    if pair is not None:
        spelling = {pair[1]: next((row.author for row in ordered if row.kind == SENT), pair[1])}
        return [
            _case(thread, pair, spelling, number, episode) for number, episode in enumerate(_episodes(ordered), start=1)
        ]
    return _cases_of_several(thread, ordered)


def _only_pair(rows: Sequence[Row]) -> tuple[str, str] | None:
    """(identity, brand in lower case) where one customer talks with at most one brand, which is nearly every thread.

    None where the tree has to be looked at. Tests hold the two ways equal.
    """
    customers = {row.identity for row in rows if row.kind not in _OURS}
    brands = {row.author.lower() for row in rows if row.kind == SENT}
    customer = next(iter(customers)) if len(customers) == 1 else None
    if customer is None or len(brands) > 1:
        return None
    if any(row.kind in _OURS and row.identity not in (None, customer) for row in rows):
        return None
    if brands:
        return customer, next(iter(brands))
    return customer, next((row.addressed_to for row in rows if row.addressed_to), "").lower()


def _cases_of_several(thread: ThreadId, ordered: list[Row]) -> list[Case]:
    tree = _Tree.of(thread, ordered)
    groups: dict[tuple[str | None, str], list[Row]] = {}
    for row, owner in zip(tree.rows, _owners(tree), strict=True):
        groups.setdefault(owner, []).append(row)
    cases = [
        replace(_case(thread, owner, tree.spelling, number, episode), bystander_since=_bystander_since(tree, turns))
        for owner, turns in groups.items()
        for number, episode in enumerate(_episodes(turns), start=1)
    ]
    return sorted(cases, key=lambda case: (case.rows[0].at, case.rows[0].id))


def _bystander_since(tree: "_Tree", turns: Sequence[Row]) -> int | None:
    """When we first spoke with others beside turns that neither name us nor hang from a word of ours, unanswered."""
    if any(not _is_customers(row) or row.addressed_to or tree.brand_above[row.id] for row in turns):
        return None
    first_of_ours = next((row.at for row in tree.rows if row.kind == SENT), None)
    return None if first_of_ours is None else max(first_of_ours, turns[0].at) // 1_000_000


def turn_of(row: Row, text: str = "") -> Turn:
    """The noun for a row, with its cleaned text where somebody will read it."""
    return Turn(
        id=EventId(row.id),
        at=_EPOCH + timedelta(microseconds=row.at),
        from_customer=_is_customers(row),
        author=row.author,
        channel=Channel(row.channel),
        reading=Reading(
            language=row.language,
            sentiment=row.sentiment,
            urgency=row.urgency,
            signals=row.signals,
            evidence=row.evidence,
        ),
        closes=row.kind == CLOSED,
        in_reply_to=EventId(row.in_reply_to) if row.in_reply_to else None,
        addressed_to=row.addressed_to,
        text=text,
    )


@dataclass(slots=True)
class _Tree:
    """What the rows say of each other. Lists run along `rows`, which are in time order."""

    rows: list[Row]
    spelling: dict[str, str]  #: brand in lower case -> as the brand first wrote itself
    customer_above: dict[str, str | None] = field(default_factory=dict)  #: the row's own customer, or the nearest above
    brand_above: dict[str, str | None] = field(default_factory=dict)  #: the row's own brand, or the nearest above
    brand_below: dict[str, str] = field(
        default_factory=dict
    )  #: of the earliest answer to the row or what hangs from it
    parents: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, thread: ThreadId, rows: Iterable[Row]) -> "_Tree":
        ordered = sorted(rows, key=attrgetter("at", "id"))
        by_id = {row.id: row for row in ordered}
        spelling: dict[str, str] = {}
        for row in ordered:
            if row.kind == SENT:
                spelling.setdefault(row.author.lower(), row.author)
        tree = cls(rows=ordered, spelling=spelling)
        for row in ordered:
            # The root of a circle has a parent too; the thread's own id is where the circle was cut.
            known = row.in_reply_to in by_id and row.id != thread
            tree.parents[row.id] = row.in_reply_to if known else None
        for row in ordered:
            tree._look_up(row.id, by_id)
        for row in ordered:
            if row.kind == SENT:
                tree._mark_below(row)
        return tree

    def _look_up(self, start: str, by_id: Mapping[str, Row]) -> None:
        path: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in self.customer_above and at not in path:
            path[at] = None
            at = self.parents[at]
        customer = self.customer_above.get(at) if at is not None else None
        brand = self.brand_above.get(at) if at is not None else None
        for id_ in reversed(path):
            row = by_id[id_]
            if _is_customers(row):
                customer = row.identity or customer
            elif row.kind == SENT:
                brand = row.author.lower()
            self.customer_above[id_], self.brand_above[id_] = customer, brand

    def _mark_below(self, answer: Row) -> None:
        """Earliest answers come first, so what is marked already has all above it marked as well."""
        at = self.parents[answer.id]
        while at is not None and at not in self.brand_below:
            self.brand_below[at] = answer.author.lower()
            at = self.parents[at]


def _owners(tree: _Tree) -> list[tuple[str | None, str]]:
    """(identity, brand in lower case) of each row."""
    customers = {row.identity for row in tree.rows if _is_customers(row) and row.identity}
    alone = next(iter(customers)) if len(customers) == 1 else None
    who = [
        row.identity if _is_customers(row) else tree.customer_above[row.id] or row.identity or alone
        for row in tree.rows
    ]
    said = [_brand_said(row, tree) for row in tree.rows]
    usual = _usual_brands(tree, who, said)
    latest: dict[str | None, str] = {}
    owners: list[tuple[str | None, str]] = []
    for identity, brand in zip(who, said, strict=True):
        # A word that names nobody goes on with whom the customer spoke to before.
        latest[identity] = brand or latest.get(identity) or usual[identity]
        owners.append((identity, latest[identity]))
    return owners


def _brand_said(row: Row, tree: _Tree) -> str:
    """The brand that the tree itself ties to the row, in lower case; empty where it does not say."""
    if row.kind == SENT or (row.kind == CLOSED and row.author.lower() in tree.spelling):
        return row.author.lower()
    mention = (row.addressed_to or "").lower()
    return tree.brand_above[row.id] or tree.brand_below.get(row.id) or (mention if mention in tree.spelling else "")


def _usual_brands(tree: _Tree, who: Sequence[str | None], said: Sequence[str]) -> dict[str | None, str]:
    """Each customer's brand where the tree does not tie a turn to one: their first, else the only one of the tree.

    While nobody has answered, the first name they called is the best guess, and it stays when that one answers.
    """
    first: dict[str | None, str] = {}
    called: dict[str | None, str] = {}
    for row, identity, brand in zip(tree.rows, who, said, strict=True):
        if brand:
            first.setdefault(identity, brand)
        if row.addressed_to and not tree.spelling:
            called.setdefault(identity, row.addressed_to.lower())
    only = next(iter(tree.spelling)) if len(tree.spelling) == 1 else ""
    return {identity: first.get(identity) or only or called.get(identity, "") for identity in who}


def _episodes(rows: Sequence[Row]) -> list[list[Row]]:
    episodes = [[rows[0]]]
    for before, row in pairwise(rows):
        if row.at - before.at >= EPISODE_GAP_US and _is_customers(row):
            episodes.append([])
        episodes[-1].append(row)
    return episodes


def _case(
    thread: ThreadId, owner: tuple[str | None, str], spelling: Mapping[str, str], number: int, rows: list[Row]
) -> Case:
    identity, brand = owner
    name = f"{thread}/{identity or NOBODY}/{brand}"
    last = next((row for row in reversed(rows) if _is_customers(row)), rows[-1])
    return Case(
        id=ConversationId(name if number == 1 else f"{name}#{number}"),
        thread=thread,
        identity=IdentityId(identity) if identity else None,
        brand=spelling.get(brand, brand),
        channel=last.channel,
        rows=tuple(rows),
    )


def _is_customers(row: Row) -> bool:
    return row.kind not in OURS
