"""Processes that ask language models share one purse, and one call for one question; nobody's answer serves whoever may not read it."""

import asyncio
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hostile_models import ScriptedModel, answer, down
from structlog.testing import capture_logs
from test_writer_live import ASKS, CARDS, TRANSFERS, chat, live
from writer_cases import context

from harken.adapters.writers.answers import KEPT_NOTE, Answers, AnswerStore, InMemoryAnswers
from harken.adapters.writers.asking import Asking, Reply
from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, Ceilings, Limit, OverBudgetError, Spend
from harken.adapters.writers.drafting import normalised
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.prompt import Prompt
from harken.adapters.writers.store import PostgresAnswers, PostgresLedger
from harken.domain.decision import Context, Draft
from harken.domain.ids import CustomerId
from harken.errors import TryAgainError
from harken.kit.clock import stopped_at
from harken.kit.db import Database

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SAID = "A transfer abroad takes up to three working days."
GOOD = answer(SAID, citations=[1], confidence=0.8)
ADA, BEN = CustomerId("ada"), CustomerId("ben")


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    made = Database(store_url)
    yield made
    made.close()


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> AnswerStore:
    if request.param == "memory":
        return InMemoryAnswers()
    return PostgresAnswers(request.getfixturevalue("database"))


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


class Away:
    """A ledger and a store whose database does not answer."""

    def __getattr__(self, name: str) -> Any:
        if name in ("reserve", "settle", "spent", "tell"):
            return self._waited
        return self._asked

    async def _waited(self, *_: object) -> Any:
        raise TryAgainError("away")

    def _asked(self, *_: object) -> Any:
        raise TryAgainError("away")


async def test_without_its_ledger_no_model_is_asked() -> None:
    clock, model = stopped_at(NOON), ScriptedModel(GOOD)
    writer = ModelWriter([(model, Breaker(clock))], budget=Budget(Ceilings(day=Limit(1)), clock, Away()))

    draft = await writer.write(chat(), live())

    assert draft.mode == "offline"
    assert draft.notes == ("test:scripted: the budgets cannot be read",)
    assert not await writer.budget_left(ADA)
    assert model.prompts == []


# --- one call for one question


class Slow(ScriptedModel):
    """Answers when it is let, so that others come while it is asked."""

    def __init__(self, *texts: str | Exception) -> None:
        super().__init__(*texts)
        self.begun, self.let = asyncio.Event(), asyncio.Event()

    async def ask(self, prompt: Prompt) -> Reply:
        self.begun.set()
        await self.let.wait()
        return await super().ask(prompt)


def sharing(store: AnswerStore, model: ScriptedModel, now: list[datetime] | None = None) -> ModelWriter:
    moment = now or [NOON]
    clock = lambda: moment[0]  # noqa: E731
    return ModelWriter(
        [(model, Breaker(clock))],
        budget=Budget(Ceilings(), clock),
        asking=Asking(deadline_s=5),
        answers=Answers(store, clock, ttl_s=600),
    )


def asked_by(who: str, *, readable: str = "public@7", words: str = ASKS[0][1], **changes: Any) -> Context:
    made = context((("customer", words),), identity=f"twitter:{who}", passages=(CARDS, TRANSFERS), **changes)
    return replace(made, live=live().live, readable=readable)


async def test_the_same_question_side_by_side_is_one_call(store: AnswerStore) -> None:
    model = Slow(GOOD)
    writers = [sharing(store, model) for _ in range(4)]
    first = asyncio.create_task(writers[0].write(chat(), asked_by("1")))
    await model.begun.wait()
    others = [asyncio.create_task(w.write(chat(), asked_by(str(n)))) for n, w in enumerate(writers[1:], start=2)]
    await asyncio.sleep(0.2)
    model.let.set()

    drafts = await asyncio.gather(first, *others)

    assert [draft.message for draft in drafts] == [SAID] * 4
    assert len(model.prompts) == 1
    assert [draft.usage["requests"] for draft in drafts if "requests" in draft.usage] == [1]
    assert all(draft.citations == (1,) for draft in drafts)


async def test_an_answer_serves_again_only_after_it_was_let_go_out(store: AnswerStore) -> None:
    model = ScriptedModel(GOOD)
    writer = sharing(store, model)
    first = await writer.write(chat(), asked_by("1"))
    await writer.write(chat(), asked_by("2"))
    assert len(model.prompts) == 2, "nobody has let the first go out"

    assert await writer.remember(chat(), first, asked_by("1"))
    again = await writer.write(
        chat(), asked_by("3", words="  my TRANSFER abroad has not arrived! How long does a transfer abroad take")
    )

    assert len(model.prompts) == 2
    assert (again.message, again.mode) == (SAID, "test:scripted")
    assert KEPT_NOTE in again.notes
    assert again.exchanges[0].usage["cost_usd"] == 0


async def test_a_kept_answer_ends(store: AnswerStore) -> None:
    model, now = ScriptedModel(GOOD), [NOON]
    writer = sharing(store, model, now)
    draft = await writer.write(chat(), asked_by("1"))
    await writer.remember(chat(), draft, asked_by("1"))

    now[0] += timedelta(seconds=601)
    await writer.write(chat(), asked_by("2"))

    assert len(model.prompts) == 2


OTHERS = {
    "other eyes": asked_by("2", readable="internal@7"),
    "another library": asked_by("2", readable="public@8"),
    "nobody says whose eyes": asked_by("2", readable=""),
    "another language": asked_by("2", language="de"),
    "another question": asked_by("2", words="How long does a transfer take?"),
    "a conversation that goes on": replace(live(dialogue=(("brand", "Hello!"), *ASKS)), readable="public@7"),
    "other passages": replace(asked_by("2"), passages=(CARDS,)),
}


@pytest.mark.parametrize("case", OTHERS)
async def test_nobody_elses_answer_serves(store: AnswerStore, case: str) -> None:
    secret = "The internal code word is Kingfisher."
    passage = replace(TRANSFERS, text=f"{TRANSFERS.text} {secret}")
    told = ScriptedModel(answer(f"{SAID} {secret}", citations=[1]))
    mine = replace(asked_by("1"), passages=(CARDS, passage))
    draft = await sharing(store, told).write(chat(), mine)
    assert "Kingfisher" in draft.message
    assert await sharing(store, told).remember(chat(), draft, mine)

    other = ScriptedModel(answer(SAID, citations=[1]))
    theirs = await sharing(store, other).write(chat(), OTHERS[case])

    assert len(other.prompts) == 1
    assert "Kingfisher" not in theirs.message + repr(theirs)


TELLING = {
    "a token": answer("Hello [NAME_1], a transfer abroad takes up to three working days."),
    "a number of theirs": answer("You have written 3 messages; it takes up to three working days."),
    "a word of theirs": answer("With your Heron tariff it takes up to three working days."),
    "a proposal": answer(SAID, proposals=[{"action": "refund", "arguments": []}]),
}


@pytest.mark.parametrize("case", TELLING)
async def test_what_says_whose_it_is_is_not_kept(store: AnswerStore, case: str) -> None:
    words = "I am Jane Doe. How long does a transfer abroad take?"
    mine = asked_by("1", words=words, features={"messages_7d": 3, "tariff": "Heron"})
    writer = sharing(store, ScriptedModel(TELLING[case]))
    draft = await writer.write(chat(), mine)
    assert draft.mode == "test:scripted", draft.notes

    assert not await writer.remember(chat(), draft, mine)


async def test_offline_words_are_not_kept(store: AnswerStore) -> None:
    writer = sharing(store, ScriptedModel(down()))
    draft = await writer.write(chat(), asked_by("1"))

    assert not await writer.remember(chat(), draft, asked_by("1"))


async def test_who_waits_for_somebody_who_fails_asks_for_themselves(store: AnswerStore) -> None:
    failing, working = Slow(down()), ScriptedModel(GOOD)
    first = asyncio.create_task(sharing(store, failing).write(chat(), asked_by("1")))
    await failing.begun.wait()
    second = asyncio.create_task(sharing(store, working).write(chat(), asked_by("2")))
    await asyncio.sleep(0.1)
    failing.let.set()

    drafts: list[Draft] = [await first, await second]

    assert [draft.mode for draft in drafts] == ["offline", "test:scripted"]


async def test_a_store_that_is_away_costs_no_answer() -> None:
    draft = await sharing(Away(), ScriptedModel(GOOD)).write(chat(), asked_by("1"))

    assert draft.message == SAID
    assert not await sharing(Away(), ScriptedModel(GOOD)).remember(chat(), draft, asked_by("1"))


def test_what_makes_two_questions_one() -> None:
    assert normalised("How LONG, does it take?") == normalised("how long does it take")
    assert normalised("1.5") != normalised("15")
    assert normalised("-5") != normalised("5")
    assert normalised("can I") != normalised("can't I")
