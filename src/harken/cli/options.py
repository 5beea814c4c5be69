"""Options that several commands share, with one meaning each."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harken.kit.clock import asked_for

if TYPE_CHECKING:
    from harken.flow.desk import Desk
    from harken.flow.library_desk import LibraryDesk

Command = TypeVar("Command", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time; without a zone it is UTC."""

    name = "ISO-TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is not an ISO 8601 time such as 2026-03-16T12:00:00Z.", param, ctx)
        try:
            return asked_for(moment)
        except ValueError as wrong:
            self.fail(f"{value} {wrong}.", param, ctx)


def store(command: Command) -> Command:
    return click.option(
        "--store",
        metavar="URL",
        help="Where data lives: postgresql://…, clickhouse://… or chdb:///FOLDER. "
        "Default: HARKEN_DATABASE_URL, else CLICKHOUSE_HOST, else embedded PostgreSQL.",
    )(command)


def as_json(command: Command) -> Command:
    return click.option("--json", "json_", is_flag=True, help="Print one JSON object instead of text.")(command)


def as_of(command: Command) -> Command:
    return click.option("--as-of", type=Moment(), help="Decide as of this moment. Default: the data's own last event.")(
        command
    )


def engine(command: Command) -> Command:
    return click.option(
        "--engine",
        type=click.Choice(["duckdb", "polars", "pandas", "spark"]),
        help="Dataframe engine. Default: DATA_ENGINE or duckdb.",
    )(command)


@contextmanager
def desk(store: str | None = None, engine: str | None = None, *, home: str | None = None) -> "Iterator[Desk]":
    """The desk for a command; with `home`, one of its own in that folder of HARKEN_HOME, on an embedded store."""
    from pydantic import SecretStr  # noqa: PLC0415  a second and more of imports that --help needs none of

    from harken import bootstrap, settings  # noqa: PLC0415  as above
    from harken.cli import logs  # noqa: PLC0415  as above

    given = settings.load()
    logs.to_standard_error(given.log_level)
    if home is not None:
        elsewhere = {"database_url": SecretStr(""), "clickhouse_host": "", "supabase_url": ""}
        given = given.model_copy(update={"home": given.home / home, **elsewhere})
    with bootstrap.desk_of(given, store=store, engine=engine) as ready:
        if ready.note:
            click.echo(f"harken: {ready.note}", err=True)
        yield ready


@contextmanager
def both(store: str | None = None) -> "Iterator[tuple[Desk, LibraryDesk]]":
    """The desk, and that of the knowledge. Raises UnsuitableError on a store that keeps none."""
    from harken.errors import UnsuitableError  # noqa: PLC0415  as above

    with desk(store) as ready:
        if ready.library is None:
            raise UnsuitableError("Knowledge is kept in PostgreSQL only: ClickHouse has no rights by row for it.")
        yield ready, ready.library


@contextmanager
def library(store: str | None = None) -> "Iterator[LibraryDesk]":
    """The desk of the knowledge alone."""
    with both(store) as (_, shelf):
        yield shelf
