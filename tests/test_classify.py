"""What a message is about: probabilities that hold, a closed set, and a file that keeps no word of anybody."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harken.adapters.embedders import WordLlama
from harken.bootstrap import classifiers
from harken.classify import asking, exemplars, fitting, shipped
from harken.classify.classifier import Classifier
from harken.classify.fitted import FACTS, WEIGHTS, Fitted, keep, load_from
from harken.domain.classification import OUT_OF_SCOPE
from harken.domain.event import Reading
from harken.errors import UnsuitableError
from harken.flow import training
from harken.flow.classifying import classified
from harken.settings import Settings

PLAIN = {
    "I was charged twice for the same order": "billing_inquiry",
    "The app crashes when I open the calendar": "bug_report",
    "Please add a dark mode": "feature_request",
    "I forgot my password": "account_management",
    "Do you ship to Norway?": "general_inquiry",
    "I can't connect the printer to the wifi": "technical_support",
    "Ich habe mein Passwort vergessen": "account_management",
    "Où trouver ma facture ?": "billing_inquiry",
    "¿Dónde está mi paquete?": "general_inquiry",
    "L'app si blocca quando salvo": "bug_report",
    "Gostaria de ter um modo escuro": "feature_request",
    "De verbinding valt steeds weg": "technical_support",
    "Zapomniałem hasła": "account_management",
    "Var är mitt paket?": "general_inquiry",
    "Faturam çok yüksek": "billing_inquiry",
    "パスワードを忘れました": "account_management",
    "我要退款": "billing_inquiry",
}


@pytest.fixture(scope="module")
def ours() -> Classifier:
    return classifiers.classifier_of(Settings())


@pytest.mark.parametrize(("text", "category"), PLAIN.items())
def test_the_default_knows_six_categories_in_twelve_languages(ours: Classifier, text: str, category: str) -> None:
    found = classified(text, ours)

    assert found.category == category
    assert found.probability == pytest.approx(1 - sum(found.others.values()), abs=1e-3)
    assert set(found.others) | {category} == {*exemplars.CATEGORIES, OUT_OF_SCOPE}


@pytest.mark.parametrize(
    "text", ["Tell me a joke", "asdfgh qwertz", "What's the weather like tomorrow?", "", "👍", "?!"]
)
def test_what_belongs_to_none_is_said_so(ours: Classifier, text: str) -> None:
    assert classified(text, ours).category == OUT_OF_SCOPE


def test_what_was_read_is_passed_on(ours: Classifier) -> None:
    reading = Reading(language="en", sentiment=-500, urgency=2)
    found = ours.classify("I was charged twice, get me a human!", reading)

    assert (found.language, found.sentiment, found.urgency) == ("en", -0.5, 2)
    assert found.wants_person > 0.9
    assert found.regulatory < 0.1
    assert re.fullmatch(r"default@[0-9a-f]{12}", found.model)


def test_the_same_text_is_the_same_answer(ours: Classifier) -> None:
    text = "The invoice is wrong " * 3_000
    assert ours.classify(text, Reading()) == ours.classify(text, Reading())
    assert ours.classify(text, Reading()) == ours.classify(text[:20_000], Reading())


def test_the_file_that_ships_was_fitted_on_our_exemplars() -> None:
    """Fails after a change to the exemplars until `just classifier` has been run."""
    assert (shipped.FOLDER / shipped.MADE_OF).read_text("utf-8").strip() == shipped.made_of(WordLlama())


def test_fitting_again_gives_the_same_classifier() -> None:
    given, again = load_from(shipped.FOLDER), shipped.make(WordLlama())

    assert again.facts.labels == given.facts.labels
    assert np.array_equal(again.columns, given.columns)
    assert np.abs(again.weights - given.weights).max() < 0.01
    assert np.allclose(again.facts.scope, given.facts.scope, rtol=0.05, atol=0.05)


def test_the_exemplars_are_enough_and_each_stands_once() -> None:
    rows = exemplars.rows()
    english = exemplars.rows()[: len([row for row in rows if row.text.isascii()])]

    assert len({row.text for row in rows}) == len(rows)
    assert all(sum(row.label == name for row in english) >= 40 for name in exemplars.CATEGORIES)
    assert sum(not row.label for row in rows) >= 100


def test_probabilities_hold_on_messages_that_were_not_fitted_on() -> None:
    given = fitting.read(exemplars.rows(), WordLlama())
    fitted, fifth = fitting.held_back(given, "wordllama")
    told = training.said_of(fitted, fitting.score(fitted, fifth))

    sure = [each for each in told if each.probability >= 0.8]
    assert len(sure) > 50
    assert sum(each.right for each in sure) / len(sure) >= 0.8


def test_one_at_a_time_says_what_all_at_once_say() -> None:
    given = load_from(shipped.FOLDER)
    rows = exemplars.rows()[:50]
    read = fitting.read(rows, WordLlama())
    together = fitting.score(given, replace(read, labels=given.facts.labels))

    for row, scores, signs in zip(rows, together.scores, together.signs, strict=True):
        alone, its_signs = given.scores(row.text, WordLlama().embed([row.text])[0])
        assert np.allclose(alone, scores[:-1], atol=1e-4)
        assert np.allclose(its_signs, signs, atol=1e-4)


def test_what_is_kept_is_read_again_and_holds_no_word(tmp_path: Path) -> None:
    rows = exemplars.rows()[:300]
    fitted = fitting.fit(fitting.read(rows, WordLlama()), WordLlama.model)
    keep(fitted, tmp_path / "own")
    again = load_from(tmp_path / "own")

    assert again.version == fitted.version
    content = b"".join(path.read_bytes() for path in (tmp_path / "own").iterdir())
    words = {word for row in rows for word in row.text.lower().split() if len(word) > 6 and word.isalpha()}
    labels = {"version", *(word for label in exemplars.CATEGORIES for word in label.split("_"))}
    assert len(words - labels) > 100
    assert not [word for word in words - labels if word.encode() in content]
    assert {path.name for path in (tmp_path / "own").iterdir()} == {WEIGHTS, FACTS}


@pytest.mark.parametrize("content", [b"", b"not weights", b"\x08\0\0\0\0\0\0\0{}      ", b"\xff" * 64])
def test_a_file_that_is_no_classifier_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / WEIGHTS).write_bytes(content)
    with pytest.raises(UnsuitableError, match="Train it again"):
        load_from(tmp_path)


def test_a_classifier_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="There is no classifier"):
        classifiers.classifier_of(Settings(home=tmp_path, classifier="desk"))


def test_a_classifier_of_an_embedder_that_is_not_here_is_not_read(tmp_path: Path) -> None:
    given = load_from(shipped.FOLDER)
    keep(replace(given, facts=replace(given.facts, embedder="another@1")), tmp_path / "classifiers" / "desk")
    with pytest.raises(UnsuitableError, match="another@1"):
        classifiers.classifier_of(Settings(home=tmp_path, classifier="desk"))


def test_an_own_default_takes_the_place_of_ours(tmp_path: Path) -> None:
    given = load_from(shipped.FOLDER)
    own: Fitted = replace(given, facts=replace(given.facts, rows=7))
    keep(own, tmp_path / "classifiers" / "default")
    assert classifiers.classifier_of(Settings(home=tmp_path)).model == f"default@{own.version}"


VAGUE = [
    "Danke",
    "Hi",
    "Update please",
    "The thing on the printer account",
    "My thing does not do the stuff",
    "The new list",
]


@pytest.fixture(scope="module")
def unsure_text(ours: Classifier) -> str:
    return min(VAGUE, key=lambda text: ours.classify(text, Reading()).probability)


def test_a_word_of_the_closed_set_is_taken_and_can_be_taken_back(ours: Classifier, unsure_text: str) -> None:
    before = ours.classify(unsure_text, Reading())
    assert asking.categories(before) == (*sorted([*exemplars.CATEGORIES, OUT_OF_SCOPE]),)

    found = asking.taken(before, ["billing_inquiry"])

    assert found.category == "billing_inquiry"
    assert found.model.endswith("+asked")
    own = {before.category: before.probability, **before.others}
    assert found.probability == own["billing_inquiry"], "our own probability, not one that a model claims"
    assert asking.before(found) == before


@pytest.mark.parametrize("said", [["refund_desk"], [""], ["billing_inquiry; DROP TABLE"], []])
def test_an_answer_outside_the_closed_set_changes_nothing(ours: Classifier, said: list[str], unsure_text: str) -> None:
    before = ours.classify(unsure_text, Reading())

    assert asking.taken(before, said) == before
    assert asking.before(before) == before


def test_the_facts_can_be_read_by_people() -> None:
    facts = json.loads((shipped.FOLDER / FACTS).read_text("utf-8"))
    assert facts["labels"] == sorted(exemplars.CATEGORIES)
    assert facts["version"] == load_from(shipped.FOLDER).version
