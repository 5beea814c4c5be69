"""Made-up events for the profile tests, and the three engines that must agree about them."""

import json
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa

from harken.domain.event import Kind
from harken.profiles import compile as plan_compiler
from harken.profiles import fold, pack, plan, read, stored
from harken.profiles.columns import ATTRIBUTES, attributes_of
from harken.profiles.features import DAY_US, FEATURES, HOUR_US, Feature

Row = dict[str, Any]
START_US = 1_512_000_000_000_000

SCHEMA = pa.schema(
    {
        **dict.fromkeys(("id", "kind", "identity", "channel", "addressed_to", "language", "attributes"), pa.string()),
        "at": pa.int64(),
        "sentiment": pa.int16(),
        "urgency": pa.int16(),
        "signals": pa.int32(),
        **{name: {int: pa.int64(), bool: pa.bool_(), str: pa.string()}[kind] for name, (_, kind) in ATTRIBUTES.items()},
    }
)


def event(at_us: int = START_US, **given: Any) -> Row:
    attributes = given.pop("attributes", None)
    row = {
        "id": "web:1",
        "kind": "message_received",
        "identity": "web:ada",
        "channel": "email",
        "addressed_to": None,
        "language": "en",
        "sentiment": None,
        "urgency": 0,
        "signals": 0,
    }
    return {**row, **given, "at": at_us, "attributes": json.dumps(attributes) if attributes else None}


def random_event(chance: Random, identities: int = 3) -> Row:
    """Few moments and few values, so that ties and shared tiles are common."""
    at_us = START_US + chance.randrange(100) * DAY_US // 2 + chance.randrange(3) * HOUR_US // 2 + chance.randrange(2)
    kind = chance.choice([*[Kind.MESSAGE_RECEIVED] * 6, *Kind])
    return event(
        at_us,
        kind=kind.value,
        identity=chance.choice([None, *[f"web:{number}" for number in range(identities)] * 3]),
        channel=chance.choice(["email", "chat", "twitter"]),
        addressed_to=chance.choice([None, "bank", "bänk", "cards"]),
        language=chance.choice(["en", "en", "fr", "und"]),
        sentiment=chance.choice([None, -1000, -301, -300, 0, 650]),
        urgency=chance.randrange(4),
        signals=chance.randrange(8192),
        attributes=_attributes(kind, chance),
    )


def _attributes(kind: Kind, chance: Random) -> dict[str, Any] | None:
    told: dict[Kind, dict[str, Any]] = {
        Kind.PAYMENT: {"amount_minor": chance.choice([None, -5, 0, 7, 1_999, chance.randrange(10**6)])},
        Kind.LOGIN: {"success": chance.choice([True, False, "perhaps"])},
        Kind.CONSENT: {"channel": chance.choice(["email", "phone"]), "granted": chance.choice([True, False])},
        Kind.TRANSACTION: {
            "zone": chance.choice(["Europe/Lisbon", "Asia/Tokyo"]),
            "product": chance.choice([None, "card", "loan", "mörtgage"]),
        },
        Kind.DISPUTE: {"status": chance.choice(["opened", "refused", 7])},
        Kind.CREDIT_DECISION: {"outcome": chance.choice(["approved", "declined"])},
        Kind.RISK_SIGNAL: {"risk": chance.choice([None, 0, 40, 1000])},
    }
    return told.get(kind)


def random_log(size: int, seed: int = 1, identities: int = 3) -> list[Row]:
    chance = Random(seed)
    return [random_event(chance, identities) for _ in range(size)]


def table_of(rows: Iterable[Row]) -> pa.Table:
    loaded = []
    for row in rows:
        attributes = dict(attributes_of(row["attributes"]))
        for name, (_, kind) in ATTRIBUTES.items():
            if kind is bool and attributes[name] is not None:
                attributes[name] = bool(attributes[name])
        loaded.append(row | attributes)
    return pa.Table.from_pylist(loaded, schema=SCHEMA)


def on_duckdb(table: pa.Table) -> nw.LazyFrame[Any]:
    return nw.from_native(duckdb.from_arrow(table))


def on_polars(table: pa.Table) -> nw.LazyFrame[Any]:
    return nw.from_native(pl.DataFrame(pl.from_arrow(table)).lazy())


def on_pandas(table: pa.Table) -> nw.LazyFrame[Any]:
    known: nw.LazyFrame[Any] = nw.from_native(table.to_pandas(types_mapper=pd.ArrowDtype)).lazy()
    return known


ENGINES: dict[str, Callable[[pa.Table], nw.LazyFrame[Any]]] = {
    "duckdb": on_duckdb,
    "polars": on_polars,
    "pandas": on_pandas,
}


def backfilled(rows: Iterable[Row], engine: str = "polars", plan: plan.Plan = plan.CUSTOMER) -> dict[str, bytes]:
    """Identity -> the state that the batch plan makes of the log."""
    load = ENGINES[engine]
    known = load(table_of(rows))
    frames = plan_compiler.tiles(known, lambda _, frame: _again(frame, engine), plan)
    return dict(pack.pack(frames, plan=plan))


def _again(frame: nw.LazyFrame[Any], engine: str) -> nw.LazyFrame[Any]:
    if engine == "duckdb":
        return on_duckdb(frame.collect("pyarrow").to_native())
    again: nw.LazyFrame[Any] = frame.collect().lazy()
    return again


def folded(rows: Iterable[Row], plan: plan.Plan = plan.CUSTOMER) -> dict[str, fold.State]:
    """Identity -> the state that the live fold makes of the log, in the order given."""
    states: dict[str, fold.State] = {}
    for row in rows:
        if row["identity"] is not None:
            fold.fold(states.setdefault(row["identity"], {}), row, plan)
    return states


def pruned_bytes(states: dict[str, fold.State]) -> dict[str, bytes]:
    return {identity: stored.to_bytes(fold.prune(state)) for identity, state in states.items()}


def after(rows: Iterable[Row]) -> int:
    return max([row["at"] for row in rows], default=START_US) + 1


def values_of(states: dict[str, bytes], as_of_us: int, plan: plan.Plan = plan.CUSTOMER) -> dict[tuple[str, str], Any]:
    """(identity, feature) -> value."""
    return {
        (identity, name): value
        for identity, state in states.items()
        for name, value in read.read([stored.from_bytes(state)], as_of_us, plan).items()
    }


def feature(name: str) -> Feature:
    return next(feature for feature in FEATURES if feature.name == name)
