"""A folder of Parquet files that a batch writes and reads back in slices; gone when the batch ends."""

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from harken.errors import UnsuitableError

ROW_GROUP = 50_000


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows [offset, offset + rows) of what an engine wrote: small enough to hand to another process."""

    path: Path
    offset: int
    rows: int

    def read(self, columns: list[str] | None = None) -> pa.Table:
        seen = 0
        parts: list[pa.Table] = []
        for path in files_of(self.path):
            with pq.ParquetFile(path) as file:
                first = seen
                groups: list[int] = []
                for index in range(file.num_row_groups):
                    size = file.metadata.row_group(index).num_rows
                    if seen + size > self.offset and seen < self.offset + self.rows:
                        first = first if groups else seen
                        groups.append(index)
                    seen += size
                if groups or not parts:
                    table = file.read_row_groups(groups, columns=columns)
                    start = max(self.offset, first)
                    parts.append(table.slice(start - first, self.offset + self.rows - start))
        return pa.concat_tables(parts)


class Spool:
    """The working folder of one run. Texts lie here in clear while it works: mode 0700, removed at the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def write(self, name: str, tables: Iterable[pa.Table | pa.RecordBatch], schema: pa.Schema) -> Path:
        """Stream tables into one file, a row group a table."""
        path = self.path(name)
        with pq.ParquetWriter(path, schema, compression="snappy") as writer:
            for part in tables:
                table = pa.Table.from_batches([part]) if isinstance(part, pa.RecordBatch) else part
                writer.write_table(table.cast(schema), row_group_size=ROW_GROUP)
        return path


@contextmanager
def spool_in(home: Path, name: str) -> Iterator[Spool]:
    """A fresh folder in `home/spool`, called after `name`; what killed runs left there is removed first."""
    parent = home / "spool"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(parent)
        folder, lock = _locked(parent, name)
    except OSError as wrong:
        raise UnsuitableError(
            f"Cannot work in {parent}: {wrong.strerror}. Set HARKEN_HOME to a folder of yours."
        ) from wrong
    try:
        yield Spool(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_leftovers(parent: Path) -> None:
    """Folders that nobody holds any more: a run that ended, however it ended, has let go of its lock."""
    for folder in parent.iterdir():
        if (lock := _lock(folder)) is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _locked(parent: Path, name: str) -> tuple[Path, int]:
    """Two runs in one home, into different stores, have folders of their own, whatever their numbers."""
    while True:
        folder = Path(mkdtemp(prefix=f"{name}-", dir=parent))
        lock = _lock(folder)
        if lock is not None and folder.exists():
            return folder, lock
        if lock is not None:
            os.close(lock)  # somebody who tidied up was quicker than we


def _lock(folder: Path) -> int | None:
    """None when another process has it, or it is gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def files_of(path: Path) -> list[Path]:
    """What an engine wrote, in the order of its rows: one file, or the parts of a folder by their names."""
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def rows_in(path: Path) -> int:
    return sum(int(pq.read_metadata(file).num_rows) for file in files_of(path))


def batches(path: Path, rows: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """At most `rows` rows at a time, in order."""
    for part in files_of(path):
        with pq.ParquetFile(part) as file:
            yield from file.iter_batches(rows, columns=columns)


def slices(path: Path, rows: int) -> list[Slice]:
    """Cut what an engine wrote into pieces of `rows` rows."""
    total = rows_in(path)
    return [Slice(path, at, min(rows, total - at)) for at in range(0, total, rows)]


def slices_by(path: Path, key: str, rows: int) -> list[Slice]:
    """Cut what an engine wrote sorted by `key` into pieces of about `rows` rows that never part a key."""
    keys = pq.read_table(path, columns=[key])[key].combine_chunks()
    total = len(keys)
    if total == 0:
        return []
    changes = pc.indices_nonzero(pc.not_equal(keys.slice(1), keys.slice(0, total - 1))).to_numpy() + 1
    cuts, start = [], 0
    while start < total:
        later = changes[changes.searchsorted(start + rows) :]
        stop = int(later[0]) if len(later) else total
        cuts.append(Slice(path, start, stop - start))
        start = stop
    return cuts
