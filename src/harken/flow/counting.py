"""A batch of events that was received -> metrics and one log line: how many and how quickly, never what or who."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from harken.flow.arriving import Arrival, Outcome, Receipt, Refusal
from harken.flow.dossier import microseconds
from harken.flow.following import New
from harken.kit import observe
from harken.kit.log import logger

log = logger(__name__)

_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What one transaction made of what arrived."""

    receipts: list[Receipt]
    new: New
    late: int  #: of the new ones, older than what their identity had


def count(arrived: Sequence[Arrival | Refusal], done: Received, committed_at: datetime, span: observe.Spanned) -> None:
    """After the commit: what was undone happened to nobody."""
    outcomes = Counter(receipt.outcome for receipt in done.receipts)
    _add_up(arrived, done)
    observe.add(observe.EVENTS_DUPLICATE, outcomes[Outcome.DUPLICATE])
    observe.add(observe.EVENTS_LATE, done.late)
    received = [(entry, microseconds(entry.received_at)) for entry, _ in done.new]
    observe.measure(observe.EVENT_LAG, *[(at - entry.at) / _US for entry, at in received])
    committed = microseconds(committed_at)
    observe.measure(observe.PROFILE_FRESHNESS, *[(committed - at) / _US for _, at in received])
    facts = {
        "events": len(arrived),
        **{outcome.value: outcomes[outcome] for outcome in Outcome},
        "late": done.late,
        **_between([position for _, position in done.new]),
    }
    span.say(**facts)
    log.info("events_received", **facts, **observe.trace_fields())


def _add_up(arrived: Sequence[Arrival | Refusal], done: Received) -> None:
    pairs = list(zip(arrived, done.receipts, strict=True))
    for (source, outcome), number in Counter((_source(each), told.outcome) for each, told in pairs).items():
        observe.add(observe.EVENTS_INGESTED, number, source=observe.source_label(source), outcome=outcome.value)
    for reason, number in Counter(told.reason for _, told in pairs if told.reason).items():
        observe.add(observe.EVENTS_REJECTED, number, reason=str(reason))


def _source(each: Arrival | Refusal) -> str:
    source: str = each.source if isinstance(each, Refusal) else each.row["source"]
    return source


def _between(positions: Sequence[int]) -> dict[str, int]:
    return {"first_position": min(positions), "last_position": max(positions)} if positions else {}
