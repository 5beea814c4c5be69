"""`harken profile`: one customer's profile, or all of them made anew or checked."""

from datetime import datetime

import click

from harken.cli import options, printing
from harken.domain.ids import CustomerId


@click.group("profile", short_help="Look at a profile; rebuild and check all.")
def command() -> None:
    """What is known of customers: every feature declared once, the same live and in a batch."""


@command.command("show")
@click.argument("customer")
@options.as_of
@options.store
@options.as_json
def show(customer: str, as_of: datetime | None, store: str | None, json_: bool) -> None:
    """Every feature of CUSTOMER as of a moment."""
    from harken.flow import predict  # noqa: PLC0415  --help needs none of it

    with options.desk(store) as desk:
        seen = predict.look(CustomerId(customer), desk, as_of)
    if json_:
        return printing.as_json(seen)
    newest = f"{seen['freshness_s']:,} s before it" if seen["freshness_s"] is not None else "none"
    click.echo(f"{seen['customer']} ({', '.join(seen['identities'])}) as of {seen['as_of']:%Y-%m-%d %H:%M:%S} UTC")
    click.echo(f"{seen['events']:,} events, the newest {newest}\n")
    printing.table(
        [{"feature": name, "value": value} for name, value in seen["features"].items()], ["feature", "value"]
    )
    return None


@command.command("rebuild")
@click.option("--check", is_flag=True, help="Change nothing: recompute all and compare every value.")
@options.engine
@options.store
@options.as_json
def again(check: bool, engine: str | None, store: str | None, json_: bool) -> None:
    """Make every profile and conversation anew from the log, or check that they are as they should be."""
    from harken.flow import rebuild  # noqa: PLC0415  --help needs none of it

    with options.desk(store, engine) as desk, printing.progress(json_) as progress:
        report = rebuild.check(desk, progress) if check else rebuild.rebuild(desk, progress)
    if json_:
        printing.as_json(report)
    else:
        click.echo(
            f"{report.customers:,} customers, {report.features} features, {report.values:,} values"
            f"{' compared' if check else ''}, {report.mismatches:,} mismatches, {report.seconds:.1f} s"
        )
    if report.mismatches:
        raise SystemExit(1)


@command.command("verify")
@options.store
@options.as_json
def verify(store: str | None, json_: bool) -> None:
    """Recompute the served profiles that were sampled, from the log as it was then, and compare every value."""
    from harken.flow import verifying  # noqa: PLC0415  --help needs none of it

    with options.desk(store) as desk:
        report = verifying.verify(desk)
    if json_:
        printing.as_json(report)
    else:
        click.echo(f"{report.profiles:,} served profiles recomputed: {printing.counted(report.values)}")
        if report.raced or report.outdated:
            click.echo(
                f"not compared: {report.raced:,} read while being written, {report.outdated:,} of older definitions"
            )
        for name, number in report.features.items():
            click.echo(f"  {name} differs in {number:,}")
    if not report.agrees:
        raise SystemExit(1)
