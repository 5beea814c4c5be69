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

log = logger(__name__).bind()  # once, since it is a good part of what a line that is not wanted costs

_US = 1_000_000
_OUTCOMES = tuple(outcome.value for outcome in Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What one transaction made of what arrived."""

    receipts: list[Receipt]
    new: New
    late: int  #: of the new ones, older than what their identity had


def count(arrived: Sequence[Arrival | Refusal], done: Received, committed_at: datetime, span: observe.Spanned) -> None:
    """After the commit: what was undone happened to nobody."""
    outcomes = _outcomes(arrived, done.receipts)
    observe.add(observe.EVENTS_LATE, done.late)
    committed = microseconds(committed_at)
    received = [microseconds(entry.received_at) for entry, _ in done.new]
    lags = [(at - entry.at) / _US for (entry, _), at in zip(done.new, received, strict=True)]
    observe.measure(observe.EVENT_LAG, *lags)
    observe.measure(observe.PROFILE_FRESHNESS, *[(committed - at) / _US for at in received])
    facts = {"events": len(arrived), **outcomes, "late": done.late, **_between([position for _, position in done.new])}
    span.say(**facts)
    log.info("events_received", **facts, **observe.trace_fields())


def _outcomes(arrived: Sequence[Arrival | Refusal], receipts: Sequence[Receipt]) -> dict[str, int]:
    """How many came to what."""
    outcomes = dict.fromkeys(_OUTCOMES, 0)
    pairs = Counter((_source(each), told.outcome.value) for each, told in zip(arrived, receipts, strict=True))
    for (source, outcome), number in pairs.items():
        outcomes[outcome] += number
        observe.add(observe.EVENTS_INGESTED, number, source=observe.source_label(source), outcome=outcome)
    observe.add(observe.EVENTS_DUPLICATE, outcomes[Outcome.DUPLICATE.value])
    if outcomes[Outcome.QUARANTINED.value]:
        for reason, number in Counter(told.reason for told in receipts if told.reason).items():
            observe.add(observe.EVENTS_REJECTED, number, reason=reason)
    return outcomes


def _source(each: Arrival | Refusal) -> str:
    source: str = each.source if isinstance(each, Refusal) else each.row["source"]
    return source


def _between(positions: Sequence[int]) -> dict[str, int]:
    return {"first_position": min(positions), "last_position": max(positions)} if positions else {}
