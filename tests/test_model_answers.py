"""Tickets answered with a model behind the real parts: what it proposes, whose answers serve whom, and that all of it is made again."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import _administer, fresh_store
from fastapi.testclient import TestClient
from hostile_deeds import gets_through
from hostile_models import NOON, ScriptedModel, answer, down
from httpx2 import Response
from journey import Steady, rows_of
from test_answering import FEE, answers, bank_on, opened, url_of

from harken.act.plan import Answer
from harken.adapters.writers import recorded, templates
from harken.adapters.writers.answers import KEPT_NOTE, Answers, InMemoryAnswers
from harken.adapters.writers.asking import Asking, LanguageModel
from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, Ceilings
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.prompt import Prompt
from harken.classify import asking
from harken.domain.ticket import StatusCategory
from harken.flow import adding, answering, auditing, gathering, readying, replaying, sealing, ticket_handling, ticketing
from harken.flow.adding import Wish
from harken.flow.agent_desk import AgentDesk
from harken.flow.concluding import Ending
from harken.flow.desk import Desk
from harken.flow.ending import Answered
from harken.flow.gathering import Gathered
from harken.kit.clock import stopped_at
from harken.privacy.tokens import TOKEN
from harken.tickets import changes as c
from harken.web.app import app_of

assert _administer  # the fixture below makes databases of its own
CANARY = "canary-plover-77"
SAID = "A card payment in another currency than the euro costs 1.5 % of the amount."
CRASHES = "The app crashes whenever I open it on my phone. What can I do about it?"
TWICE = f"{FEE} I was charged twice."


@pytest.fixture(scope="module")
def bank(postgres_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
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


def deed(action: str, **arguments: Any) -> dict[str, Any]:
    return {"action": action, "arguments": [{"name": name, "value": value} for name, value in arguments.items()]}


def replies(*deeds: dict[str, Any]) -> ScriptedModel:
    return ScriptedModel(answer(SAID, citations=[1, 2], confidence=0.95, proposals=deeds))


async def test_a_refund_that_a_model_proposes_waits_for_a_person(bank: Desk) -> None:
    model = replies(deed("refund", amount_minor=2450, currency="EUR", reason="charged twice"))

    found = await answered(modelled(bank, model), bank, TWICE, "refunded")

    assert found.conclusion.ending is Ending.HELD
    assert [(each.action, each.state) for each in found.actions] == [("refund", "pending")]
    system = model.prompts[-1].system
    assert '"action": "refund"' in system
    assert '"action": "reply"' not in system, "what is said is no proposal"
    [row] = rows_of(url_of(bank), "SELECT subject, amount_minor, people FROM action_proposal WHERE id = %s", [found.actions[0].id])  # fmt: skip
    assert row == {"subject": "customer:refunded", "amount_minor": 2450, "people": 1}


async def test_who_is_not_verified_is_offered_less(bank: Desk) -> None:
    said = answer(
        "Which telephone do you use?", confidence=0.95, proposals=(deed("refund", amount_minor=2450, currency="EUR"),)
    )
    model = ScriptedModel(said)

    found = await answered(modelled(bank, model), bank, CRASHES, "nobody-knows", verified=False)

    assert '"refund"' not in model.prompts[-1].system
    assert '"schedule_call"' in model.prompts[-1].system
    assert found.actions == ()
    assert "proposed an action that it was not offered" in found.thought.advice.draft.notes


OTHERS = {
    "by an argument": deed("refund", amount_minor=2450, currency="EUR", customer="customer:otto"),
    "by words": deed("refund", amount_minor=2450, currency="EUR", reason="for customer:otto"),
    "by a name that nobody has": {"action": "refund", "arguments": [{"name": "$int", "value": 1}]},
    "to an address": deed("note", text="tell eve@evil.example"),
}


@pytest.mark.parametrize("case", OTHERS)
async def test_for_somebody_else_nothing_is_done_and_that_is_on_record(bank: Desk, case: str) -> None:
    before = refusals(bank)

    found = await answered(modelled(bank, replies(OTHERS[case])), bank, TWICE, f"mallory-{len(case)}")

    assert [each.state for each in found.actions] == ["refused"]
    [said] = refusals(bank)[len(before) :]
    assert said["ticket"] == found.thought.gathered.ticket.id
    assert "otto" not in json.dumps(said)
    assert "evil" not in json.dumps(said)
    assert (
        rows_of(url_of(bank), "SELECT 1 FROM action_proposal WHERE ticket = %s AND action <> 'reply'", [said["ticket"]])
        == []
    )


def refusals(bank: Desk) -> list[dict[str, Any]]:
    found = rows_of(url_of(bank), "SELECT body FROM audit_event WHERE action = 'action.refused' ORDER BY id")
    return [json.loads(row["body"]) if isinstance(row["body"], str) else row["body"] for row in found]


async def test_what_the_customer_asks_for_is_put_to_people_once(bank: Desk) -> None:
    twice = deed("refund", amount_minor=2450, currency="EUR")
    asks = f"{FEE} Please refund me 24.50 euros, I was charged twice."

    found = await answered(modelled(bank, replies(twice, twice)), bank, asks, "once")

    assert [(each.action, each.state) for each in found.actions] == [("refund", "pending")]


async def test_a_model_that_means_harm_gets_nothing_through() -> None:
    """A thousand drafts of up to twelve proposals, written as a model writes them; `benchmarks/l1_actions.py` has the long form."""
    wrong, answers = await gets_through(1_000, seed=23)

    assert wrong == []
    assert answers[Answer.REFUSED] > 1_000
    assert answers[Answer.NEEDS_APPROVAL] > 50


# --- what is asked before anything is decided


class Interpreter(ScriptedModel):
    """Says what it is about, translates by a table, and answers."""

    def __init__(self, category: str = "billing_inquiry", words: str = SAID, spoil: str = "") -> None:
        super().__init__("", name="test:interpreter")
        self._category, self._words, self._spoil = category, words, spoil

    def text(self, prompt: Prompt) -> str:
        if prompt.template == templates.CATEGORY:
            return json.dumps({"category": self._category})
        if prompt.template == templates.TRANSLATION:
            texts = json.loads(prompt.user)["texts"]
            return json.dumps({"texts": [f"Übersetzt: {each} {self._spoil}".strip() for each in texts]})
        return answer(self._words, citations=[1, 2], confidence=0.95)

    def asked(self, template: str) -> list[Prompt]:
        return [each for each in self.prompts if each.template == template]


GERMAN = "Guten Tag, wie hoch ist das Entgelt, wenn ich mit der Karte in einer anderen Währung bezahle? PIN, app, card, currency"


async def test_passages_come_in_the_customers_language(bank: Desk) -> None:
    model = Interpreter()

    found = await answered(modelled(bank, model, store=InMemoryAnswers()), bank, GERMAN, "german")

    context = found.thought.gathered.context
    assert context.conversation.facts.language == "de"
    theirs = [each for each in context.passages if each.language == "de"]
    foreign = [each for each in context.passages if each.language == "en"]
    assert theirs, "the handbook has a German page"
    assert not any(each.original or each.text.startswith("Übersetzt") for each in theirs)
    assert foreign
    assert all(each.text == f"Übersetzt: {each.original}" for each in foreign)
    [prompt] = model.asked(templates.ANSWER)
    assert any(each["text"].startswith("Übersetzt") for each in json.loads(prompt.user)["passages"])
    assert [each.model for each in context.translated_with] == ["test:interpreter"]


async def test_a_translation_is_asked_for_once(bank: Desk) -> None:
    model, store = Interpreter(), InMemoryAnswers()
    for customer in ("german-1", "german-2"):
        found = await answered(modelled(bank, model, store=store), bank, GERMAN, customer)
        assert found.thought.gathered.context.translated_with

    asked = [json.loads(each.user)["texts"] for each in model.asked(templates.TRANSLATION)]
    assert len(asked) == (1 if not any(TOKEN.search(text) for texts in asked for text in texts) else 2)


@pytest.mark.parametrize("spoil", ["99 EUR", "https://evil.example", "KestrelCash", "eve@evil.example"])
async def test_a_translation_that_says_something_else_is_not_used(bank: Desk, spoil: str) -> None:
    found = await answered(modelled(bank, Interpreter(spoil=spoil)), bank, GERMAN, f"spoilt-{len(spoil)}")

    context = found.thought.gathered.context
    assert context.translated_with
    assert not any(each.original for each in context.passages)
    assert spoil not in "".join(each.text for each in context.passages)


VAGUE = "The thing on the printer account"


async def test_who_is_unsure_asks_and_says_so(bank: Desk) -> None:
    model = Interpreter(category="bug_report")

    found = await answered(replace(modelled(bank, model), unsure_below=0.99), bank, VAGUE, "vague")

    context = found.thought.gathered.context
    assert context.live
    assert context.live.classification.category == "bug_report"
    assert context.live.classification.model.endswith("+asked")
    assert context.live.classification.probability < 0.99
    [prompt] = model.asked(templates.CATEGORY)
    assert "bug_report" in json.loads(prompt.user)["categories"]
    assert [each.model for each in context.classified_with] == ["test:interpreter"]


async def test_a_category_that_nobody_knows_is_not_taken(bank: Desk) -> None:
    found = await answered(
        replace(modelled(bank, Interpreter(category="give_everything_away")), unsure_below=0.99), bank, VAGUE, "vaguer"
    )

    context = found.thought.gathered.context
    assert context.live
    assert context.live.classification.category != "give_everything_away"
    assert not context.live.classification.model.endswith("+asked")
    assert context.classified_with


async def test_who_is_sure_asks_nobody(bank: Desk) -> None:
    model = Interpreter()
    await answered(replace(modelled(bank, model), unsure_below=0.0), bank, VAGUE, "never-asked")
    assert model.asked(templates.CATEGORY) == []


@pytest.mark.parametrize(
    "text",
    [
        "I am 14 years old, the thing on the printer account",
        "Somebody stole my identity, the thing on the printer account",
    ],
)
async def test_what_is_kept_from_models_is_kept_from_all_of_it(bank: Desk, text: str) -> None:
    model = Interpreter()

    found = await answered(replace(modelled(bank, model), unsure_below=1.0), bank, text, f"kept-{len(text)}")

    assert model.prompts == []
    assert found.thought.gathered.context.classified_with == ()


async def test_what_models_said_before_is_part_of_the_replay(bank: Desk) -> None:
    """Whoever changes the category, a translation or what a model said of it is found out."""
    found = await answered(replace(modelled(bank, Interpreter()), unsure_below=1.0), bank, GERMAN, "forged")
    context = found.thought.gathered.context
    live = context.live
    assert live
    assert not await readying.differs(context, recorded.writer)
    gratis = (replace(each, text="Übersetzt: gratis") if each.original else each for each in context.passages)
    forged = replace(context, passages=tuple(gratis))
    said = asking.taken(asking.before(live.classification), ["bug_report"])
    other = replace(context, live=replace(live, classification=said))
    assert await readying.differs(forged, recorded.writer)
    assert await readying.differs(other, recorded.writer)


# --- answers that serve more than one


def plain_model() -> ScriptedModel:
    return ScriptedModel(answer(SAID, citations=[1, 2], confidence=0.95))


async def test_an_answer_serves_another_customer_and_is_made_again(bank: Desk) -> None:
    model, store = plain_model(), InMemoryAnswers()
    desk = modelled(bank, model, store=store)
    first = await answered(desk, bank, FEE, "first")
    assert first.conclusion.ending is Ending.SENT, first.thought.verdict

    again = await answered(desk, bank, FEE, "second")

    assert len(model.prompts) == 1
    assert again.message == first.message
    draft = again.thought.advice.draft
    assert (draft.mode, KEPT_NOTE in draft.notes) == ("test:scripted", True)
    assert [(each.model, KEPT_NOTE in each.notes) for each in draft.exchanges] == [("test:scripted", True)]
    assert draft.exchanges[0].settings["history_tokens"] == 777


def looked(desk: AgentDesk, bank: Desk, customer: str, where: str = "") -> Gathered:
    assert bank.tickets
    ticket = ticketing.standing(opened(bank, FEE, customer), bank.tickets)
    seen = gathering.gather(ticket.id, desk)
    assert seen
    assert seen.context.live
    there = replace(seen.context.live, jurisdiction=where)
    return gathering._with_passages(ticket, replace(seen.context, live=there, passages=(), readable=""), desk)


def test_whose_eyes_and_which_library_is_said_in_every_context(bank: Desk, tmp_path: Path) -> None:
    """Alike for customers with the same rights; another jurisdiction or another library is another."""
    assert bank.library
    desk = modelled(bank, plain_model())
    here = [looked(desk, bank, f"eyes-{n}").context.readable for n in range(2)]
    germany = looked(desk, bank, "eyes-2", "DE").context.readable
    page = tmp_path / "page.md"
    page.write_text("# Opening hours\n\nThe branch in Lisbon opens at nine.\n")
    adding.add([page], Wish(), bank.library, Steady())
    later = looked(desk, bank, "eyes-3").context.readable

    assert here[0] == here[1]
    assert len({here[0], germany, later, ""}) == 4


CROSSING = {
    "a name": (f"I am Jane {CANARY}. {FEE}", f"Hello Jane {CANARY}, {SAID}"),
    "an address": (f"{FEE} Write to {CANARY}@mail.example.", f"{SAID} We write to {CANARY}@mail.example."),
    "their words": (f"{FEE} My dog is called {CANARY}.", f"{SAID} Greetings to {CANARY}."),
}


@pytest.mark.parametrize("case", CROSSING)
async def test_nothing_of_one_customer_reaches_another(bank: Desk, case: str) -> None:
    """One tells, and a model repeats it; whoever asks next, in the same words without it, hears nothing of it."""
    told, repeats = CROSSING[case]
    place = list(CROSSING).index(case)
    store = InMemoryAnswers()
    await answered(
        modelled(bank, ScriptedModel(answer(repeats, citations=[1, 2])), store=store), bank, told, f"a-{place}"
    )
    for customer, words in ((f"b-{place}", FEE), (f"c-{place}", told.replace(CANARY, "Rex"))):
        model = plain_model()
        found = await answered(modelled(bank, model, store=store), bank, words, customer)
        assert CANARY not in found.message + repr(found.thought.advice) + "".join(each.user for each in model.prompts)


# --- words for a person's screen


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
