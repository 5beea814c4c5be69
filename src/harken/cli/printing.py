"""What people and scripts see: progress and tables on a terminal, one JSON object with --json."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any

import click
import orjson


class Quiet:
    """Progress for pipes and scripts: none."""

    def step(self, name: str, total: int | None = None) -> None: ...

    def advance(self, rows: int) -> None: ...


class Bar:
    """Progress for a terminal, on standard error."""

    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._task: Any = None

    def step(self, name: str, total: int | None = None) -> None:
        if self._task is not None:
            self._bars.update(self._task, total=1, completed=1)
        self._task = self._bars.add_task(name, total=total)

    def advance(self, rows: int) -> None:
        if self._task is not None:
            self._bars.advance(self._task, rows)


@contextmanager
def progress(quiet: bool) -> Iterator[Bar | Quiet]:
    if quiet or not sys.stderr.isatty():
        yield Quiet()
        return
    from rich import progress as bars  # noqa: PLC0415  slow to import, and only a terminal needs it
    from rich.console import Console  # noqa: PLC0415  as above

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as shown:
        yield Bar(shown)


def as_json(value: Any, *, err: bool = False) -> None:
    """One object on standard output, nothing else there; with `err` on standard error."""
    shown = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    click.echo(orjson.dumps(shown, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=list).decode(), err=err)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Aligned columns, as plain text: it survives a pipe and a ticket."""
    cells = [[str(row.get(name, "")) for name in columns] for row in rows]
    widths = [max([len(name), *(len(line[at]) for line in cells)]) for at, name in enumerate(columns)]
    for line in [list(columns), *cells]:
        click.echo("  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def counted(what: Mapping[str, int]) -> str:
    """`{"a": 2, "b": 1}` -> `2 a, 1 b`."""
    return ", ".join(
        f"{number:,} {name}" for name, number in sorted(what.items(), key=lambda item: (-item[1], item[0]))
    )
