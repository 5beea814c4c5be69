"""Words of a model on a person's screen, as they come, and then the verdict; nothing of it is the customer's."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hostile_models import ScriptedModel, down
from httpx2 import Response
from journey import rows_of
from model_answer_cases import SAID, all_of_it_is_made_again, bank_with_models, modelled  # noqa: F401  fixtures among them
from test_answering import FEE, answers, opened, url_of

from harken.adapters.writers.prompt import Prompt
from harken.domain.ticket import StatusCategory
from harken.flow import ticket_handling
from harken.flow.agent_desk import AgentDesk
from harken.flow.desk import Desk
from harken.tickets import changes as c
from harken.web.app import app_of


def events(body: str) -> list[tuple[str, dict[str, Any]]]:
    """Server-sent events -> name and data."""
    blocks = [block.split("\n") for block in body.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def suggested(bank: Desk, desk: AgentDesk, ticket: str, name: str = "tickets") -> Response:
    whole = replace(bank, open_agent=lambda: desk)
    with TestClient(app_of(whole), base_url="http://127.0.0.1:8000") as web:
        return web.post(f"/api/v1/{name}/{ticket}/suggestion")


@pytest.mark.parametrize("name", ["tickets", "conversations"])
def test_a_person_sees_words_as_they_come_and_then_the_verdict(bank: Desk, name: str) -> None:
    assert bank.tickets
    ticket = opened(bank, FEE, f"suggested-{name}")
    ticket_handling.take_over(ticket, "lena", bank.tickets)
    model = ScriptedModel(f"{SAID} See https://evil.example/now.")

    answer_ = suggested(bank, modelled(bank, model), ticket, name)

    assert answer_.headers["content-type"].startswith("text/event-stream")
    *pieces, (last, told) = events(answer_.text)
    assert len(pieces) > 5
    assert "".join(data["text"] for _, data in pieces) == told["text"] == f"{SAID} See https://evil.example/now."
    assert last == "suggestion"
    assert told["mode"] == "test:scripted"
    assert told["outcome"] == "block"
    assert "link" in told["reasons"]
    assert told["sources"]
    assert answers(bank, ticket) == [], "nothing of it is the customer's"
    [row] = rows_of(url_of(bank), "SELECT actor FROM audit_event WHERE body::text LIKE %s", [f"%{told['record']}%"])
    assert row["actor"].startswith("person:")


def test_a_suggestion_of_a_model_that_breaks_off_ends_where_it_is(bank: Desk) -> None:
    whole = suggested(bank, modelled(bank, Breaking("Hello, the fee is ", down())), opened(bank, FEE, "broken-off"))
    none = suggested(bank, modelled(bank, ScriptedModel(down())), opened(bank, FEE, "none-at-all"))

    assert events(whole.text)[-1][1]["text"] == "Hello, the fee is"
    assert events(none.text)[-1][1]["mode"] == "offline"


class Breaking(ScriptedModel):
    """Says its first text, and then fails."""

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        yield self.text(prompt)
        self.text(prompt)


def test_what_is_kept_from_models_is_suggested_without_one(bank: Desk) -> None:
    model = ScriptedModel("Hello!")

    told = events(suggested(bank, modelled(bank, model), opened(bank, "I am 14 years old. What does a card cost?", "young")).text)  # fmt: skip

    assert model.prompts == []
    assert told[-1][1]["mode"] == "offline"


def test_for_a_ticket_that_is_over_nothing_is_suggested(bank: Desk) -> None:
    assert bank.tickets
    ticket = opened(bank, FEE, "over")
    ticket_handling.change(ticket, [c.StatusChanged(status=StatusCategory.CLOSED, label="closed")], "person:lena", bank.tickets)  # fmt: skip

    assert suggested(bank, modelled(bank, ScriptedModel("Hello!")), ticket).status_code == 409
    assert suggested(bank, modelled(bank, ScriptedModel("Hello!")), "00000000-0000-5000-8000-000000000000").status_code == 404  # fmt: skip
