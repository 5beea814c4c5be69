"""A row of the thin event table -> the columns that features may name, all plain integers and strings.

Whatever is not None here was said by the event itself; nothing looks at a neighbour. `compile.with_columns` is the
same table as dataframe expressions, and a test holds the two together.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harken.domain.event import Signal, Urgency
from harken.domain.profile import Value
from harken.profiles.features import HOUR_US

Row: TypeAlias = Mapping[str, Any]

NEGATIVE_BELOW = -300  #: thousandths: a message that reads as unhappy
UNSURE = "und"  #: a language nobody recognised is no language to remember

SIGNALS: Mapping[str, int] = {
    "thanks": Signal.THANKS.value,
    "question": Signal.QUESTION.value,
    "angry": Signal.ANGRY.value,
    "still_broken": Signal.STILL_BROKEN.value,
    "wants_person": Signal.WANTS_PERSON.value,
    "regulatory": Signal.REGULATORY.value,
}

LARGEST = 10**15  #: amounts beyond it are mistakes, and sums of them would not fit an engine's integers

ATTRIBUTES: Mapping[str, tuple[str, type]] = {
    "amount_minor": ("amount_minor", int),
    "success": ("success", bool),
    "granted": ("granted", bool),
    "consent_to": ("channel", str),
    "zone": ("zone", str),
    "product": ("product", str),
    "risk": ("risk", int),
    "outcome": ("outcome", str),
    "dispute_status": ("status", str),
    "tier": ("tier", str),
    "country": ("country", str),
}
"""Column -> the attribute of a typed event it comes from and its JSON type; another type counts as absent."""

_NO_ATTRIBUTES: Mapping[str, Value] = dict.fromkeys(ATTRIBUTES)


def columns_of(row: Row) -> dict[str, Any]:
    """Every column of one event. `attributes` may be JSON text or a mapping; yes and no become 1 and 0."""
    at, signals, sentiment, language = row["at"], row["signals"], row["sentiment"], row["language"]
    columns = {
        "kind": row["kind"],
        "at": at,
        "channel": row["channel"],
        "addressed_to": row["addressed_to"],
        "language": None if language == UNSURE else language,
        "sentiment": sentiment,
        "hour": at // HOUR_US % 24,
        "urgent": 1 if row["urgency"] >= Urgency.URGENT else 0,
        "negative": 1 if sentiment is not None and sentiment < NEGATIVE_BELOW else 0,
    }
    for name, bit in SIGNALS.items():
        columns[name] = 1 if signals & bit else 0
    columns.update(attributes_of(row.get("attributes")))
    return columns


def attributes_of(attributes: str | Mapping[str, Any] | None) -> Mapping[str, Value]:
    """The attribute columns of one typed event: what a loader puts beside the thin table."""
    if not attributes:
        return _NO_ATTRIBUTES
    given = json.loads(attributes) if isinstance(attributes, str) else attributes
    return {column: _typed(given.get(name), kind) for column, (name, kind) in ATTRIBUTES.items()}


def _typed(value: Any, kind: type) -> Value:
    if type(value) is not kind:
        return None
    if isinstance(value, int):
        return int(value) if abs(value) <= LARGEST else None
    return str(value)


SHOWN: Mapping[str, Callable[[Any], Value]] = {"at": lambda at_us: at_us // 1_000_000, "hour": int, "granted": bool}
"""How a column's value is shown in a profile: moments in whole seconds, hours as numbers, consent as yes or no."""
