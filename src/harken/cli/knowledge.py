"""`harken knowledge`: documents in, passages out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harken.cli import knowledge_learn, options, printing

if TYPE_CHECKING:
    from harken.flow.adding import Added

VISIBILITIES = ("public", "internal", "restricted")
CLASSES = ("policy", "product", "regulatory", "support_log")
RISKS = ("low", "medium", "high")
SHOWN_REASONS = 20


@click.group("knowledge", short_help="Take documents in, search them, measure the search.")
def command() -> None:
    """What the company knows: findable, and only for who may read it."""


@command.command("add")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--visibility", type=click.Choice(VISIBILITIES), help="The most open it may be. Default: what it says of itself, else internal.")  # fmt: skip
@click.option("--jurisdiction", metavar="XX", help="ISO 3166, for example DE or US-CA. Default: what it says, else everywhere.")  # fmt: skip
@click.option("--class", "class_", type=click.Choice(CLASSES), help="Default: what it says of itself, else product.")
@click.option("--risk", type=click.Choice(RISKS), help="The least it is. Default: what it says of itself, else low.")
@click.option("--owner", help="Who answers for it.")
@click.option("--language", metavar="XX", help="ISO 639-1. Default: as it is recognised.")
@click.option("--trusted", is_flag=True, help="Take in what reads like orders to a machine, too.")
@click.option("--allow-empty", is_flag=True, help="A folder that is empty now retires what came from it.")
@options.store
@options.as_json
def add(
    paths: tuple[Path, ...],
    visibility: str | None,
    jurisdiction: str | None,
    class_: str | None,
    risk: str | None,
    owner: str | None,
    language: str | None,
    trusted: bool,
    allow_empty: bool,
    store: str | None,
    json_: bool,
) -> None:
    """Files and folders: Markdown, text, HTML, PDF, JSON, CSV. Again: only what changed is read, what is gone retires."""
    from harken.domain.document import DocumentClass, Risk, Said, Visibility  # noqa: PLC0415  --help needs none of it
    from harken.flow import adding  # noqa: PLC0415  as above
    from harken.knowledge import access  # noqa: PLC0415  as above

    said = Said(
        visibility=Visibility[visibility.upper()] if visibility else None,
        jurisdiction=access.checked(jurisdiction) if jurisdiction else None,
        document_class=DocumentClass(class_) if class_ else None,
        risk=Risk[risk.upper()] if risk else None,
        owner=owner,
        language=language,
    )
    wish = adding.Wish(said=said, trusted=trusted, may_empty=allow_empty)
    with options.library(store) as desk, printing.progress(json_) as progress:
        done = adding.add(paths, wish, desk, progress)
    if json_:
        printing.as_json(done)
    else:
        _told(done)


def _told(done: "Added") -> None:
    click.echo(
        f"{done.documents:,} documents in {done.passages:,} passages: {done.new:,} new, {done.changed:,} changed, "
        f"{done.removed:,} removed; {done.redacted:,} pieces of personal data hidden; {done.seconds:.1f} s"
    )
    if done.lapsed:
        click.echo(knowledge_learn.LAPSED.format(done.lapsed))
    if done.quarantined:
        click.echo(f"{done.quarantined:,} not taken in:")
        for each in done.refused[:SHOWN_REASONS]:
            click.echo(f"  {each['source']}: {each['reason']}")
        if len(done.refused) > SHOWN_REASONS:
            click.echo(f"  and {len(done.refused) - SHOWN_REASONS:,} more; --json has them all")


@command.command("search")
@click.argument("query")
@click.option("--role", default="admin", show_default=True, help="Read as this role: customer, agent, lead, compliance, admin, service.")  # fmt: skip
@click.option("--jurisdiction", metavar="XX", help="Read as somebody in it. Default: none, or all for roles that may.")
@click.option("-k", "most", type=click.IntRange(1, 100), default=10, show_default=True, help="Results at most.")
@options.store
@options.as_json
def search(query: str, role: str, jurisdiction: str | None, most: int, store: str | None, json_: bool) -> None:
    """The passages that answer QUERY best, of those that the role may read."""
    from harken.flow import searching  # noqa: PLC0415  --help needs none of it

    with options.library(store) as desk:
        reader = desk.clearances().reader(role, jurisdiction)
        found = searching.search(query, reader, desk, searching.Limits(results=most))
    if json_:
        return printing.as_json(searching.told(found))
    for place, hit in enumerate(found.hits, 1):
        passage = hit.passage
        where = f" › {passage.heading}" if passage.heading and passage.heading != passage.title else ""
        click.echo(f"{place:>3}. {hit.score:.2f}  {passage.title}{where}  [{passage.document_id}]")
        click.echo(f"     {hit.why}")
        click.echo(f"     {_shortened(passage.text)}")
    click.echo(_ended(found))
    return None


def _shortened(text: str, most: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _ended(found: Any) -> str:
    what = (
        f"{len(found.hits)} of {found.visible:,} readable passages"
        if found.hits
        else "Nothing that this role may read answers it"
    )
    return f"{what} ({found.mode}, {found.seconds * 1000:.0f} ms)"


@command.command("evaluate")
@click.argument("queries", type=click.Path(path_type=Path))
@click.option("--role", default="admin", show_default=True, help="Search as this role.")
@click.option("--jurisdiction", metavar="XX", help="Search as somebody in it.")
@options.store
@options.as_json
def evaluate(queries: Path, role: str, jurisdiction: str | None, store: str | None, json_: bool) -> None:
    """How well the search finds what QUERIES expects: JSON Lines of "query" and "expected" (document ids).

    A row an embedder that is on this machine and a weight of meaning against words, with 95 % intervals.
    """
    from harken.flow import evaluating  # noqa: PLC0415  --help needs none of it

    questions = evaluating.read(queries)
    with options.library(store) as desk, printing.progress(json_) as progress:
        reader = desk.clearances().reader(role, jurisdiction)
        done = evaluating.evaluate(questions, reader, desk.embedders(), desk, progress)
    if json_:
        return printing.as_json(done)
    click.echo(f"{done.questions:,} questions, {done.passages:,} passages\n")
    names = list(done.rows[0].figures)
    printing.table([_row(row) for row in done.rows], ["embedder", "meaning", *names])
    return None


def _row(row: Any) -> dict[str, str]:
    weight = "as set" if row.dense is None else f"{row.dense:.2f}"
    return {"embedder": row.embedder, "meaning": weight, **{name: str(value) for name, value in row.figures.items()}}


for each in (
    knowledge_learn.learn,
    knowledge_learn.approve,
    knowledge_learn.withdraw,
    knowledge_learn.watch,
    knowledge_learn.refresh,
):
    command.add_command(each)
