"""Words -> topic."""

import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.conversations.topics import GENERAL, IGNORED, PREFIX, TOPICS, topic_from, topic_hits, topic_of
from harken.kit.words import split


def hits_in(text: str) -> dict[str, tuple[str, ...]]:
    return topic_hits(split(text))


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Why was I charged a late fee twice on my bill?", "billing_and_charges"),
        ("My transfer to Spain has not left the account, the payment is stuck", "payments_and_transfers"),
        ("I can't log in and the reset sends no verification code", "card_and_account_access"),
        ("Someone used my card, this is fraud", "fraud_and_security"),
        ("The courier says delivered but there is no parcel", "delivery_and_orders"),
        ("Please cancel it, I want my money back", "refunds_and_cancellation"),
        ("The app crashes since the update", "technical_problem"),
        ("No internet here, the router is red. An outage?", "outage_and_connection"),
        ("My flight was moved and the luggage is in Oslo", "booking_and_travel"),
        ("Will the oat biscuits be back in stock in your stores?", "product_and_stock"),
        ("Your staff were rude and unhelpful", "complaint_about_service"),
        ("Brilliant, we are impressed. Kudos!", "praise_and_feedback"),
        ("Hello, are you there?", GENERAL),
        ("", GENERAL),
    ],
)
def test_what_a_message_is_about(text: str, topic: str) -> None:
    assert topic_of([text])[0] == topic


def test_hits_are_whole_words_in_the_order_of_the_text_filed_by_topic() -> None:
    assert hits_in("The Wi-Fi router, the ROUTER! No signal") == {
        "topic:outage_and_connection": ("wi fi", "router", "no signal")
    }
    assert hits_in("apparel billboard") == {}
    assert hits_in("It won’t load") == hits_in("It won't load") == {"topic:technical_problem": ("won't load",)}


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("The line is dead atm, is that just me", GENERAL),
        ("I did that in order to help, any update?", GENERAL),
        ("Your delivery driver swore at me", "delivery_and_orders"),
        ("Why no free carrier bags any more", "product_and_stock"),
    ],
)
def test_a_phrase_counts_and_not_the_words_in_it(text: str, topic: str) -> None:
    assert topic_of([text])[0] == topic


def test_more_different_words_win_and_a_tie_goes_to_what_stands_first() -> None:
    assert topic_of(["refund refund refund", "the parcel and the courier"])[0] == "delivery_and_orders"
    assert topic_of(["the app and the refund"])[0] == "refunds_and_cancellation"
    assert topic_of(["a scam with my parcel"])[0] == "fraud_and_security"


def test_other_evidence_is_no_topic() -> None:
    assert topic_from([{"urgency": ("asap", "now")}, {PREFIX + "unheard_of": ("x",)}]) == (GENERAL, ())


@given(st.lists(st.text(max_size=40), max_size=4))
def test_any_text_has_a_topic_of_the_closed_set(texts: list[str]) -> None:
    topic, words = topic_of(texts)

    assert topic in TOPICS
    assert (topic == GENERAL) == (not words)


def test_every_listed_word_is_found_under_its_topic() -> None:
    listed = tomllib.loads(resources.files("harken.conversations").joinpath("topics.toml").read_text("utf-8"))

    ignored = listed.pop(IGNORED)

    missed = [word for topic, words in listed.items() for word in words if word not in hits_in(word)[PREFIX + topic]]

    assert missed == [word for word in ignored if hits_in(word)] == []
    assert (*listed, GENERAL) == TOPICS
