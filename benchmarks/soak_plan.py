"""A seed -> the faults of a soak and the events as they are delivered: the same seed, the same schedule."""

import argparse
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import orjson

from benchmarks.soak_worker import (
    ANYWHERE,
    COMMITTED,
    LOGGED,
    READING,
    RECEIVING,
    WRITTEN,
    Fault,
    write_partition,
)

TWICE = 0.1
EVENTS_A_CUSTOMER = 20
QUIET_PART = 0.9  #: no fault after this part of a partition: what is left shows that work goes on


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a seed decides."""

    customers: int
    partitions: int
    batch: int
    faults: tuple[Fault, ...]


def planned(given: argparse.Namespace, chance: Random) -> Plan:
    partitions = chance.randint(2, 4)
    length = int(given.events * (1 + TWICE)) // partitions
    kills = [
        ("kill", chance.choice((ANYWHERE, ANYWHERE, READING, LOGGED, WRITTEN, COMMITTED))) for _ in range(given.kills)
    ]
    crashes = [("crash", chance.choice((READING, LOGGED, WRITTEN, COMMITTED))) for _ in range(given.crashes)]
    replaced = [("replace", RECEIVING)] * max(1, given.kills // 10)
    faults = [
        Fault(
            number=number,
            what=what,
            point=point,
            partition=chance.randrange(partitions),
            at=chance.randrange(int(length * QUIET_PART)),
            delay_s=chance.random() / 10,
            signal=chance.choice((signal.SIGQUIT, signal.SIGKILL)),
        )
        for number, (what, point) in enumerate([*kills, *crashes, *replaced])
    ]
    return Plan(
        customers=max(2, given.events // EVENTS_A_CUSTOMER),
        partitions=partitions,
        batch=chance.choice((100, 200, 400)),
        faults=tuple(sorted(faults, key=lambda fault: (fault.at, fault.number))),
    )


def delivered(bodies: Sequence[dict[str, Any]], plan: Plan, chance: Random, folder: Path) -> int:
    """Shuffled, some twice and then perhaps to two partitions at once."""
    sent = [*range(len(bodies)), *chance.sample(range(len(bodies)), int(len(bodies) * TWICE))]
    chance.shuffle(sent)
    for partition in range(plan.partitions):
        write_partition(folder, partition, [orjson.dumps(bodies[n]) for n in sent[partition :: plan.partitions]])
    return len(sent)
