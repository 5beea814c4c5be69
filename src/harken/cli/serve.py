"""`harken serve`: the HTTP interface."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from harken.cli import options, workers
from harken.cli.admission import rules_of
from harken.cli.beside import beside
from harken.errors import UnsuitableError

if TYPE_CHECKING:
    from harken.flow.desk import Desk


@click.command("serve", short_help="Serve the HTTP interface.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@options.store
def command(host: str, port: int, store: str | None) -> None:
    """POST /predict_nba, /health, /docs. On loopback, requests need no token unless authentication is configured."""
    import uvicorn  # noqa: PLC0415  only this command needs a server

    from harken import settings  # noqa: PLC0415  as above
    from harken.web.app import app_of  # noqa: PLC0415  as above

    rules = rules_of(settings.load(), host, loopback=_is_loopback(host))
    with _listening(host, port) as door, options.desk(store) as desk:
        where = f"[{host}]" if ":" in host else host
        click.echo(f"http://{where}:{door.getsockname()[1]}  (documentation: /docs, stop with Ctrl-C)", err=True)
        # Its log goes where ours goes, and is redacted there.
        server = uvicorn.Server(uvicorn.Config(app_of(desk, rules), log_config=None, access_log=False))
        with (
            _keeping(desk),
            workers.beside_a_server(desk),
            suppress(KeyboardInterrupt),
        ):  # raised again once all is closed; being stopped is how serving ends
            server.run(sockets=[door])


@contextmanager
def _keeping(desk: "Desk") -> Iterator[None]:
    """While somebody serves, the knowledge is kept up: folders as they change, and everything at its hour."""
    from harken.cli import knowledge_learn  # noqa: PLC0415  --help needs none of it
    from harken.flow import keeping, minding, refreshing  # noqa: PLC0415  as above
    from harken.flow.adding import Wish  # noqa: PLC0415  as above

    if desk.library is None or not (desk.library.folders or desk.library.nightly_at):
        yield
        return
    stopped, shelf = threading.Event(), desk.library
    hands = knowledge_learn.hands(stopped)
    nightly = refreshing.Nightly(desk, shelf, hands, hands.report)

    def every_night() -> None:
        with suppress(minding.StoppedError):
            keeping.keep(nightly.step, stopped.wait, hands.report, refreshing.LOOK_EVERY_S)

    with ExitStack() as closing:
        if shelf.folders:
            closing.enter_context(beside(partial(minding.mind, shelf.folders, Wish(), shelf, hands), stopped))
        if shelf.nightly_at:
            closing.enter_context(beside(every_night, stopped))
        yield


def _listening(host: str, port: int) -> socket.socket:
    """Port 0: any that is free."""
    try:
        door = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        # asyncio does so for sockets of its own making only; without it the end of every answer waits 40 ms.
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return door
    except OSError as wrong:
        raise UnsuitableError(
            f"Cannot listen on {host} port {port}: {wrong.strerror}. Choose another --port."
        ) from wrong


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
