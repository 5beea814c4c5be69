"""`harken ingest`: a file, or what waits in quarantine, into the store."""

from pathlib import Path

import click

from harken.cli import options, printing
from harken.domain.run import IngestReport
from harken.errors import UnsuitableError
from harken.intake.columns import parse_columns


@click.command("ingest", short_help="Take interactions in.")
@click.argument("path", required=False, type=click.Path(path_type=Path, readable=False))
@click.option("--format", "format_", type=click.Choice(["twcs", "events", "live"]), default="twcs", show_default=True)
@click.option("--columns", default="", metavar="MAP", help="Names in your file: tweet_id=id,author_id=user,…")
@options.engine
@click.option("--retry-quarantine", is_flag=True, help="Then check again what failed before.")
@click.option("--no-mood", is_flag=True, help="Leave out language and sentiment: about twice as fast.")
@options.store
@options.as_json
def command(
    path: Path | None,
    format_: str,
    columns: str,
    engine: str | None,
    retry_quarantine: bool,
    no_mood: bool,
    store: str | None,
    json_: bool,
) -> None:
    """Check, thread and store the interactions in PATH, and bring every profile up to date.

    Safe to run twice, and after a kill: what is in stays in, once.
    """
    from harken.flow import batch  # noqa: PLC0415  --help needs none of it

    if path is None and not retry_quarantine:
        raise click.UsageError("Name a PATH, or --retry-quarantine.")
    if format_ == "live":
        if path is not None:
            raise click.UsageError(
                "Live events come through `harken serve` and `harken work`; here only --retry-quarantine."
            )
        return _retry_live(store, json_)
    with options.desk(store, engine) as desk, printing.progress(json_) as progress:
        reports = []
        if path is not None:
            source = batch.Source(path=path, format=format_, columns=parse_columns(columns), with_mood=not no_mood)
            reports.append(batch.ingest(source, desk, progress))
        if retry_quarantine:
            reports.append(batch.retry(format_, desk, progress))
    for report in reports[-1:] if json_ else reports:
        printing.as_json(report) if json_ else show(report)
    return None


def _retry_live(store: str | None, json_: bool) -> None:
    from harken.flow import mending  # noqa: PLC0415  --help needs none of it

    with options.desk(store) as desk:
        if desk.live is None:
            raise UnsuitableError("This store takes files only: nothing live waits in it.")
        told = mending.retry(desk.live)
    if json_:
        return printing.as_json(told)
    return click.echo(f"{told.taken:,} events taken in, {told.left:,} still in quarantine")


def show(report: IngestReport) -> None:
    """A report in words."""
    resumed = ", continuing an interrupted run" if report.resumed else ""
    click.echo(f"Run {report.run_id}: {report.source}, {report.seconds:.1f} s{resumed}")
    click.echo(
        f"  {report.rows_read:,} rows read: {report.accepted:,} accepted, {report.duplicates:,} known already, "
        f"{sum(report.quarantined.values()):,} in quarantine"
    )
    if report.quarantined:
        click.echo(f"  in quarantine: {printing.counted(report.quarantined)}")
    if report.repaired:
        click.echo(f"  repaired: {printing.counted(report.repaired)}")
    newest = f", newest event {report.watermark:%Y-%m-%d %H:%M} UTC" if report.watermark else ""
    click.echo(
        f"  the store now has {report.customers:,} customers in {report.conversations:,} conversations, "
        f"{report.threads:,} threads (largest {report.largest_thread:,} messages){newest}"
    )
