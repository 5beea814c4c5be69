"""Rows that failed a check: kept sealed with their reason and line, and tried again after something was mended."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pyarrow as pa

from harken.flow.desk import Desk
from harken.flow.load import Load
from harken.flow.loading import EVENTS_SOURCE
from harken.intake import reading_events
from harken.intake.quality import RawBlock, Reason, Reject
from harken.intake.reading_csv import SCHEMA
from harken.privacy import keys
from harken.privacy.ring import KeyRing
from harken.privacy.sealing import Body

ROWS_AT_ONCE = 10_000
_STUCK = {
    "events": frozenset({Reason.CONFLICTING_DUPLICATE}),
    "twcs": frozenset({Reason.CONFLICTING_DUPLICATE, Reason.BROKEN_ROW}),
}
"""What no second look mends: alone, a row no longer shows what it contradicts, and a broken one was kept as one text."""


def set_aside(load: Load, fingerprint: str, format: str, rejects: Sequence[Reject], desk: Desk) -> None:
    """Sealed with a key of the run's own: nobody knows yet whose words they are."""
    if not rejects:
        return
    subject = _subject(fingerprint)
    wrapped = _key(subject, desk)
    ring = KeyRing(desk.bench.master)
    sealed = [ring.seal(subject, wrapped, _name(fingerprint, reject.line), Body(reject.raw)) for reject in rejects]
    rows = {"line": [r.line for r in rejects], "reason": [str(r.reason) for r in rejects], "sealed": sealed}
    load.warehouse.quarantine(load.run, fingerprint, format, pa.table(rows))


def waiting(load: Load, format: str, desk: Desk) -> list[dict[str, Any]]:
    """Every kept row of a format, opened: id, reason, raw."""
    ring = KeyRing(desk.bench.master)
    found: list[dict[str, Any]] = []
    after = 0
    while rows := load.warehouse.quarantined(after, ROWS_AT_ONCE):
        after = rows[-1]["id"]
        for row in rows:
            if row["format"] == format:
                subject = _subject(row["fingerprint"])
                opened = ring.open(subject, _key(subject, desk), _name(row["fingerprint"], row["line"]), row["sealed"])
                found.append({"id": row["id"], "reason": row["reason"], "raw": opened.text})
    return found


def blocks(kept: Sequence[dict[str, Any]], format: str, now_us: int) -> Iterator[RawBlock]:
    """Kept rows as a source: the row's number in quarantine stands for its line."""
    for at in range(0, len(kept), ROWS_AT_ONCE):
        rows = kept[at : at + ROWS_AT_ONCE]
        stuck = [row for row in rows if row["reason"] in _STUCK[format]]
        fresh = [row for row in rows if row["reason"] not in _STUCK[format]]
        block = _events(fresh, now_us) if format == "events" else _cells(fresh)
        again = [Reject(line=row["id"], reason=Reason(row["reason"]), raw=row["raw"]) for row in stuck]
        yield replace(block, rejects=(*block.rejects, *again))


def _events(rows: Sequence[dict[str, Any]], now_us: int) -> RawBlock:
    return reading_events.parse([(row["id"], row["raw"].encode()) for row in rows], EVENTS_SOURCE, now_us)


def _cells(rows: Sequence[dict[str, Any]]) -> RawBlock:
    cells = [{**orjson.loads(row["raw"]), "line": row["id"]} for row in rows]
    return RawBlock(table=pa.Table.from_pylist(cells, schema=SCHEMA))


def release(load: Load, kept: Sequence[dict[str, Any]], rejects: Sequence[Reject], at: Any) -> None:
    still = {reject.line for reject in rejects}
    load.warehouse.release([row["id"] for row in kept if row["id"] not in still], at)


def _key(subject: str, desk: Desk) -> bytes:
    wanted = pa.array([subject])
    found = desk.warehouse.keys(wanted)
    if not found.num_rows:
        [(_, wrapped)] = keys.wrap_many(desk.bench.master, [subject])
        desk.warehouse.add_keys(pa.table({"subject": wanted, "wrapped": pa.array([wrapped], pa.binary())}))
        found = desk.warehouse.keys(wanted)
    blob: bytes = found["wrapped"][0].as_py()
    return blob


def _subject(fingerprint: str) -> str:
    return f"quarantine:{fingerprint[:16]}"


def _name(fingerprint: str, line: int) -> str:
    return f"{fingerprint[:16]}:{line}"
