"""Conversations' facts and standing -> the features that depend on more than one event, joined to a profile at read.

The facts become rows like events (a case, its contacts, its answered waits), and the same aggregates read them.
Nothing is stored: a conversation is recomputed when it changes, so these values always follow it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from harken.domain.conversation import Facts, Standing, Status
from harken.domain.profile import Value
from harken.profiles.aggregates import Cell
from harken.profiles.features import CASE, CONTACT, CONVERSATION_FEATURES, REPLY
from harken.profiles.plan import Measure, measure_of, reading_of

SECOND_US = 1_000_000


def from_conversations(cases: Sequence[tuple[Facts, Standing]], as_of_us: int) -> dict[str, Value]:
    """Every conversation feature of one customer, from all their conversations over all identities.

    Facts and standing are those of the same moment: nothing later is in them. A case and its waits belong to the
    window of the case's last turn; contacts count at their own time, the newest 50 of each conversation.
    """
    rows: dict[str, list[dict[str, Any]]] = {CASE["kind"]: [], CONTACT["kind"]: [], REPLY["kind"]: []}
    for facts, standing in cases:
        at = facts.last_at * SECOND_US
        rows[CASE["kind"]].append(_case(facts, standing, as_of_us))
        rows[CONTACT["kind"]].extend([{"at": moment * SECOND_US} for moment in facts.brand_at])
        rows[REPLY["kind"]].extend([{"at": at, "reply_s": wait_s} for wait_s in facts.reply_s])
    values = dict(EMPTY)
    for kind, window_us, hop_us, measure, reading in _READINGS:
        if rows[kind]:
            values[reading.name] = reading.final(_cell(measure, rows[kind], _first_us(window_us, hop_us, as_of_us)))
    return values


def _case(facts: Facts, standing: Standing, as_of_us: int) -> dict[str, Any]:
    waits = standing.status is Status.OPEN and facts.unanswered_since is not None
    return {
        "at": facts.last_at * SECOND_US,
        "status": standing.status.value,
        "resolved": int(standing.status is Status.RESOLVED),
        "reopened": facts.reopened,
        "waiting_s": as_of_us // SECOND_US - (facts.unanswered_since or 0) if waits else None,
    }


def _first_us(window_us: int, hop_us: int, as_of_us: int) -> int:
    return (as_of_us - window_us) // hop_us * hop_us if window_us else 0


def _cell(measure: Measure, rows: list[dict[str, Any]], first_us: int) -> Cell:
    lift, merge, cell = measure.aggregate.lift, measure.aggregate.merge, measure.aggregate.zero
    for row in rows:
        if row["at"] >= first_us:
            value = measure.value_in(row)
            if value is not None:
                cell = merge(cell, lift(value, row["at"]))
    return cell


_READINGS = tuple(
    (str(f.where["kind"]), f.window_us or 0, f.hop_us or 0, measure_of(f), reading_of(f, 0))
    for f in CONVERSATION_FEATURES
)

EMPTY: Mapping[str, Value] = {reading.name: reading.final(measure.aggregate.zero) for *_, measure, reading in _READINGS}
"""Every conversation feature of a customer without conversations."""
