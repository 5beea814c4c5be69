"""`harken tail`: events as they arrive, and what each changed."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import click

from harken.cli import options, printing
from harken.domain.ids import CustomerId
from harken.kit import ctrl_c

LOOK_EVERY_S = 0.2


@click.command("tail", short_help="Follow events as they arrive, with what each changed.")
@click.option("--from", "first", type=click.IntRange(1), help="Begin at this position of the log. Default: now.")
@click.option("--customer", help="Only this customer's.")
@options.store
@options.as_json
def command(first: int | None, customer: str | None, store: str | None, json_: bool) -> None:
    """One line an event, with the features of its customer that it changed; never what was written. Ctrl-C ends it."""
    from harken.flow.tailing import Tail  # noqa: PLC0415  --help needs none of it

    with options.desk(store) as desk:
        logging.getLogger("psycopg").setLevel(logging.ERROR)  # Ctrl-C may come while a question is on its way
        try:
            tail = Tail(desk, first, CustomerId(customer) if customer else None)
            ctrl_c.is_heard()
            while True:
                events = tail.news()
                for event in events:
                    printing.as_json(event) if json_ else click.echo(_line(event))
                if not events:
                    time.sleep(LOOK_EVERY_S)
        except KeyboardInterrupt:
            return  # being stopped is how following ends


def _line(event: Mapping[str, Any]) -> str:
    who = event["identity"] or "-"
    at = f"{event['happened_at']:%Y-%m-%d %H:%M:%S}"
    return f"{event['position']:>9}  {at}  {who}  {event['kind']}  {event['channel']}  {_changes(event['changed'])}"


def _changes(changed: Mapping[str, Any] | None) -> str:
    """Moments are left to --json."""
    if changed is None:
        return "(more events than are read to tell)"
    return ", ".join(
        f"{name} {_said(before)}→{_said(after)}"
        for name, (before, after) in changed.items()
        if not name.endswith("_at")
    )


def _said(value: object) -> str:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
