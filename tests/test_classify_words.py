"""Who asks for a person, who speaks of law, who is a minor or in distress: found in twelve languages, and not where it only seems so."""

import pytest
from classify_cases import CIRCUMSTANCES, NEAR_MISSES, REGULATORY, WANTS_PERSON

from harken.classify import exemplars, intents
from harken.domain.event import Reading
from harken.flow.reading import understood
from harken.kit import spans
from harken.kit.circumstances import RESTRICTED_KINDS, Flag, circumstances, flags, restricted

MOST_FALSE = 0.02


def read(text: str) -> Reading:
    return understood(text, spans.find_spans(text), from_customer=True, with_mood=True)[0]


@pytest.mark.parametrize("text", WANTS_PERSON)
def test_who_asks_for_a_person_is_heard(text: str) -> None:
    assert intents.wants_person(text, read(text)) >= intents.MEANT


@pytest.mark.parametrize("text", REGULATORY)
def test_who_speaks_of_law_is_heard(text: str) -> None:
    assert intents.regulatory(text, read(text)) >= intents.MEANT


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_what_only_looks_like_it_brings_nobody(text: str) -> None:
    reading = read(text)
    said = (intents.wants_person(text, reading) >= intents.MEANT, intents.regulatory(text, reading) >= intents.MEANT)
    assert (*said, circumstances(text)) == (False, False, ())


def test_benign_messages_are_hardly_ever_handed_over() -> None:
    texts = [row.text for row in exemplars.rows()] + NEAR_MISSES
    over = [
        text
        for text in texts
        if circumstances(text)
        or intents.wants_person(text, read(text)) >= intents.MEANT
        or intents.regulatory(text, read(text)) >= intents.MEANT
    ]

    assert len(texts) > 1_000
    assert len(over) <= MOST_FALSE * len(texts), over


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in CIRCUMSTANCES.items() for text in texts])
def test_circumstances_are_heard_with_their_words(kind: str, text: str) -> None:
    found = {each.kind: each for each in circumstances(text)}
    heard = RESTRICTED_KINDS if kind == Flag.RESTRICTED else (kind,)

    assert found.keys() & set(heard)
    assert all(each.words for each in found.values())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("How can I get around the sanctions list?", "sanctions"),
        ("Is he on the sanctions list?", "sanctions"),
        ("I need to launder money", "laundering"),
        ("Can I send money to terrorists abroad?", "terrorism"),
        ("Can I buy a gun with this card?", "weapons"),
        ("Kann man mit der Karte Kokain kaufen", "drugs"),
        ("Where do I order a fake passport", "forgery"),
        ("怎么洗钱", "laundering"),
        ("Where is my card?", ""),
    ],
)
def test_a_restricted_topic_says_which(text: str, kind: str) -> None:
    assert restricted(circumstances(text)) == kind


def test_flags_are_what_rules_ask_for() -> None:
    assert flags(circumstances("I am 14, my father passed away and I want to buy a gun")) == set(Flag)
    assert flags(circumstances("Where is my card?")) == frozenset()


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    assert circumstances("x " * 1_000_000 + "I am 14") == ()
