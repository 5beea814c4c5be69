"""Kafka, as a source of what happened and a sink of what was decided."""

from harken.adapters.kafka.address import Address, is_kafka, read
from harken.adapters.kafka.consumer import Batch, Record, Source, Watcher
from harken.adapters.kafka.producer import Sink, Undelivered
from harken.adapters.kafka.registry import SchemaRegistry

__all__ = [
    "Address",
    "Batch",
    "Record",
    "SchemaRegistry",
    "Sink",
    "Source",
    "Undelivered",
    "Watcher",
    "is_kafka",
    "read",
]
