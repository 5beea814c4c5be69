"""The turns of the threads that new turns touch -> the conversations that should be there, by the batch's own rules."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from harken.conversations.cases import Case, Row, cases_of
from harken.conversations.facts import facts_of_rows
from harken.conversations.threads import Unlinked, links_by_time, root_of_all
from harken.domain.ids import ThreadId


class Placed(NamedTuple):
    """A turn, where it stands in the log, and the thread it is in now (None: it is new)."""

    row: Row
    position: int
    thread: str | None


class Made(NamedTuple):
    """A conversation as the store keeps it; times in microseconds since 1970 UTC."""

    id: str
    thread: str
    identity: str | None
    brand: str
    channel: str
    opened_at: int
    last_at: int
    facts: str
    positions: tuple[int, ...]


def regrouped(turns: Sequence[Placed]) -> list[Made]:
    """All turns of some whole threads, new ones among them -> their conversations. Depends on the set of turns alone."""
    positions = {turn.row.id: turn.position for turn in turns}
    threads = roots(turns)
    together: dict[str, list[Row]] = {}
    for turn in turns:
        together.setdefault(threads[turn.row.id], []).append(turn.row)
    return [
        _made(case, positions) for thread, rows in sorted(together.items()) for case in cases_of(ThreadId(thread), rows)
    ]


def roots(turns: Iterable[Placed]) -> Mapping[str, str]:
    """Id -> thread."""
    links = [
        Unlinked(row.id, row.kind, row.identity, row.channel, row.at, row.in_reply_to) for row in (t.row for t in turns)
    ]
    return root_of_all(links_by_time(links))


def _made(case: Case, positions: Mapping[str, int]) -> Made:
    facts = facts_of_rows(case.rows, case.bystander_since)
    return Made(
        id=case.id,
        thread=case.thread,
        identity=case.identity,
        brand=case.brand,
        channel=case.channel,
        opened_at=case.rows[0].at,
        last_at=case.rows[-1].at,
        facts=orjson.dumps(facts).decode(),
        positions=tuple([positions[row.id] for row in case.rows]),
    )
