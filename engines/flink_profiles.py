"""Thin events on a Kafka topic -> the state of every identity on another: the job that `engines/submit.py` hands to Flink.

It decides nothing: `harken.profiles.keyed` does, over the states that Flink keeps. No timers: windows are evaluated
when a profile is read, so a replay comes to the same.
"""

import argparse
import json
from collections.abc import Iterator

import client_settings
from pyflink.common import Configuration, Row, Types, WatermarkStrategy
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import KeyedProcessFunction, OutputTag, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import (
    KafkaOffsetsInitializer,
    KafkaRecordSerializationSchema,
    KafkaSink,
    KafkaSource,
)
from pyflink.datastream.formats.json import JsonRowSerializationSchema
from pyflink.datastream.state import MapStateDescriptor, ValueStateDescriptor
from pyflink.java_gateway import get_gateway

from harken.profiles import keyed
from harken.profiles.features import DAY_US

UPSERT = Types.ROW_NAMED(
    ["state", "identity", "version", "layout"], [Types.STRING(), Types.STRING(), Types.LONG(), Types.STRING()]
)
ASIDE = OutputTag("aside", Types.STRING())
TRANSACTION_TIMEOUT_MS = 900_000  #: the most that a broker grants unless its own settings say more
FAILURES, FAILURES_WITHIN, AGAIN_AFTER = 20, "10 min", "10 s"


class Ids:
    """Flink's keyed map under the names that `keyed` asks for."""

    def __init__(self, state) -> None:
        self.contains, self.put, self.items, self.remove = state.contains, state.put, state.items, state.remove


class Profiles(KeyedProcessFunction):
    """Keyed state: the profile as text, the layout that it was last made with, and the ids that count no second time."""

    def __init__(self, remembered_us: int) -> None:
        self._remembered_us = remembered_us
        self._expected = keyed.Keeper(remembered_us).layout_name

    def open(self, context: RuntimeContext) -> None:
        self._keeper = keyed.Keeper(self._remembered_us)
        if self._keeper.layout_name != self._expected:
            raise RuntimeError("This task manager still holds another version of Harken. Start it anew.")
        self._profile = context.get_state(ValueStateDescriptor("profile", Types.STRING()))
        self._layout = context.get_state(ValueStateDescriptor("layout", Types.STRING()))
        self._ids = Ids(context.get_map_state(MapStateDescriptor("ids", Types.STRING(), Types.LONG())))
        group = context.get_metrics_group().add_group("harken")
        self._counters = {outcome: group.counter(outcome.value) for outcome in keyed.Outcome}

    def process_element(self, line: str, _: object) -> Iterator[object]:
        try:
            row = keyed.event_from(line)
        except ValueError as wrong:
            self._counters[keyed.Outcome.UNSUITABLE].inc()
            yield ASIDE, json.dumps({"outcome": keyed.Outcome.UNSUITABLE, "why": str(wrong), "event": line})
            return
        kept, stale = self._kept()
        outcome, kept = self._keeper.take(kept, row, self._ids)
        self._counters[outcome].inc()
        if outcome is keyed.Outcome.FOLDED:
            self._profile.update(str(kept))
            if stale:  # only now: until its profile is written the old layout says what the old state means
                self._layout.update(self._keeper.layout)
            yield Row(kept.state.decode(), row["identity"], kept.version, kept.layout)
        elif outcome is not keyed.Outcome.DUPLICATE:
            yield ASIDE, json.dumps({"outcome": outcome, "why": "", "event": line})

    def _kept(self) -> tuple[keyed.Kept | None, bool]:
        """This identity's, in the layout of today, and whether it was at rest in another."""
        text = self._profile.value()
        if text is None:
            return None, True
        kept = keyed.kept_from(text)
        if kept.layout == self._keeper.layout_name:
            return kept, False
        return self._keeper.carried(kept, self._layout.value()), True


def identity_of(line: str) -> str:
    """Whatever cannot be read meets under one key and is put aside there."""
    try:
        return keyed.event_from(line)["identity"]
    except ValueError:
        return ""


def source(given: argparse.Namespace) -> KafkaSource:
    builder = (
        KafkaSource.builder()
        .set_bootstrap_servers(given.brokers)
        .set_topics(given.events)
        .set_group_id(given.name)
        .set_properties({**given.client, "isolation.level": "read_committed", "commit.offsets.on.checkpoint": "true"})
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
    )
    if given.until_now:
        builder.set_bounded(KafkaOffsetsInitializer.latest())
    return builder.build()


def sink(given: argparse.Namespace, record: KafkaRecordSerializationSchema, name: str) -> KafkaSink:
    builder = (
        KafkaSink.builder()
        .set_bootstrap_servers(given.brokers)
        .set_record_serializer(record)
        .set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .set_transactional_id_prefix(f"{given.name}-{name}")
        .set_property("transaction.timeout.ms", str(TRANSACTION_TIMEOUT_MS))
    )
    for key, value in given.client.items():
        builder.set_property(key, value)
    return builder.build()


def upsert(topic: str) -> KafkaRecordSerializationSchema:
    """Key: the identity, as it is. Value: one JSON object."""
    key = SimpleStringSchema()
    wrapped = get_gateway().jvm.org.apache.flink.python.util.PythonConnectorUtils.SecondColumnSerializationSchema
    key._j_serialization_schema = wrapped(key._j_serialization_schema)
    value = JsonRowSerializationSchema.builder().with_type_info(UPSERT).build()
    return (
        KafkaRecordSerializationSchema.builder()
        .set_topic(topic)
        .set_key_serialization_schema(key)
        .set_value_serialization_schema(value)
        .build()
    )


def aside(topic: str) -> KafkaRecordSerializationSchema:
    builder = KafkaRecordSerializationSchema.builder().set_topic(topic)
    return builder.set_value_serialization_schema(SimpleStringSchema()).build()


def configuration(given: argparse.Namespace) -> Configuration:
    """What the promise rests on; the cluster's own settings have the rest (memory, addresses, where savepoints go)."""
    settings = {
        "python.execution-mode": "thread",
        "state.backend.type": "rocksdb",
        "execution.checkpointing.incremental": "true",
        "execution.checkpointing.mode": "EXACTLY_ONCE",
        "execution.checkpointing.interval": f"{given.every_s} s",
        "execution.checkpointing.dir": given.checkpoints,
        "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
        # A number of failures in all would end a job that has run for a year; none would retry a broken one for ever.
        "restart-strategy.type": "failure-rate",
        "restart-strategy.failure-rate.max-failures-per-interval": str(FAILURES),
        "restart-strategy.failure-rate.failure-rate-interval": FAILURES_WITHIN,
        "restart-strategy.failure-rate.delay": AGAIN_AFTER,
    }
    made = Configuration()
    for key, value in settings.items():
        made.set_string(key, value)
    return made


def options() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--brokers", required=True, help="host:port,host:port")
    asked.add_argument("--events", required=True, help="the topic of thin events, keyed by identity")
    asked.add_argument("--profiles", required=True, help="the compacted topic of states")
    asked.add_argument("--aside", required=True, help="the topic for events that could not be folded, with the reason")
    asked.add_argument("--checkpoints", required=True, help="a folder that every Flink process reaches: file://, s3://")
    asked.add_argument("--name", default="harken-profiles", help="group id, and prefix of the transactions")
    asked.add_argument("--every-s", type=int, default=10, help="seconds from checkpoint to checkpoint (%(default)s)")
    asked.add_argument("--remember-days", type=int, default=400, help="how long ids are kept (%(default)s)")
    asked.add_argument("--until-now", action="store_true", help="end when what is on the topic now is folded")
    asked.add_argument(
        "--client", type=client_settings.read, default={}, help="a file of Kafka client settings, key=value"
    )
    return asked.parse_args()


def main() -> None:
    given = options()
    environment = StreamExecutionEnvironment.get_execution_environment(configuration(given))
    events = environment.from_source(source(given), WatermarkStrategy.no_watermarks(), "events").uid("events")
    states = (
        events.key_by(identity_of, key_type=Types.STRING())
        .process(Profiles(given.remember_days * DAY_US), output_type=UPSERT)
        .uid("profiles")
    )
    states.sink_to(sink(given, upsert(given.profiles), "states")).uid("states")
    states.get_side_output(ASIDE).sink_to(sink(given, aside(given.aside), "aside")).uid("aside")
    environment.execute(given.name)


if __name__ == "__main__":
    main()
