"""A bank whose tickets are answered with a model behind the real parts; and at the end, all of it is made again."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from conftest import _administer, fresh_store
from hostile_models import NOON
from journey import Steady
from test_answering import bank_on, opened

from harken.adapters.writers.answers import Answers, InMemoryAnswers
from harken.adapters.writers.asking import Asking, LanguageModel
from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, Ceilings
from harken.adapters.writers.fallback import ModelWriter
from harken.flow import answering, auditing, replaying, sealing
from harken.flow.agent_desk import AgentDesk
from harken.flow.desk import Desk
from harken.flow.ending import Answered
from harken.kit.clock import stopped_at

assert _administer  # the fixture below makes databases of its own
SAID = "A card payment in another currency than the euro costs 1.5 % of the amount."
CRASHES = "The app crashes whenever I open it on my phone. What can I do about it?"


@pytest.fixture(name="bank", scope="module")
def bank_with_models(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with ExitStack() as ends:
        url = ends.enter_context(fresh_store(postgres_url, _template))
        yield ends.enter_context(bank_on(url, tmp_path_factory.mktemp("bank")))


@pytest.fixture(scope="module", autouse=True)
def all_of_it_is_made_again(bank: Desk) -> Iterator[None]:
    """After every test here, by whatever the installation replays with: no model, no cache."""
    yield
    assert bank.open_audit
    assert bank.open_replay
    sealing.seal_all(bank.open_audit())
    tally = asyncio.run(replaying.replay_all(None, bank.open_replay(), Steady()))
    assert (tally.match, tally.mismatch, tally.incomplete) == (tally.replayed, [], [])
    assert auditing.verify(bank.open_audit()).ok


def modelled(bank: Desk, *models: LanguageModel, store: InMemoryAnswers | None = None) -> AgentDesk:
    """The desk of the bank, with these in the place of its writer."""
    assert bank.agent
    clock = stopped_at(NOON)
    writer = ModelWriter(
        [(model, Breaker(clock)) for model in models],
        budget=Budget(Ceilings(), clock),
        asking=Asking(history_tokens=777),
        answers=Answers(store, clock, ttl_s=600) if store else None,
    )
    return replace(bank.agent, writer=writer, asks_models=True)


async def answered(desk: AgentDesk, bank: Desk, text: str, customer: str, *, verified: bool = True) -> Answered:
    found = await answering.answer(opened(bank, text, customer, verified=verified), desk)
    assert found
    return found
