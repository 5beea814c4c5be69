"""`harken train`: what the organisation's own people labelled becomes a classifier."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harken.cli import options, printing

if TYPE_CHECKING:
    from harken.flow.training import Trained

SHOWN = 10
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@click.group("train", short_help="Fit the classifier to your own labels.")
def command() -> None:
    """Learn from what your people labelled. Everything stays on this machine."""


@command.command("classifier")
@click.argument("file", metavar="LABELS", type=click.Path(path_type=Path))
@click.option("--name", default="default", help="HARKEN_CLASSIFIER chooses it by this name. Default: it replaces ours.")
@options.as_json
def classifier(file: Path, name: str, json_: bool) -> None:
    """LABELS is a CSV file with the columns `text` and `label`, or lines of JSON with the same names. The labels are the
    closed set from then on; messages labelled `out_of_scope` teach what belongs to none. Fits on four fifths, says how it
    does on the fifth that it has not seen, then fits on all and keeps that in HARKEN_HOME/classifiers/NAME.
    """
    from harken import settings  # noqa: PLC0415  --help needs none of it
    from harken.bootstrap import classifiers, library  # noqa: PLC0415  as above
    from harken.flow import training  # noqa: PLC0415  as above

    if not NAME.fullmatch(name):
        raise click.UsageError("A name has up to 64 letters a to z, digits, - and _.")
    given = settings.load()
    folder = classifiers.folder_of(given, name)
    with printing.progress(json_) as progress:
        done = training.train(file, name, folder, library.embedder_of(given), progress.step)
    if json_:
        return printing.as_json(done)
    return _told(done, folder)


def _told(done: "Trained", folder: Path) -> None:
    outside = "none given" if done.out_of_scope_recall is None else f"{done.out_of_scope_recall:.1%} found"
    click.echo(f"{done.rows:,} messages, {done.labels:,} labels; held back {done.held_back:,}:")
    click.echo(
        f"  accuracy {done.accuracy:.1%}, macro F1 {done.macro_f1:.3f}, calibration error {done.ece:.3f}; out of scope: "
        f"{outside}, {done.refused:.1%} of the others refused"
    )
    if done.skipped:
        click.echo(f"Not used: {printing.counted(done.skipped)}")
    rows = sorted(done.by_label, key=lambda each: (each.f1, each.label))
    shown = [
        {
            "label": each.label,
            "rows": each.rows,
            "precision": f"{each.precision:.2f}",
            "recall": f"{each.recall:.2f}",
            "f1": f"{each.f1:.2f}",
        }
        for each in rows
    ]
    printing.table(shown, ["label", "rows", "precision", "recall", "f1"])
    if done.confused:
        click.echo("Mistaken most often:")
        for truth, said, often in done.confused[:SHOWN]:
            click.echo(f"  {often:,} of {truth} called {said}")
    click.echo(f"Kept in {folder}. HARKEN_CLASSIFIER={done.name} uses it.")
