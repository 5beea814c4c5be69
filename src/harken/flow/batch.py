"""What comes in, from the file to the profiles.

    ingest   file -> checked events -> threads -> log -> conversations and profiles   a transaction a block, one to settle
    retry    quarantine -> the same path again, after something was mended

Each may be run again after a crash: the store says what is already done.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from harken.domain.run import IngestReport, RunRequest
from harken.errors import HarkenError, UnsuitableError
from harken.flow import appending, loading, pool, quarantine, relating, settling, thin
from harken.flow.appending import InTheLog
from harken.flow.desk import Desk
from harken.flow.dossier import microseconds
from harken.flow.load import Load
from harken.flow.loading import Checked
from harken.flow.ports import Progress
from harken.kit.spool import Spool, spool_in
from harken.profiles.features import definitions_hash

QUARANTINE = "quarantine"
"""The fingerprint of every retry, so that the next one settles what an interrupted one brought in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What to ingest. `columns`: our names to the file's."""

    path: Path
    format: str
    columns: Mapping[str, str] = field(default_factory=dict)
    with_mood: bool = True  #: language and sentiment too; without, an ingest takes about half the time


def ingest(source: Source, desk: Desk, progress: Progress) -> IngestReport:
    """File -> checked events -> threads -> log -> conversations and profiles."""
    fingerprint = loading.fingerprint_of(source.path)
    with desk.warehouse.one_batch_at_a_time(), _run(source, fingerprint, desk, progress) as load:
        load.step("reading", source.path.stat().st_size)
        now_us = microseconds(desk.bench.clock())
        blocks = loading.blocks_of(source.path, source.format, source.columns, now_us)
        checked = loading.check(load, blocks, source.format, now_us)
        quarantine.set_aside(load, fingerprint, source.format, checked.rejects, desk)
        return _taken_in(load, source, checked, desk)


def retry(format: str, desk: Desk, progress: Progress) -> IngestReport:
    """Quarantine -> the same path again. What passes now is in the log and released; the rest stays."""
    source = Source(path=Path("quarantine"), format=format)
    now = desk.bench.clock()
    with desk.warehouse.one_batch_at_a_time(), _run(source, QUARANTINE, desk, progress) as load:
        load.step("reading")
        waiting = quarantine.waiting(load, format, desk)
        now_us = microseconds(now)
        checked = loading.check(load, quarantine.blocks(waiting, format, now_us), format, now_us)
        report = _taken_in(load, source, checked, desk)
        quarantine.release(load, waiting, checked.rejects, now)
        return report


def _taken_in(load: Load, source: Source, checked: Checked, desk: Desk) -> IngestReport:
    _settle_what_was_left(load, desk)
    load.step("threads")
    related = relating.relate(load, checked.events)
    appended = appending.append(load, checked, related, desk, with_mood=source.with_mood)
    if appended.inserted or load.run.resumed:
        settling.settle(load, related, appended.thin)
    return _report(load, source, checked, appended, desk)


def _settle_what_was_left(load: Load, desk: Desk) -> None:
    """Events that another file's interrupted run brought in, before new ones are told from them or join them."""
    for run in load.warehouse.unsettled(load.run):
        folder = load.spool.folder / f"run-{run.id}"
        folder.mkdir()
        left = replace(load, run=run, spool=Spool(folder), engine=desk.engine(folder))
        left.step("what an interrupted run left")
        events = thin.new_events(left, None)
        settling.settle(left, relating.relate(left, events), events)


def _report(load: Load, source: Source, checked: Checked, appended: InTheLog, desk: Desk) -> IngestReport:
    load.step("counting")
    totals = desk.warehouse.totals()
    load.done()
    report = IngestReport(
        run_id=load.run.id,
        source=str(source.path),
        rows_read=checked.rows_read,
        accepted=appended.inserted,
        duplicates=checked.duplicates + appended.duplicates,
        quarantined=checked.by_reason(),
        repaired=dict(checked.repaired),
        watermark=totals.watermark,
        threads=totals.threads,
        largest_thread=totals.largest_thread,
        conversations=totals.conversations,
        customers=totals.customers,
        seconds=round(load.elapsed(), 3),
        resumed=load.run.resumed,
        steps=load.steps,
    )
    desk.warehouse.finish(load.run, report.counts(), totals.watermark, desk.bench.clock())
    return report


@contextmanager
def _run(source: Source, fingerprint: str, desk: Desk, progress: Progress) -> Iterator[Load]:
    """A run on record: what began, and one line why it ended where it did not end well."""
    if desk.warehouse.definitions() not in (None, definitions_hash()):
        raise UnsuitableError(
            "The profiles in this store were made with other feature definitions. Nothing was changed; run: harken profile rebuild"
        )
    run = desk.warehouse.begin(_request(source, fingerprint, desk))
    first = desk.warehouse.is_empty()
    try:
        with spool_in(desk.home, f"run-{run.id}") as spool, pool.crew_of(desk) as crew:
            yield Load(
                run=run,
                warehouse=desk.warehouse,
                engine=desk.engine(spool.folder),
                spool=spool,
                crew=crew,
                progress=progress,
                clock=desk.bench.clock,
                first=first,
            )
    except (HarkenError, OSError, KeyboardInterrupt) as broken:
        # Where the database itself is gone the run stays `running`, and is resumed all the same.
        with suppress(HarkenError):
            desk.warehouse.fail(run, str(broken) or type(broken).__name__, desk.bench.clock())
        raise


def _request(source: Source, fingerprint: str, desk: Desk) -> RunRequest:
    return RunRequest(
        source=str(source.path),
        fingerprint=fingerprint,
        format=source.format,
        engine=desk.engine_name,
        who=desk.who,
        settings={
            "columns": ",".join(f"{ours}={theirs}" for ours, theirs in source.columns.items()),
            "with_mood": source.with_mood,
            "block_rows": desk.block_rows,
            "workers": desk.workers,
        },
        started_at=desk.bench.clock(),
    )
