"""New events in the log -> conversations and profile states, replaced in one transaction.

Conversations are recomputed for every thread that grew; profile states of the new events are merged into what is
there. The run is marked settled in the same transaction, so a kill before it changes nothing and a kill after it
repeats nothing.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import narwhals as nw
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harken.conversations.cases import Case, Row, cases_of
from harken.conversations.facts import facts_of_rows
from harken.conversations.threads import LINKED_KINDS
from harken.domain.ids import ThreadId
from harken.flow import linking, packing, thin
from harken.flow.load import Load
from harken.flow.relating import Related
from harken.flow.tables import CONVERSATIONS
from harken.kit.spool import Slice, rows_in, slices_by
from harken.profiles.features import definitions_hash

TURNS_AT_ONCE = 60_000
_MESSAGES = [kind.value for kind in LINKED_KINDS]
_TURN_COLUMNS = ["thread", "position", *Row._fields]


def settle(load: Load, related: Related, parts: Path | None) -> None:
    """Everything derived from the run's events, or nothing. `parts`: see `thin.new_events`."""
    new = thin.new_events(load, parts)
    turns = turns_of(load, related, new)
    linking.say(load, new, anew=False)
    load.step("conversations", rows_in(turns))
    with load.warehouse.settling() as settling:
        if related.neighbours is not None:
            settling.forget_threads(pc.unique(pq.read_table(related.neighbours, columns=["thread"])["thread"]))
        for piece, table in load.crew.each(conversations_in, slices_by(turns, "thread", TURNS_AT_ONCE)):
            settling.conversations(table)
            load.progress.advance(piece.rows)
        load.step("profiles")
        settling.profiles(packing.states_of(load, new), merge=not load.first)
        settling.projected("profile", definitions_hash())
        settling.settled(load.run)
    load.done()


def turns_of(load: Load, related: Related, new: Path) -> Path:
    """The turns of every thread that grew, whole threads together in time order."""
    columns = [name for name in _TURN_COLUMNS if name != "thread"]
    parts = [load.engine.scan(new).filter(nw.col("kind").is_in(_MESSAGES)).select(*columns)]
    if related.neighbours is not None:
        parts.append(load.engine.scan(related.neighbours).select(*columns))
    placed = nw.concat(parts).join(load.engine.scan(related.threads).select("id", "thread"), on="id", how="inner")
    return load.engine.write(placed.select(*_TURN_COLUMNS).sort("thread", "at", "id"), load.spool.path("turns"))


def conversations_in(turns: Slice) -> tuple[Slice, pa.Table]:
    """Whole threads -> their conversations, as rows of the store. Runs in a worker."""
    made = [
        row for thread, rows, positions in _threads(turns.read()) for row in _written(cases_of(thread, rows), positions)
    ]
    return turns, pa.Table.from_pylist(made, schema=CONVERSATIONS)


def _threads(table: pa.Table) -> Iterator[tuple[ThreadId, list[Row], dict[str, int]]]:
    columns = [table[name].to_pylist() for name in _TURN_COLUMNS]
    for thread, found in groupby(zip(*columns, strict=True), key=itemgetter(0)):
        rows, positions = [], {}
        for values in found:
            positions[values[2]] = values[1]
            evidence = values[-1]
            rows.append(Row._make((*values[2:-1], orjson.loads(evidence) if evidence else {})))
        yield ThreadId(thread), rows, positions


def _written(cases: list[Case], positions: dict[str, int]) -> Iterator[dict[str, Any]]:
    for case in cases:
        facts = facts_of_rows(case.rows, case.bystander_since)
        yield {
            "id": case.id,
            "thread": case.thread,
            "identity": case.identity,
            "brand": case.brand,
            "channel": case.channel,
            "opened_at": case.rows[0].at,
            "last_at": case.rows[-1].at,
            "facts": orjson.dumps(facts).decode(),
            "positions": [positions[row.id] for row in case.rows],
        }
