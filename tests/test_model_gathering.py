"""What models are asked before the answer: a translation, a category, a question; and what is kept from all of them."""

import json
from dataclasses import replace

import pytest
from hostile_models import ScriptedModel, answer
from model_answer_cases import SAID, all_of_it_is_made_again, answered, bank_with_models, modelled  # noqa: F401  fixtures among them

from harken.adapters.writers import recorded, templates
from harken.adapters.writers.answers import InMemoryAnswers
from harken.adapters.writers.prompt import Prompt
from harken.classify import asking
from harken.flow import readying
from harken.flow.desk import Desk
from harken.privacy.tokens import TOKEN


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
