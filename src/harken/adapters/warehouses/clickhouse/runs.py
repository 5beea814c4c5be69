"""What the store remembers of batches: each change of a run is a row, and the last is the run."""

from datetime import datetime

import orjson
import pyarrow as pa

from harken.adapters.warehouses.clickhouse.client import ClickHouse
from harken.domain.ids import RunId
from harken.domain.run import Appended, Run, RunRequest
from harken.kit import sql

q = sql.queries(__package__)

POSITIONS_OF_AN_ATTEMPT = 2**36
_IDS = pa.schema([("id", pa.int64())])
_BLOCKS = pa.schema([("block", pa.string()), ("rows", pa.int64())])
_FAILED = pa.schema([("line", pa.int64()), ("reason", pa.string())])


def begin(store: ClickHouse, request: RunRequest) -> Run:
    columns = str(request.settings.get("columns", ""))
    found = store.fetch(q.unfinished_run, _IDS, fingerprint=request.fingerprint, format=request.format, columns=columns)
    if found.num_rows:
        id_ = found["id"][0].as_py()
        store.execute(q.resume_run, id=id_)
        return Run(id=RunId(id_), resumed=True, done=_done(store, id_), after=_positions(store))
    id_ = store.value(q.last_run, pa.int64()) + 1
    row = {
        "id": id_, "change": 1, "source": request.source, "fingerprint": request.fingerprint, "format": request.format,
        "engine": request.engine, "who": request.who, "settings": orjson.dumps(dict(request.settings)).decode(),
        "columns": columns, "state": "running", "started_at": request.started_at, "counts": "{}",
    }  # fmt: skip
    store.insert("run_change", pa.Table.from_pylist([row]))
    return Run(id=RunId(id_), resumed=False, after=_positions(store))


def _positions(store: ClickHouse) -> int:
    """Where those of this attempt begin: no other has them, not even one that lost its turn and does not know yet."""
    attempt: int = store.value(q.attempts, pa.int64())
    return attempt * POSITIONS_OF_AN_ATTEMPT


def _done(store: ClickHouse, run: int) -> dict[str, Appended]:
    found = store.fetch(q.done_blocks, _BLOCKS, id=run)
    return {row["block"]: Appended(inserted=row["rows"], duplicates=0) for row in found.to_pylist()}


def unsettled(store: ClickHouse, but: int) -> list[Run]:
    found = store.fetch(q.unsettled_runs, _IDS, but=but)["id"].to_pylist()
    return [Run(id=RunId(id_), resumed=True) for id_ in found]


def finish(store: ClickHouse, run: Run, counts: dict[str, object], watermark: datetime | None, at: datetime) -> None:
    store.execute(
        q.finish_run,
        id=run.id,
        counts=orjson.dumps(counts, option=orjson.OPT_NON_STR_KEYS).decode(),
        watermark=watermark,
        at=at,
    )


def fail(store: ClickHouse, run: Run, error: str, at: datetime) -> None:
    store.execute(q.fail_run, id=run.id, error=error, at=at)


def quarantine(store: ClickHouse, run: Run, fingerprint: str, format: str, rows: pa.Table) -> int:
    before = {
        (row["line"], row["reason"])
        for row in store.fetch(q.set_aside_before, _FAILED, fingerprint=fingerprint).to_pylist()
    }
    fresh = [row for row in rows.to_pylist() if (row["line"], row["reason"]) not in before]
    last = store.value(q.last_quarantined, pa.int64())
    more = {"change": 1, "run_id": run.id, "fingerprint": fingerprint, "format": format}
    kept = [{"id": number, **row, **more} for number, row in enumerate(fresh, last + 1)]
    store.insert("quarantine", pa.Table.from_pylist(kept))
    return len(kept)
