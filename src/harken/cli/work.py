"""`harken work`: what waits for a worker; or what lies in a stream, and whose profiles it changed."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial

import click

from harken.cli import options, workers
from harken.cli.beside import beside, stopping
from harken.errors import UnsuitableError

PARTITIONS = 6


@click.command("work", short_help="Answer tickets, deliver and seal; or take in what lies in a Kafka topic.")
@click.option("--from", "stream", metavar="URL", help="kafka://HOST:PORT/TOPIC[?group=NAME&registry=URL]")
@click.option("--changes", metavar="TOPIC", help="Publish changed profiles there, the newest of each identity.")
@click.option("--events", metavar="TOPIC", help="Publish the log's events there, without texts: what Flink folds.")
@options.store
def command(stream: str | None, changes: str | None, events: str | None, store: str | None) -> None:
    """Do what waits for a worker until stopped: answer tickets, deliver, seal. Start as many as you like: they share the work.

    With --from, read events from a Kafka topic instead; start as many as there are partitions. What cannot be taken goes to
    TOPIC.dead with its reason, and stays in quarantine here.
    """
    if stream is None:
        if changes or events:
            raise click.UsageError("--changes and --events tell of a topic that is read: give --from.")
        with options.desk(store) as desk:
            return workers.alone(desk)
    return _read(stream, changes, events, store)


def _read(stream: str, changes: str | None, events: str | None, store: str | None) -> None:
    from harken.adapters import kafka  # noqa: PLC0415  an extra, and only this command needs it
    from harken.flow import publishing, work  # noqa: PLC0415  --help needs none of it

    address = kafka.read(stream)
    stopped = threading.Event()

    def end() -> None:
        stopped.set()
        source.stop()

    with options.desk(store) as desk, ExitStack() as closing:
        if desk.live is None:
            raise UnsuitableError("A stream is read into PostgreSQL; this store takes files only.")
        outlet = kafka.outlet(address, _say)
        source = closing.enter_context(kafka.source(address, work.place_of(desk.live), _say))
        closing.enter_context(stopping(end))
        if changes:
            told = kafka.outlet(address, _say, kafka.PROFILE_SCHEMA)
            told.ensure_topic(changes, PARTITIONS, compacted=True)
            step = partial(publishing.changes, changes, told, desk, desk.bench.load_policy())
            closing.enter_context(_published(step, stopped))
        if events:
            told = kafka.outlet(address, _say)
            told.ensure_topic(events, PARTITIONS)
            closing.enter_context(_published(partial(publishing.events, events, told, desk), stopped))
        _say(f"Reading {address.topic} at {address.where}; stop with Ctrl-C.")
        hands = work.Hands(
            stream=source, outlet=outlet, decoded=kafka.event_in, desk=desk.live, report=_say, pause=stopped.wait
        )
        work.work(hands)


def _published(step: Callable[[], int], stopped: threading.Event) -> AbstractContextManager[None]:
    """A thread that publishes while the block works."""
    from harken.flow.keeping import keep  # noqa: PLC0415  --help needs none of it

    return beside(partial(keep, step, stopped.wait, _say), stopped)


def _say(line: str) -> None:
    click.echo(f"harken: {line}", err=True)
