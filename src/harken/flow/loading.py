"""A file -> events that passed every check, and what did not, with its line and reason."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import narwhals as nw
import orjson
import pyarrow as pa

from harken.errors import UnsuitableError
from harken.flow.load import Load
from harken.intake import normalise
from harken.intake.mending import mend
from harken.intake.quality import RawBlock, Reject
from harken.intake.reading_csv import SCHEMA, read_csv
from harken.intake.reading_events import read_events
from harken.kit.spool import rows_in

READ_ROWS = 100_000
_NARROW = [name for name in normalise.EVENTS.names if name != "text"]
EVENTS_SOURCE = "events"
"""The prefix of ids that bring none of their own."""


@dataclass(slots=True, kw_only=True)
class Checked:
    """Rows read = rows in `events` + duplicates + rejects."""

    raw: Path  #: what was read; the texts stay there
    events: Path  #: the accepted, without their text
    rows_read: int = 0
    duplicates: int = 0
    rejects: list[Reject] = field(default_factory=list)
    repaired: Counter[str] = field(default_factory=Counter)

    def by_reason(self) -> dict[str, int]:
        return dict(Counter(str(reject.reason) for reject in self.rejects))


def fingerprint_of(path: Path) -> str:
    """Names the content: the same file under another name is the same run."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except IsADirectoryError as wrong:
        raise UnsuitableError(f"{path} is a folder; name a file.") from wrong
    except FileNotFoundError as wrong:
        raise UnsuitableError(f"{path} does not exist.") from wrong
    except PermissionError as wrong:
        raise UnsuitableError(f"{path} may not be read by this user.") from wrong


def blocks_of(path: Path, format: str, columns: Mapping[str, str], now_us: int) -> Iterator[RawBlock]:
    if format == "events":
        return read_events(path, source=EVENTS_SOURCE, now_us=now_us, block_rows=READ_ROWS)
    return read_csv(path, columns=columns, block_rows=READ_ROWS)


def check(load: Load, blocks: Iterable[RawBlock], format: str, now_us: int) -> Checked:
    """Read, mend, normalise, and sort out what is twice or wrong."""
    checked = Checked(raw=load.spool.path("raw"), events=load.spool.path("events"))
    raw = load.spool.write("raw", _tables(load, blocks, checked), SCHEMA if format == "twcs" else normalise.EVENTS)
    checked.rows_read += rows_in(raw)
    load.step("checking")
    scanned = load.engine.scan(raw)
    if format == "twcs":
        normal = load.materialise("normal", normalise.normalise(scanned, now_us=now_us))
    else:
        fine = nw.lit(None, nw.String)  # a line that is no event was set aside while it was read
        normal = load.materialise("normal", scanned.drop("text").with_columns(reason=fine, repaired=fine))
    written = normalise.texts(scanned)
    again = load.materialise("repeated", normalise.repeated(normal))
    parts = normalise.check(normal, again if _count(load, again) else None, written)
    load.engine.write(parts.accepted.select(*_NARROW), checked.events)
    checked.duplicates += _count(load, parts.duplicates) if parts.duplicates is not None else 0
    checked.rejects += _rejects(load, parts.quarantined, scanned)
    checked.repaired.update(_repaired(load, normal))
    return checked


def _repaired(load: Load, normal: nw.LazyFrame[Any]) -> dict[str, int]:
    mended = normal.filter(nw.col("reason").is_null() & ~nw.col("repaired").is_null())
    counts = load.engine.collect(mended.group_by("repaired").agg(rows=nw.len()))
    return dict(zip(counts["repaired"].to_pylist(), counts["rows"].to_pylist(), strict=True))


def _tables(load: Load, blocks: Iterable[RawBlock], checked: Checked) -> Iterator[pa.Table]:
    for block in map(mend, blocks):
        checked.rejects += block.rejects
        checked.rows_read += len(block.rejects)
        checked.repaired.update(block.repaired)
        load.progress.advance(block.size)
        yield block.table


def _count(load: Load, frame: nw.LazyFrame[Any]) -> int:
    return int(load.engine.collect(frame.select(rows=nw.len()))["rows"][0].as_py())


def _rejects(load: Load, quarantined: nw.LazyFrame[Any], raw: nw.LazyFrame[Any]) -> list[Reject]:
    """The rows as they came, so that a later run can try again."""
    reasons = quarantined.select("reason", at_line="line")
    joined = raw.join(reasons, left_on="line", right_on="at_line", how="inner").sort("line")
    rejects = []
    for row in load.engine.collect(joined).to_pylist():
        reason = row.pop("reason")
        rejects.append(Reject(line=row["line"], reason=reason, raw=orjson.dumps(row).decode()))
    return rejects
