"""Processes that ask language models share one purse, and cannot overspend together."""

import asyncio
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import psycopg
import pytest
from hostile_models import ScriptedModel
from structlog.testing import capture_logs
from test_writer_live import chat, live
from writer_shared_cases import ADA, BEN, GOOD, NOON, Away, database_that_is_shared  # noqa: F401  a fixture among them

from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, Ceilings, Limit, OverBudgetError, Spend
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.store import PostgresLedger
from harken.domain.ids import CustomerId
from harken.kit.clock import stopped_at
from harken.kit.db import Database


def purse(database: Database, **limits: float) -> Budget:
    clock = stopped_at(NOON)
    given = {name: Limit(usd) for name, usd in limits.items()}
    return Budget(Ceilings(**given), clock, PostgresLedger(database, clock))


async def spent(budget: Budget, usd: float, customer: CustomerId = ADA) -> None:
    await budget.settle(await budget.reserve(Spend(usd, 10), customer), Spend(usd, 10))


def spend_much(url: str, cents: int) -> int:
    """In a process of its own: calls of a cent until the money is gone; how many were made."""

    async def run() -> int:
        database = Database(url, size=2)
        budget, made = purse(database, day=cents / 100, month=100.0, customer=50.0), 0
        for _ in range(cents):
            try:
                reservation = await budget.reserve(Spend(0.01, 10), ADA)
            except OverBudgetError:
                break
            made += 1
            await budget.settle(reservation, Spend(0.01, 10))
        database.close()
        return made

    return asyncio.run(run())


def test_processes_cannot_overspend_together(store_url: str) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        made = list(pool.map(spend_much, [store_url] * 3, [40] * 3))

    assert sum(made) == 40
    with psycopg.connect(store_url) as connection:
        rows = connection.execute("SELECT account, scope, usd, tokens FROM model_spend ORDER BY scope").fetchall()
    assert [(scope, float(usd), tokens) for _, scope, usd, tokens in rows] == [
        ("customer", 0.4, 400),
        ("day", 0.4, 400),
        ("month", 0.4, 400),
    ]
    assert not any("ada" in account for account, *_ in rows)


async def test_each_limit_is_named_when_it_is_short(database: Database) -> None:
    budget = purse(database, day=1.0, month=2.0, customer=0.3)
    await spent(budget, 0.25)

    with pytest.raises(OverBudgetError, match="the customer's budget used up"):
        await budget.reserve(Spend(0.1, 10), ADA)
    await spent(budget, 0.3, BEN)
    with pytest.raises(OverBudgetError, match="daily budget used up"):
        await budget.reserve(Spend(0.5, 10))
    with pytest.raises(OverBudgetError, match="monthly budget used up"):
        await purse(database, month=0.6).reserve(Spend(0.1, 10))
    assert (await budget.left(Spend(0.1), ADA), await budget.left(Spend(0.1), BEN)) == (False, False)
    assert await budget.left(Spend(0.1), CustomerId("cleo"))


async def test_what_is_refused_leaves_no_trace(database: Database) -> None:
    budget = purse(database, day=1.0, customer=0.3)

    with pytest.raises(OverBudgetError):
        await budget.reserve(Spend(0.5, 10), ADA)

    assert await budget.left(Spend(1.0))


async def test_a_threshold_is_told_once_by_whoever_sees_it_first(database: Database, store_url: str) -> None:
    with capture_logs() as logs:
        for cost in (0.5, 0.35, 0.14):
            await spent(purse(database, day=1.0), cost)  # each time as another process would

    assert [(line["scope"], line["percent"]) for line in logs] == [("day", 80), ("day", 90)]
    with psycopg.connect(store_url) as connection:
        rows = connection.execute("SELECT account, scope, percent, at FROM budget_alert ORDER BY percent").fetchall()
        assert rows == [("2026-03-02", "day", 80, NOON), ("2026-03-02", "day", 90, NOON)]
        with pytest.raises(psycopg.Error):
            connection.execute("DELETE FROM budget_alert")


async def test_without_its_ledger_no_model_is_asked() -> None:
    clock, model = stopped_at(NOON), ScriptedModel(GOOD)
    writer = ModelWriter([(model, Breaker(clock))], budget=Budget(Ceilings(day=Limit(1)), clock, Away()))

    draft = await writer.write(chat(), live())

    assert draft.mode == "offline"
    assert draft.notes == ("test:scripted: the budgets cannot be read",)
    assert not await writer.budget_left(ADA)
    assert model.prompts == []
