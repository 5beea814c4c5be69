"""`harken evaluate`: labelled questions asked, and how good the answers are."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harken.cli import options, printing
from harken.errors import UnsuitableError

if TYPE_CHECKING:
    from harken.flow.desk import Desk
    from harken.flow.ports import Progress

SHARES = {
    "accuracy": "of the answers sent are right by their label",
    "hallucination": "of the answers sent have a figure that nothing cited holds",
    "compliance": "of what customers were told keeps to what must not be said",
    "as_expected": "of the questions ended as their label says",
    "resolution": "of the questions to be answered were answered right",
    "escalation": "of the questions are with a person in the end",
}


@click.command("evaluate", short_help="Ask labelled questions, and say how good the answers are.")
@click.argument("questions", required=False, type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--knowledge",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Pages to answer from; again for more.",
)
@options.store
@options.as_json
def command(questions: Path | None, knowledge: tuple[Path, ...], store: str | None, json_: bool) -> None:
    """QUESTIONS has a JSON object a line: text, expected, says[], never[], customer. They are answered from the pages that
    --knowledge names, in a store beside yours, or from what is in --store. Without QUESTIONS the made-up bank's are asked, on
    its own handbook. Each becomes a ticket, and nothing leaves the house."""
    import asyncio  # noqa: PLC0415  --help needs none of it

    from harken.cli import demo_agent  # noqa: PLC0415  as above
    from harken.flow import measuring  # noqa: PLC0415  as above

    pages = _pages(questions, knowledge, store)
    asked = measuring.read(questions or demo_agent.file(demo_agent.QUESTIONS))
    with options.desk(store, home=_beside(pages)) as desk, printing.progress(json_) as progress:
        if desk.agent is None:
            raise UnsuitableError("This store takes files only: tickets need PostgreSQL.")
        if pages:
            _take_in(pages, desk, progress)
        quality = asyncio.run(measuring.evaluate(asked, desk.agent, progress))
    if json_:
        return printing.as_json(quality)
    click.echo(f"{quality.questions:,} questions: " + ", ".join(f"{n} {name}" for name, n in quality.endings.items()))
    for name, meaning in SHARES.items():
        share = getattr(quality, name)
        click.echo(f"  {name:14}{'    –' if share is None else f'{share:6.1%}'}  {meaning}")
    for each in quality.unexpected:
        click.echo(f"  {each['id']}: {each['ending']} where {each['expected']} was expected ({each['reason']})")
    return None


def _pages(questions: Path | None, knowledge: Sequence[Path], store: str | None) -> Sequence[Path]:
    """What is put into the store beside; nothing where the questions are asked in one of the user's own."""
    from harken.cli import demo_agent  # noqa: PLC0415  as above

    if store and knowledge:
        raise UnsuitableError(
            "--store has its own knowledge, and --knowledge is for a store beside it: name one of them."
        )
    if store:
        return ()
    if questions and not knowledge:
        raise UnsuitableError(
            "There is nothing to answer these questions from: --knowledge FOLDER names your pages, or --store URL a store that has them."
        )
    return knowledge or [demo_agent.file(demo_agent.HANDBOOK)]


def _take_in(pages: Sequence[Path], desk: "Desk", progress: "Progress") -> None:
    """For customers to read, but for what says otherwise of itself."""
    from harken.domain.document import Said, Visibility  # noqa: PLC0415  as above
    from harken.flow import adding  # noqa: PLC0415  as above

    assert desk.library is not None, "where there are tickets there is a library"
    adding.add(pages, adding.Wish(said=Said(visibility=Visibility.PUBLIC)), desk.library, progress)


def _beside(pages: Sequence[Path]) -> str | None:
    """A folder for each set of pages: what another evaluation answered from is not in it."""
    if not pages:
        return None
    named = "\0".join(sorted(str(each.resolve()) for each in pages))
    return f"evaluate/{hashlib.sha256(named.encode()).hexdigest()[:12]}"
