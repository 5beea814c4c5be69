"""Workers of a command: in a thread beside a server, or alone until they are stopped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import click

from harken.cli.beside import beside, stopping
from harken.errors import UnsuitableError

if TYPE_CHECKING:
    from harken.flow.desk import Desk


@contextmanager
def beside_a_server(desk: "Desk") -> Iterator[None]:
    """A store that takes files only has nothing for them to do."""
    if desk.live is None:
        yield
        return
    if desk.open_audit is not None:
        desk.open_audit()  # what is wrong with its settings is said before anything is served
    stopped = threading.Event()
    with beside(partial(_work, desk, stopped), stopped):
        yield


def alone(desk: "Desk") -> None:
    """Until Ctrl-C or SIGTERM."""
    if desk.live is None:
        raise UnsuitableError("Workers answer tickets, which need PostgreSQL; this store takes files only.")
    stopped = threading.Event()
    with stopping(stopped.set):
        _say("Answering, delivering and sealing; stop with Ctrl-C.")
        _work(desk, stopped)


def _work(desk: "Desk", stopped: threading.Event) -> None:
    from harken.bootstrap import workers  # noqa: PLC0415  --help needs none of it

    assert desk.live is not None
    assert desk.agent is not None
    assert desk.open_audit is not None
    workers.run(desk.live.database.url, desk.agent, desk.open_audit(), stopped, _say)


def _say(line: str) -> None:
    click.echo(f"harken: {line}", err=True)
