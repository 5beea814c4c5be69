"""What was asked, what the words demand, and whose ticket it is -> how pressing it is, with the reason."""

from collections.abc import Mapping
from typing import NamedTuple

from harken.domain.profile import Value
from harken.domain.ticket import Priority
from harken.tickets.desk_file import PriorityTable

LADDER = tuple(Priority)


class Weighed(NamedTuple):
    priority: Priority
    because: str  #: for people, one line


def weigh(
    asked: Priority | None, urgency: int, tier: str, features: Mapping[str, Value], table: PriorityTable
) -> Weighed:
    """`urgency`: 0 to 3, as read in the words. Read the table in desk_default.toml to a support lead."""
    start = asked or table.unsaid
    reasons = [f"asked for {asked}" if asked else f"nothing was asked for, so {start}"]
    level = LADDER.index(start)
    demanded = table.urgency.get(str(urgency))  # type: ignore[call-overload]
    if demanded is not None and LADDER.index(demanded) > level:
        level = LADDER.index(demanded)
        reasons.append(f"their words (urgency {urgency} of 3) demand {demanded}")
    steps, why = _steps(tier, features, table)
    if steps and level > 0:
        level = min(level + steps, len(LADDER) - 1)
        reasons.append(why)
    return Weighed(LADDER[level], "; ".join(reasons) + ".")


def ahead(tier: str, priority: Priority, table: PriorityTable) -> bool:
    """Whether what they pay for has raised it: only then they are told so."""
    return table.tier.get(tier, 0) > 0 and priority is not LADDER[0]


def _steps(tier: str, features: Mapping[str, Value], table: PriorityTable) -> tuple[int, str]:
    """The best reason alone: a good customer who also pays much is not raised twice."""
    found = [(table.tier.get(tier, 0), f"tier {tier}")]
    for row in table.value:
        value = features.get(row.feature)
        if isinstance(value, int | float) and value >= row.at_least:
            found.append((row.steps, f"{row.feature} is {row.at_least:g} or more"))
    return max(found, key=lambda each: each[0])
