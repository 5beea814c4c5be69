"""`harken predict`: the next best action for every customer with an open issue."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harken.cli import options, printing
from harken.kit.clock import stopwatch

if TYPE_CHECKING:
    from harken.decide.compare import Changes


@click.command("predict", short_help="Choose the next best action for every customer.")
@click.option("--customers", type=click.IntRange(min=1), metavar="N", help="Only the first N customers.")
@click.option("--all-cases", is_flag=True, help="A row per open conversation, not per customer.")
@options.as_of
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("nba_predictions.csv"), show_default=True
)
@click.option(
    "--compare",
    "against",
    type=click.Path(path_type=Path),
    metavar="POLICY",
    help="Show what another policy would change.",
)
@options.store
@options.as_json
def command(
    customers: int | None,
    all_cases: bool,
    as_of: datetime | None,
    out: Path,
    against: Path | None,
    store: str | None,
    json_: bool,
) -> None:
    """Decide channel, time and status of the next step for every open issue, with the reason.

    Customers whose conversations are all resolved are skipped and counted.
    """
    from harken.flow import predict  # noqa: PLC0415  --help needs none of it

    asked = predict.Asked(customers=customers, all_cases=all_cases, as_of=as_of)
    elapsed = stopwatch()
    with options.desk(store) as desk, printing.progress(json_) as progress:
        if against is not None:
            changes = predict.compare(asked, against, desk, progress)
            return printing.as_json(changes) if json_ else _show_changes(changes)
        tally = predict.predict(asked, out, desk, progress)
    report = tally.report(seconds=round(elapsed(), 3), out=str(out))
    return printing.as_json(report) if json_ else _show(report)


def _show(report: dict[str, object]) -> None:
    click.echo(
        f"{report['decisions']:,} decisions for {report['customers']:,} customers in {report['seconds']} s; "
        f"{report['skipped_resolved']:,} skipped, all their issues are resolved."
    )
    for title, key in (("channel", "by_channel"), ("expected status", "by_status"), ("rule", "by_rule")):
        counted = report[key]
        assert isinstance(counted, dict)
        click.echo(f"\nBy {title}")
        for name, number in sorted(counted.items(), key=lambda item: -item[1]):
            click.echo(f"  {number:>9,}  {name}")
    click.echo(f"\nWritten to {report['out']}")


def _show_changes(changes: "Changes") -> None:
    click.echo(f"{changes.changed:,} of {changes.decisions:,} decisions would change.")
    for title, counted in (("what", changes.by_aspect), ("action", changes.by_action), ("rule", changes.by_rule)):
        if any(counted.values()):
            click.echo(f"\nBy {title}")
            for name, number in sorted(counted.items(), key=lambda item: -item[1]):
                click.echo(f"  {number:>9,}  {name}")
    for example in changes.examples:
        click.echo(f"\n{example.conversation}\n  {example.action_before} ({example.rule_before})")
        click.echo(f"  -> {example.action_after} ({example.rule_after}): {example.because_after}")
