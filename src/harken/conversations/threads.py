"""Reply links -> thread roots, whose words ours answer, and links by time where a channel has none.

Whole tables are followed by pointer jumping: every round doubles the distance an event looks up its tree, so a chain
of n replies takes log2(n) joins on any dataframe engine. `root_of_all` and `links_by_time` are the same two functions
for one tree in plain Python; tests hold them equal. Nothing here depends on the order of the rows.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

import narwhals as nw

from harken.domain.event import Channel, Kind
from harken.errors import HarkenError

MAX_ROUNDS = 40
"""Twice as many doublings as a log of 2^40 events needs."""

LINK_GAP_S = 72 * 3600
"""A message without a reply link continues the writer's last one on the channel if that is no older than this."""

MICROSECONDS = 1_000_000

Frame: TypeAlias = nw.LazyFrame[Any]

Materialise: TypeAlias = Callable[[str, Frame], Frame]
"""Writes a round down under a name and gives it back, so that no engine plans all rounds as one query."""

LINKED_KINDS = (Kind.MESSAGE_RECEIVED, Kind.MESSAGE_SENT, Kind.ISSUE_RESOLVED)


class TooDeepError(HarkenError):
    """Following reply links did not end: the ids are not unique."""


def roots(edges: Frame, materialise: Materialise) -> Frame:
    """(id, parent?) -> (id, thread), one row per id; ids are unique strings.

    A parent that is not an id is the root of its children. Links that lead into a cycle end at the cycle's smallest
    id by (length, text): that event's own link is refused, see `count_cycles`.
    """
    parent = nw.col("parent")
    start = edges.select("id", up=parent, value=nw.when(parent.is_null()).then(nw.col("id")))
    found, circling, left = _jump(start, "roots", materialise, unknown="up")
    if left:
        links = edges.join(circling.select("id"), on="id", how="semi")
        found.append(_cut(links, left, materialise))
    return nw.concat([part.select("id", thread="value") for part in found])


def count_cycles(edges: Frame, threads: Frame) -> int:
    """How many circles of reply links `roots` had to cut: roots that claim to answer something."""
    heads = threads.filter(nw.col("id") == nw.col("thread")).select("id")
    return _count(edges.filter(~nw.col("parent").is_null()).join(heads, on="id", how="semi"))


def answered(events: Frame, materialise: Materialise) -> Frame:
    """(id, kind, identity?, parent?) -> (id, identity) of our turns that answer a customer, however far up the tree.

    Our turns without a customer above them are left out.
    """
    ours = nw.col("kind").is_in([Kind.MESSAGE_SENT.value, Kind.ISSUE_RESOLVED.value])
    start = nw.concat(
        [
            events.filter(ours).select("id", up="parent", value=nw.when(nw.col("id").is_null()).then(nw.col("id"))),
            events.filter(~ours).select("id", up=nw.when(nw.col("id").is_null()).then(nw.col("id")), value="identity"),
        ]
    )
    found, _, _ = _jump(start, "answered", materialise, unknown=None)
    named = nw.concat([part.select("id", identity="value") for part in found]).filter(~nw.col("identity").is_null())
    return named.join(events.filter(ours).select("id"), on="id", how="semi")


def _jump(start: Frame, name: str, materialise: Materialise, *, unknown: str | None) -> tuple[list[Frame], Frame, int]:
    """Follow `up` until it is null. -> settled parts (id, up, value), the rows that circle, and how many those are.

    An id looked up in vain settles its row with the column `unknown` (None: with nothing).
    Of the rows that do not circle one at least settles in every round: a chain has no gaps. So a round without
    progress means that only circles are left.
    """
    state = materialise(f"{name}-0", start)
    settled = [state.filter(nw.col("up").is_null())]
    waiting = state.filter(~nw.col("up").is_null())
    before = _count(waiting)
    for number in range(1, MAX_ROUNDS + 1):
        if not before:
            return settled, waiting, 0
        # Settled rows are only looked up, never looked at again: most trees are flat, so rounds shrink quickly.
        state = materialise(f"{name}-{number}", _double(waiting, nw.concat([*settled, waiting]), unknown))
        settled.append(state.filter(nw.col("up").is_null()))
        waiting = state.filter(~nw.col("up").is_null())
        left = _count(waiting)
        if left == before:
            return settled, waiting, left
        before = left
    raise TooDeepError


def _double(waiting: Frame, known: Frame, unknown: str | None) -> Frame:
    table = known.select(key="id", next_up="up", found="value", hit=nw.lit(1))
    joined = waiting.select("id", "up").join(table, left_on="up", right_on="key", how="left")
    value = nw.col("found")
    if unknown:
        value = nw.when(nw.col("hit").is_null()).then(nw.col(unknown)).otherwise(value)
    return joined.select("id", value=value, up="next_up").select("id", "up", "value")


def _cut(links: Frame, size: int, materialise: Materialise) -> Frame:
    """(id, parent) that all lead into circles -> (id, up, value): the circle's smallest id.

    After 2^rounds >= size steps every `up` lies on its circle, and there `low` has seen the whole circle.
    """
    state = materialise("circle-0", links.select("id", up="parent", low="id"))
    for number in range(1, size.bit_length() + 1):
        above = state.select(key="id", next_up="up", next_low="low")
        joined = state.join(above, left_on="up", right_on="key", how="inner")
        state = materialise(f"circle-{number}", joined.select("id", up="next_up", low=_smaller("low", "next_low")))
    lowest = state.select(key="id", value="low")
    return state.select("id", "up").join(lowest, left_on="up", right_on="key", how="inner").select("id", "up", "value")


def _smaller(left: str, right: str) -> nw.Expr:
    """By (length, text), so that `twitter:9` comes before `twitter:10`."""
    one, other = nw.col(left), nw.col(right)
    shorter = one.str.len_chars() < other.str.len_chars()
    first = (one.str.len_chars() == other.str.len_chars()) & (one <= other)
    return nw.when(shorter | first).then(one).otherwise(other)


def _count(frame: Frame) -> int:
    return int(frame.select(rows=nw.len()).collect("pyarrow")["rows"].to_list()[0])


def root_of_all(parents: Mapping[str, str | None]) -> dict[str, str]:
    """id -> parent to id -> root, by the rules of `roots`, for a tree that fits in memory."""
    root: dict[str, str] = {}
    for start in parents:
        path: list[str] = []
        place: dict[str, int] = {}
        at: str | None = start
        while at is not None and at not in root and at not in place and at in parents:
            place[at] = len(path)
            path.append(at)
            at = parents[at]
        root.update(dict.fromkeys(path, _end_of(path, place, at, root)))
    return root


def _end_of(path: list[str], place: Mapping[str, int], at: str | None, root: Mapping[str, str]) -> str:
    if at is None:
        return path[-1]
    if at in place:
        return min(path[place[at] :], key=lambda id_: (len(id_), id_))
    return root.get(at, at)


class Unlinked(NamedTuple):
    """What linking by time looks at: columns of the event table."""

    id: str
    kind: str
    identity: str | None
    channel: str
    at: int  #: microseconds since 1970 UTC
    parent: str | None


def link_by_time(events: Frame, gap_s: int = LINK_GAP_S) -> Frame:
    """(id, kind, identity?, channel, at, parent?, ...) -> the same with `parent` filled where time says so.

    A message without a reply link continues the last one of the same (identity, channel) within `gap_s`, by (at, id).
    Never on Twitter: there a tweet without a parent is its own root.
    """
    linkable = (
        nw.col("kind").is_in([kind.value for kind in LINKED_KINDS])
        & (nw.col("channel") != Channel.TWITTER.value)
        & ~nw.col("identity").is_null()
    )
    previous = events.filter(linkable).select(
        "id",
        "at",
        previous=nw.col("id").shift(1).over("identity", "channel", order_by=["at", "id"]),
        previous_at=nw.col("at").shift(1).over("identity", "channel", order_by=["at", "id"]),
    )
    near = previous.filter(nw.col("at") - nw.col("previous_at") <= gap_s * MICROSECONDS).select(
        key="id", near="previous"
    )
    names = events.collect_schema().names()
    joined = events.join(near, left_on="id", right_on="key", how="left")
    return joined.with_columns(parent=nw.coalesce("parent", "near")).select(*names)


def links_by_time(events: Iterable[Unlinked], gap_s: int = LINK_GAP_S) -> dict[str, str | None]:
    """id -> parent, by the rules of `link_by_time`, for the events of a few customers."""
    events = sorted(events, key=lambda event: (event.at, event.id))
    last: dict[tuple[str, str], Unlinked] = {}
    parents: dict[str, str | None] = {}
    for event in events:
        parents[event.id] = event.parent
        if event.identity is None or event.channel == Channel.TWITTER or event.kind not in LINKED_KINDS:
            continue
        previous = last.get((event.identity, event.channel))
        if event.parent is None and previous and event.at - previous.at <= gap_s * MICROSECONDS:
            parents[event.id] = previous.id
        last[event.identity, event.channel] = event
    return parents
