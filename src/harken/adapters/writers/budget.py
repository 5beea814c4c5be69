"""What language models may cost in a day, in a month and for a customer: a worst case is set aside before each call.

    reservation = await budget.reserve(worst, customer)    # OverBudgetError names the account that could run out
    await budget.settle(reservation, actual)               # the true figure is kept, and thresholds are told

Because the worst case is held while a call is under way, calls side by side cannot overspend together.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from harken.domain.ids import CustomerId
from harken.errors import ModelUnavailableError, TryAgainError
from harken.kit import observe
from harken.kit.clock import Clock
from harken.kit.log import logger

THRESHOLDS_PERCENT = (80, 90, 100)

log = logger(__name__)


class Scope(StrEnum):
    """What a limit is for. Days and months are UTC's."""

    DAY = "day"
    MONTH = "month"
    CUSTOMER = "customer"  #: one customer on one day


_SPOKEN: Final = {
    Scope.DAY: "daily budget used up",
    Scope.MONTH: "monthly budget used up",
    Scope.CUSTOMER: "the customer's budget used up",
}


UNKNOWN: Final = "the budgets cannot be read"


class OverBudgetError(ModelUnavailableError):
    """A budget for language models could run out with this call."""

    def __init__(self, why: str) -> None:
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Spend:
    """Money in US dollars, and tokens read and written together."""

    usd: float = 0.0
    tokens: int = 0

    def __add__(self, other: "Spend") -> "Spend":
        return Spend(self.usd + other.usd, self.tokens + other.tokens)

    def __sub__(self, other: "Spend") -> "Spend":
        return Spend(self.usd - other.usd, self.tokens - other.tokens)


NOTHING: Final = Spend()


@dataclass(frozen=True, slots=True)
class Limit:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """None: no limit of that kind."""

    day: Limit | None = None
    month: Limit | None = None
    customer: Limit | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One sum that a call counts towards. The key says when, and of a customer only a digest."""

    scope: Scope
    key: str
    limit: Limit


class Ledger(Protocol):
    """Keeps what was spent; shared by every process that asks language models."""

    async def reserve(self, accounts: Sequence[Account], worst: Spend) -> Scope | None:
        """Set `worst` aside in every account or, where one would pass its limit, in none; in one step.

        Returns which one is short, None where all had room.
        """
        ...

    async def settle(self, accounts: Sequence[Account], worst: Spend, actual: Spend) -> Sequence[Spend]:
        """Replace what was set aside by what it cost. Returns each account's total."""
        ...

    async def spent(self, accounts: Sequence[Account]) -> Sequence[Spend]:
        """Each account's total, with what is set aside."""
        ...

    async def tell(self, account: Account, percent: int, total: Spend, at: datetime) -> bool:
        """Keep that a threshold was passed. True for the first who says so."""
        ...


class InMemoryLedger:
    """For one process. A restart forgets the day."""

    def __init__(self) -> None:
        self._totals: dict[str, Spend] = {}
        self._told: set[tuple[str, int]] = set()

    async def reserve(self, accounts: Sequence[Account], worst: Spend) -> Scope | None:
        for account in accounts:
            if not account.limit.allows(self._of(account) + worst):
                return account.scope
        self._add(accounts, worst)
        return None

    async def settle(self, accounts: Sequence[Account], worst: Spend, actual: Spend) -> Sequence[Spend]:
        self._add(accounts, actual - worst)
        return await self.spent(accounts)

    async def spent(self, accounts: Sequence[Account]) -> Sequence[Spend]:
        return [self._of(account) for account in accounts]

    async def tell(self, account: Account, percent: int, total: Spend, at: datetime) -> bool:
        new = (account.key, percent) not in self._told
        self._told.add((account.key, percent))
        return new

    def _of(self, account: Account) -> Spend:
        return self._totals.get(account.key, NOTHING)

    def _add(self, accounts: Sequence[Account], spend: Spend) -> None:
        for account in accounts:
            self._totals[account.key] = self._of(account) + spend


@dataclass(frozen=True, slots=True)
class Reservation:
    """Kept to the accounts of the moment it was made at, also when it ends on another day."""

    accounts: Sequence[Account]
    worst: Spend


@dataclass
class Budget:
    """The limits, and who keeps count."""

    limits: Ceilings
    clock: Clock
    ledger: Ledger = field(default_factory=InMemoryLedger)
    _said: dict[str, int] = field(default_factory=dict)  #: the highest threshold of an account that need not be told

    async def reserve(self, worst: Spend, customer: CustomerId | None = None) -> Reservation:
        accounts = list(self._accounts(customer))
        try:
            short = await self.ledger.reserve(accounts, worst)
        except TryAgainError:
            raise OverBudgetError(UNKNOWN) from None  # what cannot be counted is not spent
        if short is not None:
            raise OverBudgetError(_SPOKEN[short])
        return Reservation(accounts, worst)

    async def settle(self, reservation: Reservation, actual: Spend) -> None:
        """Keep what it cost, and tell each threshold that was passed, once."""
        try:
            totals = await self.ledger.settle(reservation.accounts, reservation.worst, actual)
            for account, total in zip(reservation.accounts, totals, strict=True):
                await self._tell(account, total)
        except TryAgainError:
            log.warning(
                "budget_not_settled", kept_usd=round(reservation.worst.usd, 4)
            )  # the worst case stays set aside

    async def left(self, worst: Spend, customer: CustomerId | None = None) -> bool:
        """Whether a call of this size would be made now."""
        accounts = list(self._accounts(customer))
        try:
            totals = await self.ledger.spent(accounts)
        except TryAgainError:
            return False
        for account, total in zip(accounts, totals, strict=True):
            _show(account, total)
        return all(account.limit.allows(total + worst) for account, total in zip(accounts, totals, strict=True))

    async def _tell(self, account: Account, total: Spend) -> None:
        _show(account, total)
        used = account.limit.percent(total)
        for percent in THRESHOLDS_PERCENT:
            if used < percent or self._said.get(account.key, 0) >= percent:
                continue
            self._said[account.key] = percent
            if await self.ledger.tell(account, percent, total, self.clock()):
                log.warning(
                    "budget_threshold",
                    scope=account.scope.value,
                    account=account.key,
                    percent=percent,
                    spent_usd=round(total.usd, 4),
                    spent_tokens=total.tokens,
                )

    def _accounts(self, customer: CustomerId | None) -> Iterator[Account]:
        today = self.clock().date()
        if self.limits.day:
            yield Account(Scope.DAY, f"{today}", self.limits.day)
        if self.limits.month:
            yield Account(Scope.MONTH, f"{today:%Y-%m}", self.limits.month)
        if self.limits.customer and customer is not None:
            digest = hashlib.sha256(customer.encode()).hexdigest()[:16]
            yield Account(Scope.CUSTOMER, f"{today}/{digest}", self.limits.customer)


def _show(account: Account, total: Spend) -> None:
    """A label may not name a customer: theirs are rows that people read."""
    if account.scope is not Scope.CUSTOMER:
        observe.put(observe.BUDGET_USED, account.limit.percent(total) / 100, scope=account.scope.value)
