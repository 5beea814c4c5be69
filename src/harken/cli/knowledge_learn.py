"""`harken knowledge learn` and what follows: approve, withdraw, watch, refresh."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harken.cli import options, printing
from harken.cli.beside import stopping

if TYPE_CHECKING:
    from harken.flow.adding import Added
    from harken.flow.approving import Decided
    from harken.flow.learning import Learned
    from harken.flow.minding import Hands

SHOWN = 20
LAPSED = "{:,} of them were public, say something else now, and wait for approval again"


@click.command("learn")
@options.store
@options.as_json
def learn(store: str | None, json_: bool) -> None:
    """Conversations that were solved become documents: internal, until somebody approves them."""
    from harken.flow import learning  # noqa: PLC0415  --help needs none of it

    with options.both(store) as (desk, shelf), printing.progress(json_) as progress:
        done = learning.learn(desk, shelf, progress)
    if json_:
        printing.as_json(done)
    else:
        _told_learned(done)


def _told_learned(done: "Learned") -> None:
    click.echo(
        f"{done.conversations:,} conversations: {done.learned:,} learned, {done.unchanged:,} unchanged, "
        f"{done.retired:,} retired; {done.seconds:.1f} s"
    )
    if done.lapsed:
        click.echo(LAPSED.format(done.lapsed))
    if done.skipped:
        click.echo(f"Skipped: {printing.counted(done.skipped)}")


@click.command("approve")
@click.argument("documents", metavar="DOCUMENT_ID", nargs=-1)
@click.option("--rule", "path", type=click.Path(path_type=Path), help="A rule file: see docs/howto/learn.md.")
@click.option("--dry-run", is_flag=True, help="With --rule: say what would become public, and why the rest would not.")
@options.store
@options.as_json
def approve(documents: tuple[str, ...], path: Path | None, dry_run: bool, store: str | None, json_: bool) -> None:
    """What people answered becomes public, without anything personal. On record; it holds while the document says the same."""
    if bool(documents) == bool(path) or (dry_run and not path):
        raise click.UsageError("Give document ids, or a --rule (which alone takes --dry-run).")
    from harken.flow import approving  # noqa: PLC0415  --help needs none of it
    from harken.knowledge.approvals import rule  # noqa: PLC0415  as above

    given = rule.load(path) if path else None
    with options.library(store) as desk, printing.progress(json_) as progress:
        if given:
            done = approving.approve_by(given, desk, progress, dry_run=dry_run)
        else:
            done = approving.approve(documents, desk, progress)
    _told_decided(done, "would become public" if dry_run else "public now", json_)


@click.command("withdraw")
@click.argument("documents", metavar="DOCUMENT_ID", nargs=-1, required=True)
@options.store
@options.as_json
def withdraw(documents: tuple[str, ...], store: str | None, json_: bool) -> None:
    """What was approved is internal again, as it was before. On record."""
    from harken.flow import approving  # noqa: PLC0415  --help needs none of it

    with options.library(store) as desk, printing.progress(json_) as progress:
        done = approving.withdraw(documents, desk, progress)
    _told_decided(done, "internal again", json_)


def _told_decided(done: "Decided", verb: str, json_: bool) -> None:
    if json_:
        return printing.as_json(done)
    others = sum(done.others.values())
    click.echo(f"{done.documents:,} documents {verb}; {done.seconds:.1f} s")
    if done.dry_run:
        for each in done.named[:SHOWN]:
            click.echo(f"  {each['document_id']}: {each['reason'] or verb}  {each['title']}")
        if done.documents + others > SHOWN:
            click.echo(f"  --json names the first {len(done.named):,}")
    if others:
        click.echo(f"{others:,} stay as they are: {printing.counted(done.others)}")
    return None


@click.command("watch")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@options.store
def watch(paths: tuple[Path, ...], store: str | None) -> None:
    """Folders are read again a second after they changed, until Ctrl-C. What vanishes as a whole retires nothing."""
    from harken.flow import minding  # noqa: PLC0415  --help needs none of it
    from harken.flow.adding import Wish  # noqa: PLC0415  as above

    stopped = threading.Event()
    with options.library(store) as desk, stopping(stopped.set):
        say("Watching; stop with Ctrl-C.")
        minding.mind(paths, Wish(), desk, hands(stopped))


@click.command("refresh")
@options.store
@options.as_json
def refresh(store: str | None, json_: bool) -> None:
    """The nightly job now: read HARKEN_KNOWLEDGE_FOLDERS, learn, embed what has no vector, tidy up. For cron."""
    from harken.flow import refreshing  # noqa: PLC0415  --help needs none of it

    with options.both(store) as (desk, shelf), printing.progress(json_) as progress:
        done = refreshing.refresh(desk, shelf, progress)
    if json_:
        return printing.as_json(done if done else {"busy": True})
    if done is None:
        return click.echo("Another process is at it. Nothing to do.")
    click.echo(
        f"{done.documents:,} documents in the folders: {done.new:,} new, {done.changed:,} changed, {done.removed:,} removed; "
        f"{done.embedded:,} passages embedded; {done.seconds:.1f} s"
    )
    if done.lapsed:
        click.echo(LAPSED.format(done.lapsed))
    if done.learned:
        _told_learned(done.learned)
    for note in done.notes:
        say(note)
    return None


def hands(stopped: threading.Event) -> "Hands":
    from harken.flow.minding import Hands  # noqa: PLC0415  as above

    return Hands(told=_told_added, report=say, stopped=stopped)


def _told_added(path: Path, came: "Added") -> None:
    if came.new or came.changed or came.removed:
        say(f"{path}: {came.new:,} new, {came.changed:,} changed, {came.removed:,} removed")
    if came.lapsed:
        say(LAPSED.format(came.lapsed))


def say(line: str) -> None:
    click.echo(f"harken: {line}", err=True)
