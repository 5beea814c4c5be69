"""Providers that answer as they are told, and a writer that asks them."""

from collections.abc import AsyncIterator, Iterator

import pytest
from fake_models import FakeModels, says, serving
from pydantic import SecretStr
from writer_cases import NOON

from harken.adapters.writers.asking import Asking
from harken.adapters.writers.budget import Budget, Ceilings, Limit
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.model import Limits, PricedModel, anthropic, model_writer, openai
from harken.kit.clock import Clock, stopped_at

KEY = "sk-never-printed-4711"
CLAUDE, GPT = "anthropic:claude-haiku-5-5", "openai-compatible:gpt-4.1-mini"
GOOD = says("Thank you for the reference. Which bank is your landlord with?", "The missing detail is the bank.")
AT_NOON = stopped_at(NOON)
PATIENT, HASTY = Limits(timeout_s=30, max_tokens=300), Limits(timeout_s=0.25, max_tokens=300)

NEVER_DONE = {"hang", "slow drip"}


@pytest.fixture(name="server", scope="module")
def server_of_both() -> Iterator[FakeModels]:
    with serving() as models:
        yield models


def both(server: FakeModels, limits: Limits) -> list[PricedModel]:
    return [
        anthropic(SecretStr(KEY), base_url=server.url, limits=limits),
        openai(KEY, base_url=f"{server.url}/v1", limits=limits),
    ]


@pytest.fixture(name="models", scope="module")
async def patient_models(server: FakeModels) -> AsyncIterator[list[PricedModel]]:
    opened = both(server, PATIENT)
    yield opened
    for model in opened:
        await model.close()


@pytest.fixture(name="hasty_models", scope="module")
async def models_in_haste(server: FakeModels) -> AsyncIterator[list[PricedModel]]:
    """For answers that are never complete."""
    opened = both(server, HASTY)
    yield opened
    for model in opened:
        await model.close()


@pytest.fixture(name="writer")
def writer_of_both(
    server: FakeModels, models: list[PricedModel], hasty_models: list[PricedModel], request: pytest.FixtureRequest
) -> ModelWriter:
    server.asked.clear()
    asked = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    return a_writer(hasty_models if asked.get("fault") in NEVER_DONE else models)


def a_writer(models: list[PricedModel], usd: float = 5.0, clock: Clock = AT_NOON, concurrent: int = 8) -> ModelWriter:
    return model_writer(
        models, clock=clock, budget=Budget(Ceilings(day=Limit(usd)), clock), asking=Asking(concurrent=concurrent)
    )
