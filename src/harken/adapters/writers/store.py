"""Budgets and answers of language models -> rows that every process on a PostgreSQL shares."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from harken.adapters.writers.answers import Claim
from harken.adapters.writers.budget import NOTHING, Account, Scope, Spend
from harken.kit import db, sql
from harken.kit.clock import Clock, wall_clock
from harken.kit.db import Database

q = sql.queries("harken.adapters.writers")

CUSTOMERS_KEPT = timedelta(days=60)


class _Short(Exception):
    """Undoes the transaction: an account had no room."""


class PostgresLedger:
    """Several processes cannot overspend together: what a call may cost is set aside by one statement."""

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock

    async def reserve(self, accounts: Sequence[Account], worst: Spend) -> Scope | None:
        return await asyncio.to_thread(self._reserve, accounts, worst)

    async def settle(self, accounts: Sequence[Account], worst: Spend, actual: Spend) -> Sequence[Spend]:
        return await asyncio.to_thread(self._settle, accounts, actual - worst)

    async def spent(self, accounts: Sequence[Account]) -> Sequence[Spend]:
        return await asyncio.to_thread(self._spent, accounts)

    async def tell(self, account: Account, percent: int, total: Spend, at: datetime) -> bool:
        return await asyncio.to_thread(self._tell, account, percent, total, at)

    def _reserve(self, accounts: Sequence[Account], worst: Spend) -> Scope | None:
        try:
            with self._database.transaction() as tx:
                found = db.rows(
                    tx,
                    q.reserve,
                    keys=[account.key for account in accounts],
                    scopes=[account.scope.value for account in accounts],
                    usd_limits=[account.limit.usd for account in accounts],
                    token_limits=[account.limit.tokens for account in accounts],
                    usd=worst.usd,
                    tokens=worst.tokens,
                    now=self._clock(),
                )
                had_room = {row["account"] for row in found}
                short = next((account.scope for account in accounts if account.key not in had_room), None)
                if short is not None:
                    raise _Short
        except _Short:
            return short
        return None

    def _settle(self, accounts: Sequence[Account], more: Spend) -> Sequence[Spend]:
        now = self._clock()
        with self._database.transaction() as tx:
            keys = [account.key for account in accounts]
            found = db.rows(tx, q.settle, keys=keys, usd=more.usd, tokens=more.tokens, now=now)
            tx.execute(q.forget_spend, {"before": now - CUSTOMERS_KEPT})
        return _in_order(accounts, found)

    def _spent(self, accounts: Sequence[Account]) -> Sequence[Spend]:
        with self._database.statement() as tx:
            return _in_order(accounts, db.rows(tx, q.spent, keys=[account.key for account in accounts]))

    def _tell(self, account: Account, percent: int, total: Spend, at: datetime) -> bool:
        row: dict[str, Any] = {"account": account.key, "scope": account.scope.value, "percent": percent, "at": at}
        with self._database.statement() as tx:
            return db.row(tx, q.tell, **row, usd=total.usd, tokens=total.tokens) is not None


def _in_order(accounts: Sequence[Account], found: Sequence[db.Row]) -> Sequence[Spend]:
    totals = {row["account"]: Spend(float(row["usd"]), row["tokens"]) for row in found}
    return [totals.get(account.key, NOTHING) for account in accounts]


class PostgresAnswers:
    """Claims and answers in one table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, key: bytes, now: datetime, until: datetime) -> Claim:
        with self._database.transaction() as tx:
            tx.execute(q.forget_answers, {"now": now})
            if db.row(tx, q.claim, key=key, now=now, until=until):
                return Claim(mine=True)
            found = db.row(tx, q.answer, key=key, now=now)
            return Claim(kept=found["answer"] if found and found["kept"] else None)

    def offered(self, key: bytes, now: datetime) -> Claim:
        with self._database.statement() as tx:
            found = db.row(tx, q.answer, key=key, now=now)
        if found is None or found["claimed"]:
            return Claim(mine=found is None)
        return Claim(mine=True, kept=found["answer"] if found["fresh"] else None)

    def offer(self, key: bytes, answer: str | None, until: datetime) -> None:
        with self._database.statement() as tx:
            tx.execute(q.offer, {"key": key, "answer": answer, "until": until})

    def keep(self, key: bytes, answer: str, now: datetime, until: datetime) -> None:
        with self._database.statement() as tx:
            tx.execute(q.keep, {"key": key, "answer": answer, "until": until})
