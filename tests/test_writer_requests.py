"""What a provider is sent, and how much of it at once; and the key is in no exception."""

import asyncio

import pytest
from fake_models import Answer, FakeModels, fails, serving
from provider_cases import (  # noqa: F401  fixtures among them
    CLAUDE,
    GOOD,
    KEY,
    PATIENT,
    a_writer,
    models_in_haste,
    patient_models,
    server_of_both,
    writer_of_both,
)
from pydantic import SecretStr
from writer_cases import context, decision

from harken.adapters.writers.asking import NoReplyError
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.model import Limits, anthropic, azure, openai
from harken.adapters.writers.prompt import Prompt


async def test_no_more_calls_at_once_than_allowed() -> None:
    with serving() as server:
        server.script("anthropic", Answer(text=GOOD.text, wait_s=0.02, then_answer=True))
        model = anthropic(KEY, base_url=server.url)

        writer = a_writer([model], concurrent=2)
        drafts = await asyncio.gather(*(writer.write(decision(), context()) for _ in range(8)))
        await writer.close()

    assert [draft.mode for draft in drafts] == [CLAUDE] * 8
    assert server.most_at_once == 2


async def test_azure_speaks_to_the_deployment(server: FakeModels) -> None:
    server.asked.clear()
    server.script("openai", GOOD)
    model = azure(SecretStr(KEY), endpoint=server.url, deployment="wording", limits=PATIENT)

    reply = await model.ask(Prompt(system="", user="{}", tokens=10))
    await model.close()

    [asked] = server.asked
    assert asked.path.startswith("/openai/deployments/wording/chat/completions?api-version=")
    assert asked.headers["api-key"] == KEY
    assert model.name == "azure:wording"
    assert reply.notes == ("unpriced",)
    assert reply.usage.usd == 0.0


async def test_the_answer_has_two_texts_and_nothing_else(server: FakeModels, writer: ModelWriter) -> None:
    server.script("anthropic", fails(500))
    server.script("openai", GOOD)

    await writer.write(decision(), context())

    first, second = server.asked
    asked_for = [
        first.body["output_config"]["format"]["schema"],
        second.body["response_format"]["json_schema"]["schema"],
    ]
    for schema in asked_for:
        assert set(schema["properties"]) == {"message", "reasoning"}
        assert schema["additionalProperties"] is False
    assert second.body["response_format"]["json_schema"]["strict"] is True
    assert first.body["max_tokens"] == 300


@pytest.mark.parametrize(
    ("make", "model", "sent"),
    [(anthropic, "claude-haiku-5-5", False), (openai, "gpt-4.1-mini", True), (openai, "o3", False)],
)
async def test_a_temperature_is_dropped_where_it_is_refused(
    server: FakeModels, make: object, model: str, sent: bool
) -> None:
    assert callable(make)
    server.asked.clear()
    server.script("anthropic", GOOD)
    server.script("openai", GOOD)
    url = server.url if make is anthropic else f"{server.url}/v1"
    asked = make(KEY, model=model, base_url=url, limits=Limits(temperature=0.3))

    reply = await asked.ask(Prompt(system="", user="{}", tokens=10))
    await asked.close()

    assert ("temperature" in server.asked[0].body) is sent
    assert any(note.startswith("temperature not sent") for note in reply.notes) is not sent


async def test_the_key_is_in_no_exception(server: FakeModels) -> None:
    server.script("anthropic", fails(401))
    model = anthropic(KEY, base_url=server.url, limits=PATIENT)

    with pytest.raises(NoReplyError) as caught:
        await model.ask(Prompt(system="", user="{}", tokens=10))
    await model.close()

    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert KEY not in repr(caught.value) + str(caught.value) + repr(model) + repr(vars(caught.value))
