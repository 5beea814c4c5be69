"""What language models may cost in a day: a worst case is set aside before each call, the true figure kept after it.

    reservation = await budget.reserve(worst)     # OverBudgetError when the day's money or tokens could run out
    notes = await budget.settle(reservation, actual)

Because the worst case is held while a call is under way, calls side by side cannot overspend together.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from harken.errors import ModelUnavailableError
from harken.kit.clock import Clock
from harken.kit.log import logger

THRESHOLDS_PERCENT = (80, 90, 100)

log = logger(__name__)


class OverBudgetError(ModelUnavailableError):
    """The daily budget for language models could run out with this call."""


@dataclass(frozen=True, slots=True)
class Spend:
    """Money in US dollars, and tokens read and written together."""

    usd: float = 0.0
    tokens: int = 0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(self.usd + other.usd, self.tokens + other.tokens)

    def __sub__(self, other: "Spend") -> "Spend":
        return Spend(self.usd - other.usd, self.tokens - other.tokens)


@dataclass(frozen=True, slots=True)
class DailyLimit:
    usd: float
    tokens: int | None = None

    def allows(self, spend: Spend) -> bool:
        return spend.usd <= self.usd and (self.tokens is None or spend.tokens <= self.tokens)

    def percent(self, spend: Spend) -> float:
        """How much is used up, of whichever runs out first."""
        shares = [spend.usd / self.usd if self.usd else 0.0]
        if self.tokens:
            shares.append(spend.tokens / self.tokens)
        return 100 * max(shares)


class Ledger(Protocol):
    """Keeps what a day has cost; shared by every process that asks language models."""

    async def reserve(self, day: date, worst: Spend, limit: DailyLimit) -> bool:
        """Set `worst` aside in one step, unless the day's total would pass the limit."""
        ...

    async def settle(self, day: date, worst: Spend, actual: Spend) -> Spend:
        """Replace what was set aside by what it cost. Returns the day's total."""
        ...


class InMemoryLedger:
    """For one process. A restart forgets the day."""

    def __init__(self) -> None:
        self._days: defaultdict[date, Spend] = defaultdict(Spend)

    async def reserve(self, day: date, worst: Spend, limit: DailyLimit) -> bool:
        total = self._days[day] + worst
        if not limit.allows(total):
            return False
        self._days[day] = total
        return True

    async def settle(self, day: date, worst: Spend, actual: Spend) -> Spend:
        self._days[day] += actual - worst
        return self._days[day]


@dataclass(frozen=True, slots=True)
class Reservation:
    day: date
    worst: Spend


@dataclass
class Budget:
    """The limit of each UTC day and who keeps count."""

    limit: DailyLimit
    clock: Clock
    ledger: Ledger = field(default_factory=InMemoryLedger)
    _told: set[tuple[date, int]] = field(default_factory=set)

    async def reserve(self, worst: Spend) -> Reservation:
        day = self.clock().date()
        if not await self.ledger.reserve(day, worst, self.limit):
            raise OverBudgetError
        return Reservation(day, worst)

    async def settle(self, reservation: Reservation, actual: Spend) -> tuple[str, ...]:
        """Notes on thresholds that this call passed, each once a day."""
        total = await self.ledger.settle(reservation.day, reservation.worst, actual)
        used = self.limit.percent(total)
        passed = [(reservation.day, mark) for mark in THRESHOLDS_PERCENT if used >= mark]
        new = [mark for mark in passed if mark not in self._told]
        self._told.update(new)
        for _, percent in new:
            log.warning("budget_threshold", percent=percent, spent_usd=round(total.usd, 4), spent_tokens=total.tokens)
        return tuple(f"budget: {percent} % of the day used" for _, percent in new)
