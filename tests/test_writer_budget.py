"""No call that could pass the day's limit is made, and a provider that is down is left alone for a while."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, Ceilings, InMemoryLedger, Limit, OverBudgetError, Spend

EVENING = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)


class Hand:
    """A clock that is set by hand."""

    def __init__(self, moment: datetime = EVENING) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


async def spend(budget: Budget, worst: float, actual: float) -> None:
    await budget.settle(await budget.reserve(Spend(worst, 100)), Spend(actual, 10))


async def test_a_call_that_could_pass_the_limit_is_refused() -> None:
    budget = Budget(Ceilings(day=Limit(1.0)), Hand())
    await spend(budget, 0.9, 0.5)

    with pytest.raises(OverBudgetError):
        await budget.reserve(Spend(0.6, 0))
    await budget.reserve(Spend(0.5, 0))


async def test_tokens_have_a_limit_of_their_own() -> None:
    budget = Budget(Ceilings(day=Limit(1.0, tokens=150)), Hand())
    await budget.reserve(Spend(0.0, 100))

    with pytest.raises(OverBudgetError):
        await budget.reserve(Spend(0.0, 51))


async def test_calls_under_way_count_in_full() -> None:
    budget = Budget(Ceilings(day=Limit(1.0)), Hand())
    held = await budget.reserve(Spend(0.6, 0))

    with pytest.raises(OverBudgetError):
        await budget.reserve(Spend(0.6, 0))
    await budget.settle(held, Spend(0.1, 0))
    await budget.reserve(Spend(0.6, 0))


async def test_midnight_utc_starts_a_new_day() -> None:
    clock = Hand()
    budget = Budget(Ceilings(day=Limit(1.0)), clock)
    held = await budget.reserve(Spend(0.9, 0))
    clock.moment += timedelta(minutes=2)

    late = await budget.reserve(Spend(0.9, 0))
    await budget.settle(held, Spend(0.9, 0))

    assert [each.accounts[0].key for each in (held, late)] == ["2026-03-02", "2026-03-03"]


async def test_each_threshold_is_told_once_a_day() -> None:
    clock = Hand()
    budget = Budget(Ceilings(day=Limit(1.0)), clock)

    with capture_logs() as logs:
        for cost in (0.5, 0.35, 0.01, 0.14):
            await spend(budget, cost, cost)
        clock.moment += timedelta(days=1)
        await spend(budget, 0.85, 0.85)

    assert [(line["event"], line["account"], line["percent"]) for line in logs] == [
        ("budget_threshold", "2026-03-02", 80),
        ("budget_threshold", "2026-03-02", 90),
        ("budget_threshold", "2026-03-02", 100),
        ("budget_threshold", "2026-03-03", 80),
    ]


async def test_a_free_model_needs_no_money() -> None:
    budget = Budget(Ceilings(day=Limit(0.0)), Hand())

    await budget.settle(await budget.reserve(Spend(0.0, 500)), Spend(0.0, 400))
    with pytest.raises(OverBudgetError):
        await budget.reserve(Spend(0.000001, 1))


def test_the_share_is_that_of_what_runs_out_first() -> None:
    assert Limit(2.0, tokens=100).percent(Spend(1.0, 90)) == 90
    assert Limit(2.0).percent(Spend(1.0, 90)) == 50


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 100)), max_size=20))
def test_a_day_never_costs_more_than_its_limit(calls: list[tuple[int, int]]) -> None:
    async def run() -> Spend:
        ledger = InMemoryLedger()
        budget = Budget(Ceilings(day=Limit(1.0, tokens=1000)), Hand(), ledger)

        async def call(worst: int, percent: int) -> None:
            try:
                held = await budget.reserve(Spend(worst / 100, worst * 10))
            except OverBudgetError:
                return
            await asyncio.sleep(0)
            await budget.settle(held, Spend(worst * percent / 10_000, worst * percent // 10))

        await asyncio.gather(*(call(*each) for each in calls))
        [total] = await ledger.spent((await budget.reserve(Spend())).accounts)
        return total

    loop = asyncio.new_event_loop()
    total = loop.run_until_complete(run())
    loop.close()
    assert total.usd <= 1.0 + 1e-9
    assert total.tokens <= 1000


def test_a_breaker_opens_after_failures_in_a_row_and_tries_again() -> None:
    clock = Hand()
    breaker = Breaker(clock, failures=2, rest_s=60)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.lets_through()

    breaker.failed()
    assert not breaker.lets_through()

    clock.moment += timedelta(seconds=60)
    assert breaker.lets_through(), "one trial"
    assert not breaker.lets_through(), "and only one"

    breaker.failed()
    clock.moment += timedelta(seconds=60)
    assert breaker.lets_through()
    breaker.succeeded()
    assert breaker.lets_through()
