"""`harken evaluate`: labelled questions asked, and how good the answers are."""

from importlib import resources
from pathlib import Path

import click

from harken.cli import options, printing
from harken.errors import UnsuitableError

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
@options.store
@options.as_json
def command(questions: Path | None, store: str | None, json_: bool) -> None:
    """QUESTIONS has a JSON object a line: text, expected, says[], never[], customer. Without it the made-up bank's are asked,
    on its own handbook. Each becomes a ticket, in a store beside yours unless --store names one."""
    import asyncio  # noqa: PLC0415  --help needs none of it

    from harken.cli.demo_agent import add_handbook  # noqa: PLC0415  as above
    from harken.flow import measuring  # noqa: PLC0415  as above

    asked = measuring.read(questions or Path(str(resources.files("harken.cli").joinpath("demo_questions.jsonl"))))
    with options.desk(store, home=None if store else "evaluate") as desk, printing.progress(json_) as progress:
        if desk.agent is None:
            raise UnsuitableError("This store takes files only: tickets need PostgreSQL.")
        if questions is None:
            add_handbook(desk, progress)
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
