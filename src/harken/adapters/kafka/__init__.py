"""Kafka, as a source of what happened and a sink of what was decided."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harken.adapters.kafka.address import Address, is_kafka, read
from harken.adapters.kafka.consumer import Batch, Record, Source, Watcher
from harken.adapters.kafka.producer import DEAD, Sink, Undelivered
from harken.adapters.kafka.registry import SchemaRegistry
from harken.adapters.kafka.wire import PROFILE_SCHEMA, Outlet, event_in

__all__ = [
    "PROFILE_SCHEMA",
    "Address",
    "Batch",
    "Outlet",
    "Record",
    "SchemaRegistry",
    "Sink",
    "Source",
    "Undelivered",
    "Watcher",
    "event_in",
    "is_kafka",
    "outlet",
    "read",
    "source",
]


@contextmanager
def source(
    address: Address, offset_of: Callable[[str, int], int | None], report: Callable[[str], None]
) -> Iterator[Source]:
    """A member of the group that says which partitions come to it and go."""

    def told(what: str) -> Callable[[object], None]:
        return lambda partitions: report(f"{address.topic}: {what} {partitions}.") if partitions else None

    watcher = Watcher(
        offset_of=offset_of, assigned=told("reading partitions"), revoked=told("leaving partitions"), report=report
    )
    with Source(address, watcher) as opened:
        yield opened


def outlet(address: Address, report: Callable[[str], None], schema: str | None = None) -> Outlet:
    """A sink for one thread, with the topic of dead letters behind it."""
    sink = Sink(address, report)
    sink.ensure_topic(address.topic + DEAD, 1)
    return Outlet(sink, address, schema)
