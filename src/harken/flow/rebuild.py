"""The log -> who is who, every conversation and profile anew; or compared with what is stored.

Projections are pure functions of the log, so this is the cure for a changed definition and the proof of the others.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import orjson
import pyarrow as pa

from harken.domain.ids import RunId
from harken.domain.run import Run
from harken.flow import linking, packing, pool, relating, settling, thin
from harken.flow.desk import Desk
from harken.flow.dossier import microseconds
from harken.flow.load import Load
from harken.flow.ports import Progress
from harken.flow.tables import CONVERSATIONS
from harken.kit.spool import batches, slices_by, spool_in
from harken.profiles import read, stored
from harken.profiles.features import EVENT_FEATURES, FEATURES, definitions_hash

ROWS_AT_ONCE = 5_000
Packed: TypeAlias = tuple[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    customers: int
    features: int
    values: int
    mismatches: int
    seconds: float


def rebuild(desk: Desk, progress: Progress) -> Rebuilt:
    """Replace every conversation and profile state by what the log says."""
    with desk.warehouse.one_batch_at_a_time(), _load(desk, progress) as load:
        events, turns = _from_the_log(load)
        linking.say(load, events, anew=True)
        load.step("conversations")
        with desk.warehouse.settling() as store:
            store.forget_everything()
            for table in _conversations(load, turns):
                store.conversations(table)
            load.step("profiles")
            store.profiles(packing.states_of(load, events), merge=False)
            store.projected("profile", definitions_hash())
            store.settled_everything()
        customers = desk.warehouse.totals().customers
        return _report(load, customers, customers * len(EVENT_FEATURES), 0)


def check(desk: Desk, progress: Progress) -> Rebuilt:
    """Compare every stored value with the one recomputed from the log, as of the store's newest event."""
    with desk.warehouse.one_batch_at_a_time(), _load(desk, progress) as load:
        events, turns = _from_the_log(load)
        newest = desk.warehouse.totals().watermark
        until = microseconds(newest) + 1 if newest else 0
        load.step("comparing profiles")
        profiles = _Comparison(lambda packed: read.read([stored.from_bytes(packed)], until))
        profiles.compare(desk.warehouse.all_states(ROWS_AT_ONCE), _pairs(packing.states_of(load, events)))
        load.step("comparing conversations")
        conversations = _Comparison(orjson.loads)
        conversations.compare(desk.warehouse.all_facts(ROWS_AT_ONCE), _facts(load, turns))
        load.step("comparing who is who")
        links = _Comparison(orjson.loads)
        links.compare(desk.warehouse.all_links(ROWS_AT_ONCE), linking.pairs(load, events))
        compared = (profiles, conversations, links)
        return _report(
            load, profiles.keys, sum(each.values for each in compared), sum(each.mismatches for each in compared)
        )


class _Comparison:
    """Two streams of (key, packed values) in the order of keys, value by value."""

    def __init__(self, opened: Callable[[bytes], Mapping[str, object]]) -> None:
        self._opened = opened
        self.keys = self.values = self.mismatches = 0

    def compare(self, kept: Iterator[Packed], made: Iterator[Packed]) -> None:
        left, right = next(kept, None), next(made, None)
        while left or right:
            if left and (right is None or left[0] < right[0]):
                self._count(left[1], None)
                left = next(kept, None)
            elif right and (left is None or right[0] < left[0]):
                self._count(right[1], None)
                right = next(made, None)
            elif left and right:
                self._count(left[1], right[1])
                left, right = next(kept, None), next(made, None)

    def _count(self, one: bytes, other: bytes | None) -> None:
        values = self._opened(one)
        self.keys += 1
        self.values += len(values)
        if other is None:
            self.mismatches += len(values)
        elif one != other:
            wanted = self._opened(other)
            self.mismatches += sum(values.get(name) != wanted.get(name) for name in values.keys() | wanted.keys())


def _from_the_log(load: Load) -> tuple[Path, Path]:
    """The thin events, and the turns of every thread."""
    load.step("reading the log")
    events = thin.all_events(load)
    load.step("threads")
    return events, settling.turns_of(load, relating.relate(load, events), events)


def _conversations(load: Load, turns: Path) -> Iterator[pa.Table]:
    for piece, table in load.crew.each(settling.conversations_in, slices_by(turns, "thread", settling.TURNS_AT_ONCE)):
        yield table
        load.progress.advance(piece.rows)


def _facts(load: Load, turns: Path) -> Iterator[Packed]:
    path = load.spool.write("conversations", _conversations(load, turns), CONVERSATIONS)
    ordered = load.engine.write(load.engine.scan(path).select("id", "facts").sort("id"), load.spool.path("facts"))
    for batch in batches(ordered, ROWS_AT_ONCE):
        for key, facts in zip(batch["id"].to_pylist(), batch["facts"].to_pylist(), strict=True):
            yield key, facts.encode()


def _pairs(tables: Iterator[pa.Table]) -> Iterator[Packed]:
    for table in tables:
        for identity, state in zip(table["identity"].to_pylist(), table["state"].to_pylist(), strict=True):
            yield identity, state.encode()


def _report(load: Load, customers: int, values: int, mismatches: int) -> Rebuilt:
    load.done()
    return Rebuilt(
        customers=customers,
        features=len(FEATURES),
        values=values,
        mismatches=mismatches,
        seconds=round(load.elapsed(), 3),
    )


@contextmanager
def _load(desk: Desk, progress: Progress) -> Iterator[Load]:
    with spool_in(desk.home, "rebuild") as spool, pool.crew_of(desk) as crew:
        yield Load(
            run=Run(id=RunId(0), resumed=False),
            warehouse=desk.warehouse,
            engine=desk.engine(spool.folder),
            spool=spool,
            crew=crew,
            progress=progress,
            clock=desk.bench.clock,
            first=True,
        )
