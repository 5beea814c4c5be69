"""Every way in which a provider fails ends in a draft that says what happened."""

import logging
from datetime import timedelta

import pytest
from fake_models import Answer, FakeModels, fails, says
from provider_cases import (  # noqa: F401  fixtures among them
    CLAUDE,
    GOOD,
    GPT,
    KEY,
    PATIENT,
    a_writer,
    models_in_haste,
    patient_models,
    server_of_both,
    writer_of_both,
)
from writer_cases import NOON, context, decision

from harken.adapters.writers.budget import Budget, Ceilings, Limit
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.model import PricedModel, anthropic, model_writer, openai
from harken.adapters.writers.offline import OfflineWriter
from harken.domain.decision import Action
from harken.kit.clock import stopped_at

NOT_JSON = Answer(text="Sure! Here is your message.")

FAULTS = {
    "overloaded": (fails(529), "HTTP 529", 1),
    "unavailable": (fails(503), "HTTP 503", 1),
    "broken": (fails(500), "HTTP 500", 1),
    "too many": (fails(429, retry_after="30"), "HTTP 429", 1),
    "bad request": (fails(400), "HTTP 400", 1),
    "bad key": (fails(401), "HTTP 401", 1),
    "not found": (fails(404), "HTTP 404", 1),
    "html": (Answer(html=True), "answer", 1),
    "not json at all": (Answer(raw=b'{"id": "msg_1", "content": [{"ty'), "answer", 1),
    "another json": (Answer(raw=b'{"hello": "world"}'), "answer", 1),
    "hang": (Answer(wait_s=1), "no answer in time", 1),
    "slow drip": (Answer(text=GOOD.text, drip_s=0.05), "no answer in time", 1),
    "dropped": (Answer(dropped=True), "no connection", 1),
    "prose": (NOT_JSON, "answer has the wrong shape", 2),
    "wrong shape": (Answer(text='{"message": 5}'), "answer has the wrong shape", 2),
    "extra field": (
        Answer(text='{"message": "a", "reasoning": "b", "channel": "email"}'),
        "answer has the wrong shape",
        2,
    ),
    "no text": (Answer(text=""), "answer has the wrong shape", 2),
    "empty message": (says("  "), "empty message", 1),
    "cut off": (Answer(text='{"message": "Thank you for', stop="length"), "answer cut off", 1),
    "cut off late": (Answer(text=GOOD.text, stop="length"), "answer cut off", 1),
    "refusal": (Answer(text="", stop="refusal"), "refused to answer", 1),
}


async def test_the_first_model_writes(server: FakeModels, writer: ModelWriter) -> None:
    server.script("anthropic", GOOD)

    draft = await writer.write(decision(), context())

    assert draft.mode == CLAUDE
    assert draft.message == "Thank you for the reference. Which bank is your landlord with?"
    assert draft.reasoning == f"{decision().because} The missing detail is the bank."
    assert draft.notes == ()
    assert draft.usage == {"requests": 1, "input_tokens": 1200, "output_tokens": 80, "cost_usd": pytest.approx(0.00016)}
    assert (server.calls("anthropic"), server.calls("openai")) == (1, 0)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_the_first_goes_to_the_second(server: FakeModels, writer: ModelWriter, fault: str) -> None:
    answer, reason, requests = FAULTS[fault]
    server.script("anthropic", answer)
    server.script("openai", GOOD)

    draft = await writer.write(decision(), context())

    assert draft.mode == GPT
    assert [note.startswith(f"{CLAUDE}: {reason}") for note in draft.notes] == [True]
    assert (server.calls("anthropic"), server.calls("openai")) == (requests, 1)


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_both_goes_to_the_offline_writer(
    server: FakeModels,
    writer: ModelWriter,
    fault: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer, _, requests = FAULTS[fault]
    server.script("anthropic", answer)
    server.script("openai", answer)
    caplog.set_level(logging.DEBUG)

    draft = await writer.write(decision(), context())

    offline = OfflineWriter().draft(decision(), context())
    assert (draft.message, draft.reasoning, draft.mode) == (offline.message, offline.reasoning, "offline")
    assert len(draft.notes) == 2
    assert (server.calls("anthropic"), server.calls("openai")) == (requests, requests)
    printed = capsys.readouterr()
    assert KEY not in caplog.text + printed.out + printed.err + repr(draft)


async def test_a_refused_connection_goes_to_the_offline_writer() -> None:
    clock = stopped_at(NOON)
    nobody = "http://127.0.0.1:1"
    models = [anthropic(KEY, base_url=nobody, limits=PATIENT), openai(KEY, base_url=f"{nobody}/v1", limits=PATIENT)]
    writer = model_writer(models, clock=clock, budget=Budget(Ceilings(day=Limit(5.0)), clock))

    draft = await writer.write(decision(), context())
    await writer.close()

    assert draft.mode == "offline"
    assert draft.notes == (f"{CLAUDE}: no connection", f"{GPT}: no connection")


async def test_a_bad_answer_is_mended_once(server: FakeModels, writer: ModelWriter) -> None:
    server.script("anthropic", NOT_JSON, GOOD)

    draft = await writer.write(decision(), context())

    assert draft.mode == CLAUDE
    assert draft.usage["requests"] == 2
    assert draft.usage["input_tokens"] == 2400


async def test_a_rejected_answer_is_paid_for(server: FakeModels, writer: ModelWriter) -> None:
    server.script("anthropic", NOT_JSON)
    server.script("openai", fails(500))

    draft = await writer.write(decision(), context())

    assert draft.mode == "offline"
    assert draft.usage["input_tokens"] == 2400
    assert draft.usage["cost_usd"] == pytest.approx(0.00032)


async def test_no_contact_asks_nobody(server: FakeModels, writer: ModelWriter) -> None:
    draft = await writer.write(decision(Action.WAIT), context())

    assert (draft.message, draft.mode) == ("", "offline")
    assert not server.asked


async def test_a_provider_that_is_down_rests(server: FakeModels, models: list[PricedModel]) -> None:
    server.asked.clear()
    now = [NOON]
    writer = a_writer(models, clock=lambda: now[0])
    server.script("anthropic", fails(503))
    server.script("openai", GOOD)

    drafts = [await writer.write(decision(), context()) for _ in range(5)]
    now[0] += timedelta(seconds=61)
    server.script("anthropic", GOOD)
    after = await writer.write(decision(), context())

    assert server.calls("anthropic") == 4
    assert drafts[-1].notes == (f"{CLAUDE}: resting after failures",)
    assert (drafts[-1].mode, after.mode) == (GPT, CLAUDE)


async def test_a_bad_request_is_no_reason_to_rest(server: FakeModels, writer: ModelWriter) -> None:
    server.script("anthropic", fails(400))
    server.script("openai", GOOD)

    for _ in range(5):
        await writer.write(decision(), context())

    assert server.calls("anthropic") == 5


async def test_without_money_nobody_is_asked(server: FakeModels, models: list[PricedModel]) -> None:
    server.asked.clear()

    draft = await a_writer(models, usd=0.0001).write(decision(), context())

    assert draft.mode == "offline"
    assert draft.notes == (f"{CLAUDE}: daily budget used up", f"{GPT}: daily budget used up")
    assert not server.asked
