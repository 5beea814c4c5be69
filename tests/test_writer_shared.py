"""Who asks language models side by side makes one call for one question; nobody's answer serves whoever may not read it."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hostile_models import ScriptedModel, answer, down
from test_writer_live import ASKS, CARDS, TRANSFERS, chat, live
from writer_cases import context
from writer_shared_cases import GOOD, NOON, SAID, Away, database_that_is_shared  # noqa: F401  a fixture among them

from harken.adapters.writers.answers import KEPT_NOTE, Answers, AnswerStore, InMemoryAnswers
from harken.adapters.writers.asking import Asking, Reply
from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, Ceilings
from harken.adapters.writers.drafting import normalised
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.prompt import Prompt
from harken.adapters.writers.store import PostgresAnswers
from harken.domain.decision import Context, Draft


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> AnswerStore:
    if request.param == "memory":
        return InMemoryAnswers()
    return PostgresAnswers(request.getfixturevalue("database"))


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
