"""`harken schema`: the types and versions of events, and what a version breaks."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harken.cli import options, printing

if TYPE_CHECKING:
    from harken.eventlog.registry import Registry

_AGAINST = click.option(
    "--against",
    "folder",
    type=click.Path(path_type=Path),
    help="A folder of your own schemas, laid over the shipped: TYPE/N.json, track/EVENT/N.json.",
)


@click.group("schema", short_help="Look at event types and their versions; check what a version breaks.")
def command() -> None:
    """What an event may look like: a JSON Schema for each type and version."""


@command.command("list")
@_AGAINST
@options.as_json
def shown(folder: Path | None, json_: bool) -> None:
    """Every type with its versions, what the newest promises to the one before, and which versions are led to the next."""
    from harken.eventlog import registry  # noqa: PLC0415  --help needs none of it

    known = registry.load(folder)
    types = [_type(known, name) for name in known.names]
    if json_:
        return printing.as_json({"types": types})
    rows = [{**each, **{key: ", ".join(map(str, each[key])) for key in ("versions", "upcasters")}} for each in types]
    return printing.table(rows, ["type", "versions", "compatibility", "upcasters", "title"])


def _type(known: "Registry", name: str) -> Mapping[str, Any]:
    from harken.eventlog import compatibility, upcasting  # noqa: PLC0415  --help needs none of it

    versions = known.versions(name)
    newest = known.schema(name, versions[-1])
    return {
        "type": name,
        "versions": versions,
        "compatibility": compatibility.mode_of(newest),
        "upcasters": [version for version in versions if (name, version) in upcasting.UPCASTERS],
        "title": newest.content.get("title", ""),
    }


@command.command("check")
@_AGAINST
@options.as_json
def check(folder: Path | None, json_: bool) -> None:
    """Compare every version with the one before it; a line and exit code 1 for each promise that is not kept."""
    from harken.eventlog import compatibility, registry  # noqa: PLC0415  --help needs none of it

    known = registry.load(folder)
    broken = compatibility.checked(known)
    versions = sum(len(known.versions(name)) for name in known.names)
    if json_:
        printing.as_json({"types": len(known.names), "versions": versions, "breaks": broken})
    else:
        for each in broken:
            click.echo(f"{each.name} {each.old} -> {each.new}: {each.sentence}")
        click.echo(f"{len(known.names)} types, {versions} versions, {len(broken)} breaks")
    if broken:
        raise SystemExit(1)


@command.command("diff")
@click.argument("type_", metavar="TYPE")
@click.argument("a", type=int)
@click.argument("b", type=int)
@_AGAINST
@options.as_json
def diff(type_: str, a: int, b: int, folder: Path | None, json_: bool) -> None:
    """What version B refuses that A took (backward), and the other way round (forward)."""
    from harken.eventlog import compatibility, registry  # noqa: PLC0415  --help needs none of it

    known = registry.load(folder)
    old, new = known.schema(type_, a).content, known.schema(type_, b).content
    found = {
        "backward": compatibility.breaks(old, new, "backward"),
        "forward": compatibility.breaks(old, new, "forward"),
    }
    if json_:
        return printing.as_json({"type": type_, "a": a, "b": b, **found})
    for mode, sentences in found.items():
        click.echo(f"{mode}: {'nothing breaks' if not sentences else ''}".rstrip())
        for sentence in sentences:
            click.echo(f"  {sentence}")
    return None
