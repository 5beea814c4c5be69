"""Whatever a provider does, a live answer has a draft before its deadline: of a model, of the next one, or offline."""

import json
from collections.abc import Iterator

import pytest
from fake_models import Answer, FakeModels, fails, serving
from hostile_models import answer
from test_writer_live import chat, live

from harken.adapters.writers.asking import Asking
from harken.adapters.writers.budget import Budget, Ceilings
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.model import Limits, PricedModel, anthropic, model_writer, openai
from harken.adapters.writers.offline import OfflineWriter
from harken.adapters.writers.recorded import writer as recorded
from harken.domain.decision import Draft
from harken.kit.clock import stopped_at, stopwatch, wall_clock

SAID = "A transfer abroad takes up to three working days."
GOOD = answer(SAID, citations=[1], confidence=0.8)
MEGABYTES = 16
CALL, OTHER = ("call_1", "refund", {"amount": 500}), ("call_1", "refund", {"amount": 5})

NEVER_DONE = {"timeout", "half stream then hang", "1 byte/s"}
FAULTS = {
    "timeout": Answer(wait_s=3),
    "429": fails(429, retry_after="60"),
    "500": fails(500),
    "half stream then hang": Answer(text=GOOD, half=True),
    "1 byte/s": Answer(text=GOOD, drip_s=1.0),
    "invalid JSON": Answer(text='{"message": "Hello'),
    "wrong schema": Answer(
        text=json.dumps({"message": "Hello", "reasoning": "", "citations": "all", "confidence": "high"})
    ),
    "empty": Answer(text=answer("")),
    "10 MB and more": Answer(text="x" * (MEGABYTES << 20)),
    "10 MB that fits": Answer(text=answer("x" * 1_500_000)),
    "refuses": Answer(text="", stop="refusal"),
    "contradictory tool calls": Answer(calls=[CALL, ("call_2", "refund", {"amount": 1})]),
    "duplicate call ids": Answer(text=GOOD, calls=[CALL, OTHER]),
    "connection reset": Answer(text=GOOD, reset=True),
    "HTML with 200": Answer(html=True),
}
"""What each provider does; `wrong language` is no fault that a writer sees: see below."""


@pytest.fixture(scope="module")
def server() -> Iterator[FakeModels]:
    with serving() as models:
        yield models


def both(server: FakeModels, timeout_s: float) -> list[PricedModel]:
    limits = Limits(timeout_s=timeout_s, max_tokens=300)
    return [
        anthropic("k", base_url=server.url, limits=limits),
        openai("k", base_url=f"{server.url}/v1", limits=limits),
    ]


async def drafted(server: FakeModels, first: Answer, second: Answer, *, timeout_s: float = 20.0) -> Draft:
    """By two providers in order, on the clock of the wall."""
    server.asked.clear()
    server.script("anthropic", first)
    server.script("openai", second)
    asking = Asking(deadline_s=25)
    writer = model_writer(
        both(server, timeout_s), clock=wall_clock, budget=Budget(Ceilings(), wall_clock), asking=asking
    )
    draft = await writer.write(chat(), live())
    await writer.close()
    assert await recorded(draft.exchanges).write(chat(), live()) == draft, "a replay comes to the same"
    return draft


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_second_provider_answers_where_the_first_has_a_fault(server: FakeModels, fault: str) -> None:
    draft = await drafted(server, FAULTS[fault], Answer(text=GOOD), timeout_s=0.5 if fault in NEVER_DONE else 20)

    if fault == "10 MB that fits":
        assert draft.mode == "offline"
        assert "refused by checks: fits_the_channel" in draft.notes[-1]
        return
    assert (draft.mode, draft.message, draft.citations) == ("openai-compatible:gpt-4.1-mini", SAID, (1,))
    assert draft.notes[0].startswith("anthropic:claude-haiku-5-5: ")
    assert draft.proposals == ()


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_first_provider_answers_whatever_the_second_would_do(server: FakeModels, fault: str) -> None:
    server.script("openai", FAULTS[fault])
    server.script("anthropic", Answer(text=GOOD))
    limits = Limits(timeout_s=0.5 if fault in NEVER_DONE else 20, max_tokens=300)
    models = [
        openai("k", base_url=f"{server.url}/v1", limits=limits),
        anthropic("k", base_url=server.url, limits=limits),
    ]
    clock = stopped_at(live().now)
    writer = model_writer(models, clock=clock, budget=Budget(Ceilings(), clock), asking=Asking(deadline_s=25))

    draft = await writer.write(chat(), live())
    await writer.close()

    assert draft.mode == ("offline" if fault == "10 MB that fits" else "anthropic:claude-haiku-5-5")


@pytest.mark.parametrize("trials", [1, pytest.param(30, marks=pytest.mark.long)])
@pytest.mark.parametrize("fault", FAULTS)
async def test_both_have_the_fault_and_a_passage_is_quoted(server: FakeModels, fault: str, trials: int) -> None:
    offline = OfflineWriter().draft(chat(), live())
    for _ in range(trials):
        draft = await drafted(server, FAULTS[fault], FAULTS[fault], timeout_s=0.5 if fault in NEVER_DONE else 20)
        assert (draft.mode, draft.message, draft.citations) == ("offline", offline.message, offline.citations)
        assert len(draft.exchanges) == (1 if fault == "10 MB that fits" else 2)


async def test_a_deadline_holds_whatever_a_request_may_take(server: FakeModels) -> None:
    server.script("anthropic", Answer(wait_s=3))
    clock = stopped_at(live().now)
    model = anthropic("k", base_url=server.url, limits=Limits(timeout_s=60))
    writer: ModelWriter = model_writer(
        [model], clock=clock, budget=Budget(Ceilings(), clock), asking=Asking(deadline_s=0.3)
    )
    elapsed = stopwatch()

    draft = await writer.write(chat(), live())

    assert elapsed() < 3, "nobody waited for the provider"
    assert draft.notes == ("anthropic:claude-haiku-5-5: no answer before the deadline",)
    await writer.close()


async def test_nobody_reads_an_answer_without_an_end(server: FakeModels) -> None:
    before = server.given_up

    draft = await drafted(server, FAULTS["10 MB and more"], Answer(text=GOOD))

    assert server.given_up == before + 1, "the connection is dropped long before the end"
    assert draft.message == SAID


async def test_the_wrong_language_is_a_draft_that_guards_look_at(server: FakeModels) -> None:
    draft = await drafted(
        server, Answer(text=answer("Une opération à l'étranger prend du temps.", citations=[1])), fails(500)
    )

    assert draft.mode == "anthropic:claude-haiku-5-5"
    assert draft.message.startswith("Une opération")


async def test_the_prompt_begins_with_what_a_provider_may_keep(server: FakeModels) -> None:
    await drafted(server, fails(500), Answer(text=GOOD))

    first, second = server.asked
    system = first.body["system"]
    assert system[-1]["cache_control"]["type"] == "ephemeral"
    assert "You answer messages" in system[0]["text"]
    assert "cache_control" not in json.dumps(first.body["messages"])
    assert second.body["messages"][0]["role"] in {"system", "developer"}
