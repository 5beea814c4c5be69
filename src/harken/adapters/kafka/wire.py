"""Records <-> events: JSON, with a schema registry's number before it where there is one."""

from collections.abc import Mapping
from typing import Any

import orjson

from harken.adapters.kafka.address import Address
from harken.adapters.kafka.consumer import Record
from harken.adapters.kafka.producer import Sink
from harken.adapters.kafka.registry import SchemaRegistry, decode, encode
from harken.errors import UnsuitableError

PROFILE_SCHEMA = orjson.dumps(
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A customer's profile as of a moment, under the key of one of its identities",
        "type": "object",
        "required": ["customer", "identities", "as_of", "features", "freshness"],
        "properties": {
            "customer": {"type": "string"},
            "identities": {"type": "array", "items": {"type": "string"}},
            "as_of": {"type": "string", "format": "date-time"},
            "features": {"type": "object"},
            "freshness": {"type": "object"},
        },
    }
).decode()


def event_in(value: bytes) -> Any:
    """What a record says. Raises ValueError where that is no JSON."""
    try:
        return orjson.loads(decode(value)[1])
    except UnsuitableError as cut:
        raise ValueError(str(cut)) from cut


class Outlet:
    """A sink that writes `schema` before what it publishes, as the registry wants it, where one is configured."""

    def __init__(self, sink: Sink, address: Address, schema: str | None = None) -> None:
        self._sink, self._schema = sink, schema
        self._registry = SchemaRegistry(address.registry) if address.registry else None

    def publish(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes] | None = None
    ) -> None:
        if self._registry and self._schema and value is not None:
            value = encode(self._registry.register(f"{topic}-value", self._schema), value)
        self._sink.publish(topic, key, value, headers)

    def dead_letter(self, topic: str, partition: int, record: Record, reason: str) -> None:
        """As it came."""
        self._sink.dead_letter(topic, partition, record, reason)

    def ensure_topic(self, topic: str, partitions: int, *, compacted: bool = False) -> None:
        self._sink.ensure_topic(topic, partitions, compacted=compacted)

    def flush(self, within_s: float) -> tuple[object, ...]:
        return self._sink.flush(within_s)
