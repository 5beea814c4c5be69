"""`harken demo`: the whole main job on a made-up bank, shown."""

import csv
import shlex
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from textwrap import fill, indent

import click

from harken.cli import demo_agent, demo_bank, ingest, options, printing
from harken.domain.run import IngestReport
from harken.flow import batch, predict
from harken.flow.batch import Source
from harken.flow.desk import Desk
from harken.flow.predict import Asked
from harken.flow.predicting import Tally
from harken.kit.clock import stopwatch

SEED = 7
START = datetime(2026, 3, 2, tzinfo=UTC)
FORTNIGHT = timedelta(days=14, hours=12)
SHOWN = ("human_agent", "scheduling_phone_call", "email_reply", "twitter_dm_reply", "chat_reply")
DECISIONS_SHOWN = 3
WIDTH = 100


@click.command("demo", short_help="See the whole main job on a made-up bank.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), help="Where files go. Default: HARKEN_HOME/demo."
)
@options.as_json
def command(folder: Path | None, json_: bool) -> None:
    """Two weeks of a made-up bank's conversations become threads, live profiles and explained next best actions; then the bank's
    handbook is taken in, a dozen tickets are answered, the audit is verified and every answer is made again.

    Everything happens in a store of its own (HARKEN_HOME/demo), beside yours.
    """
    elapsed = stopwatch()
    with options.desk(home="demo") as desk, printing.progress(json_) as progress:
        target = folder or desk.home
        target.mkdir(parents=True, exist_ok=True)
        interactions, out = target / "interactions.jsonl", target / "nba_predictions.csv"
        made = demo_bank.write(interactions, SEED, start=START)
        if not json_:
            click.echo(f"Kestrel Bank, a made-up bank: {made:,} interactions of two weeks.\n")
        report = batch.ingest(Source(path=interactions, format="events"), desk, progress)
        # As of the fortnight's end: tickets that an earlier demo answered are of today.
        tally = predict.predict(Asked(as_of=START + FORTNIGHT), out, desk, progress)
        agent = demo_agent.run(desk, progress)
    if json_:
        return printing.as_json(
            {
                "ingest": report,
                "predict": tally.report(out=str(out)),
                "agent": demo_agent.told(agent),
                "files": [str(interactions), str(out)],
                "seconds": elapsed(),
            }
        )
    _show(report, tally, out)
    demo_agent.show(agent)
    return _show_places(out, interactions, desk, elapsed())


def _show(report: IngestReport, tally: Tally, out: Path) -> None:
    ingest.show(report)
    click.echo(
        f"\n{tally.decisions:,} of {tally.customers:,} customers have an open issue; each got a decision and its reason. "
        f"{tally.skipped_resolved:,} have none."
    )
    rows = [{"channel": name, "decisions": f"{count:,}"} for name, count in tally.by_channel.most_common()]
    printing.table(rows, ["channel", "decisions"])
    click.echo("\nThe rules that decided most often")
    printing.table([{"rule": name, "decisions": n} for name, n in tally.by_rule.most_common(8)], ["rule", "decisions"])
    for number, row in enumerate(islice(_telling(out), DECISIONS_SHOWN), start=1):
        _show_decision(number, row)


def _show_places(out: Path, interactions: Path, desk: Desk, seconds: float) -> None:
    click.echo(f"\nDone in {seconds:.0f} s. What was made, and where to look:")
    click.echo(f"  {interactions}  the interactions, one event a line")
    click.echo(f"  {out}  every decision with its conversation, message and reason")
    click.echo(
        f"\nThis store is apart from yours. To look at it, where no other is configured: export HARKEN_HOME={shlex.quote(str(desk.home))}"
    )
    click.echo("  harken profile show 1033          one customer's profile, every feature")
    click.echo('  harken ask "…" --customer 1033    one more question, and everything behind its answer')
    click.echo(
        "  harken serve                      the same over HTTP: POST /api/v1/tickets, /predict_nba, /chat, /docs"
    )
    click.echo("  harken predict --compare FILE     what another policy would change (docs/howto/policy.md)")


def _telling(out: Path) -> list[dict[str, str]]:
    """One decision for each of several channels, those with the most said first."""
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    longest: dict[str, dict[str, str]] = {}
    for row in rows:
        best = longest.get(row["channel"])
        if best is None or len(row["chat_log"]) > len(best["chat_log"]):
            longest[row["channel"]] = row
    return [longest[channel] for channel in SHOWN if channel in longest]


def _show_decision(number: int, row: dict[str, str]) -> None:
    click.echo(
        f"\n{number}. Customer {row['customer_id']}: {row['channel']} at {row['send_time']}, then {row['issue_status']}"
    )
    turns = row["chat_log"].splitlines()
    for turn in [*turns[:2], *(["…"] if len(turns) > 5 else []), *turns[max(2, len(turns) - 3) :]]:
        click.echo(indent(fill(turn, WIDTH, subsequent_indent="  "), "   | "))
    click.echo(indent(fill(f"Message: {row['message'] or '(none)'}", WIDTH), "   "))
    click.echo(indent(fill(f"Because: {row['reasoning']}", WIDTH), "   "))
