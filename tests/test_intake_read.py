"""What is read in one message, with the words that say so. In our own words; a wrong reading is a new row here."""

from itertools import pairwise

import pytest
from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.domain.event import Reading, Signal, Urgency
from harken.intake import lexicon, sentiment
from harken.intake.read import read
from harken.kit.words import split


def customer(text: str) -> Reading:
    return read(text, split(text), from_customer=True)


def brand(text: str) -> Reading:
    return read(text, split(text), from_customer=False)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I have been waiting for my parcel since the weekend", "en"),
        ("Worst airline ever, thanks", "en"),
        ("Hola, no puedo entrar en mi cuenta desde ayer y nadie contesta", "es"),
        ("Bonjour, je n'arrive pas \u00e0 me connecter depuis hier soir", "fr"),
        ("Guten Tag, meine Karte wurde leider schon wieder gesperrt", "de"),
        ("Bom dia, n\u00e3o consigo acessar minha conta desde ontem", "pt"),
        (
            "\u30ed\u30b0\u30a4\u30f3\u3067\u304d\u307e\u305b\u3093\u3002\u52a9\u3051\u3066\u304f\u3060\u3055\u3044",
            "ja",
        ),
        ("12345", "und"),
        ("", "und"),
        ("\U0001f44d", "und"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert customer(text).language == language


def test_clear_english_names_the_words_that_say_so() -> None:
    heard = customer("what should I do when the app is not working")

    assert heard.language_p == 990
    assert heard.evidence["language"] == ("not", "should", "the")


def test_only_the_languages_asked_for() -> None:
    german, question = (
        "Guten Tag, meine Karte wurde leider gesperrt",
        "please tell me what the problem is with your app",
    )
    heard = read(german, split(german), from_customer=True, languages=("de", "fr"))
    english = read(question, split(question), from_customer=True, languages=("de", "fr"))

    assert heard.language == "de"
    assert english.language != "en"


def test_other_languages_have_no_feeling_rather_than_none_of_it() -> None:
    assert customer("Esto es una verg\u00fcenza, llevo tres horas esperando y nadie me contesta").sentiment is None
    assert customer("Schlechtester Kundendienst aller Zeiten, ich bin sehr entt\u00e4uscht").signals == Signal.NONE


@pytest.mark.parametrize(
    "text",
    [
        "My flight was cancelled and nobody told me",
        "still waiting on hold, this is the worst service",
        "the app is not working again",
        "I am so disappointed with you guys :(",
        "Thanks for nothing, you lost my bag",
        "You charged me twice and I can't get through to anyone",
        "your website keeps crashing and I don't know why",
    ],
)
def test_complaints_feel_bad(text: str) -> None:
    reading = customer(text)

    assert reading.sentiment is not None
    assert reading.sentiment <= -150
    assert reading.evidence["sentiment"]


@pytest.mark.parametrize(
    "text",
    [
        "I love the new app, it is great!",
        "Your agent was so helpful today, thank you :)",
        "that made my day \U0001f60d and thanks for it",
    ],
)
def test_praise_feels_good(text: str) -> None:
    assert (customer(text).sentiment or 0) >= 400


@pytest.mark.parametrize(
    "text", ["please can you tell me when the store opens", "I would like to change my address with you"]
)
def test_asking_politely_is_neither(text: str) -> None:
    assert customer(text).sentiment == 0


def test_stronger_words_weigh_more() -> None:
    steps = [
        "the food was bad",
        "the food was very bad",
        "the food was very BAD",
        "the food was very BAD!!!",
    ]
    feelings = [sentiment.score(text, split(text)).thousandths for text in steps]

    assert all(worse < better for better, worse in pairwise(feelings))


def test_negation_and_but_turn_the_feeling() -> None:
    def feel(text: str) -> int:
        return sentiment.score(text, split(text)).thousandths

    assert feel("this is not great") < 0 < feel("this is great")
    assert feel("slightly annoying") > feel("annoying")
    assert feel("it was great but the wait was terrible") < 0
    assert feel("not now. great") > 0
    assert feel("not terrible") > 0


@settings(max_examples=tries(80))
@given(st.text(max_size=80))
def test_any_text_can_be_read_and_reads_the_same_twice(text: str) -> None:
    for from_customer in (True, False):
        reading = read(text, split(text), from_customer=from_customer)

        assert reading == read(text, split(text), from_customer=from_customer)
        assert reading.sentiment is None or -1000 <= reading.sentiment <= 1000
        assert 0 <= reading.language_p <= 1000
        named = {name for name in reading.evidence if name.upper() in Signal.__members__}
        assert sum(Signal[name.upper()] for name in named) == reading.signals
        assert (reading.urgency > 0) == ("urgency" in reading.evidence)


@pytest.mark.parametrize(
    ("text", "level", "words"),
    [
        ("my card was stolen this morning", Urgency.CRITICAL, "card was stolen"),
        ("there are fraudulent charges on the account", Urgency.CRITICAL, "fraudulent charges"),
        ("I need this fixed ASAP please", Urgency.URGENT, "asap"),
        ("somebody is buying shoes with my card", Urgency.CRITICAL, "somebody is buying shoes with my card"),
        ("somebody changed my password", Urgency.CRITICAL, "somebody changed my password"),
        ("my flight is tomorrow", Urgency.SOON, "flight is tomorrow"),
        ("I am locked out of my account", Urgency.URGENT, "locked out"),
        ("I need an answer before Friday", Urgency.SOON, "before friday"),
        ("I have been on hold for 3 hours", Urgency.SOON, "hold for 3 hours"),
        ("waiting in the queue for two hours", Urgency.SOON, "queue for two hours"),
        ("I don't know what to do", Urgency.NONE, None),
        ("this is not urgent at all", Urgency.NONE, None),
        ("the emergency exit row please", Urgency.NONE, None),
        ("I was fixed on it. Hours later nothing", Urgency.SOON, "hours later"),
    ],
)
def test_urgency_is_what_words_mean_never_parts_of_words(text: str, level: int, words: str | None) -> None:
    reading = customer(text)

    assert reading.urgency == level
    assert words is None or words in reading.evidence["urgency"]


def test_our_own_words_are_never_urgent() -> None:
    assert brand("We will look into this immediately, the fraud team is on it").urgency == Urgency.NONE


@pytest.mark.parametrize(
    ("text", "said", "not_said"),
    [
        ("Thank you so much for your help", Signal.THANKS, Signal.QUESTION),
        ("thanks for nothing", Signal.ANGRY, Signal.THANKS),
        ("can you tell me the opening hours? thanks in advance", Signal.QUESTION, Signal.THANKS),
        ("thanks but it still does not work", Signal.STILL_BROKEN, Signal.THANKS),
        ("Thanks for ruining my holiday", Signal.ANGRY, Signal.THANKS),
        ("no thanks", Signal.NONE, Signal.THANKS),
        ("great job losing my bag again", Signal.ANGRY, Signal.PRAISE),
        ("it is working now, cheers", Signal.CONFIRMS_FIX | Signal.THANKS, Signal.STILL_BROKEN),
        ("problem solved", Signal.CONFIRMS_FIX, Signal.STILL_BROKEN),
        ("I hope that it's all sorted soon", Signal.NONE, Signal.CONFIRMS_FIX),
        ("that has not been resolved", Signal.STILL_BROKEN, Signal.CONFIRMS_FIX),
        ("restarted it and its still not working", Signal.STILL_BROKEN, Signal.CONFIRMS_FIX),
        ("how do I reset my password", Signal.QUESTION, Signal.WANTS_PERSON),
        ("I want to speak to a real person", Signal.WANTS_PERSON, Signal.REGULATORY),
        ("please call me", Signal.WANTS_PERSON, Signal.NONE),
        ("I will go to the ombudsman, my lawyer is ready", Signal.REGULATORY, Signal.THANKS),
        ("this is pathetic and a waste of money", Signal.ANGRY, Signal.PRAISE),
        ("YOU LEFT ME WAITING IN THE RAIN ALL NIGHT", Signal.ANGRY, Signal.PRAISE),
        ("hell yes, I love this, you are amazing", Signal.PRAISE, Signal.ANGRY),
        ("your crew was amazing", Signal.PRAISE, Signal.ANGRY),
        ("the service was never great service", Signal.NONE, Signal.PRAISE),
        ("so far no, but thanks for checking", Signal.CONFIRMS_FIX | Signal.THANKS, Signal.STILL_BROKEN),
        ("none of it worked for us", Signal.NONE, Signal.CONFIRMS_FIX),
        ("after a restart it seems to be working", Signal.CONFIRMS_FIX, Signal.STILL_BROKEN),
        ("the code was accepted but I didn't get the money", Signal.STILL_BROKEN, Signal.CONFIRMS_FIX),
        ("HELP ME", Signal.QUESTION, Signal.ANGRY),
        ("kindly reverse it, I need your help", Signal.QUESTION, Signal.THANKS),
        ("the lobby was pretty neat", Signal.PRAISE, Signal.QUESTION),
        # What they did and heard: a few words, or a word for it.
        ("Just did", Signal.DID_IT, Signal.ACKNOWLEDGES),
        ("Thanks; just sent it.", Signal.DID_IT | Signal.THANKS, Signal.MOVES_PRIVATE),
        ("I did cancel within a day, your site did not", Signal.NONE, Signal.DID_IT),
        ("I have sent you a DM with all of it", Signal.MOVES_PRIVATE, Signal.DID_IT),
        ("I DM'd you", Signal.MOVES_PRIVATE, Signal.QUESTION),
        ("I sent several messages and no one is answering", Signal.MOVES_PRIVATE | Signal.STILL_BROKEN, Signal.THANKS),
        ("can I DM you?", Signal.QUESTION, Signal.MOVES_PRIVATE),
        ("oh ok", Signal.ACKNOWLEDGES, Signal.DID_IT),
        ("will do, once I am home", Signal.ACKNOWLEDGES, Signal.QUESTION),
        ("ok so you took the fee and nothing came of it", Signal.NONE, Signal.ACKNOWLEDGES),
        ("ok that is pathetic", Signal.ANGRY, Signal.ACKNOWLEDGES),
    ],
)
def test_what_customers_say(text: str, said: Signal, not_said: Signal) -> None:
    signals = Signal(customer(text).signals)

    assert signals & said == said
    assert not signals & not_said


def test_a_message_without_a_word_says_so() -> None:
    assert "wordless" in customer("\U0001f602 !!").evidence
    assert "wordless" in customer("").evidence
    assert "wordless" not in customer("ok").evidence


@pytest.mark.parametrize(
    ("text", "said", "not_said"),
    [
        ("Could you please tell us your order number?", Signal.ASKS_DETAILS, Signal.CLOSING),
        ("Is that since you updated?", Signal.ASKS_DETAILS, Signal.CLOSING),
        ("Happy to help! Please send us a direct message", Signal.MOVES_PRIVATE, Signal.CLOSING),
        ("We are sorry for the trouble", Signal.APOLOGY, Signal.OFFERS_FIX),
        ("Please try to restart the app", Signal.OFFERS_FIX, Signal.APOLOGY),
        ("We've refunded the amount to your card", Signal.OFFERS_FIX, Signal.ASKS_DETAILS),
        ("You're welcome, have a great day!", Signal.CLOSING, Signal.ASKS_DETAILS),
        ("You are welcome! Anything else?", Signal.CLOSING, Signal.ASKS_DETAILS),
        ("Which branch is it?", Signal.ASKS_DETAILS, Signal.MOVES_PRIVATE),
        ("For more information see our pages", Signal.NONE, Signal.ASKS_DETAILS),
        ("We have forwarded your information to our team", Signal.OFFERS_FIX, Signal.ASKS_DETAILS),
        ("We've replied to your DM", Signal.OFFERS_FIX, Signal.MOVES_PRIVATE | Signal.ASKS_DETAILS),
        ("We have sent you a direct message with the steps", Signal.OFFERS_FIX, Signal.MOVES_PRIVATE),
        ("If it is still so, please DM us your postcode", Signal.MOVES_PRIVATE, Signal.CLOSING),
        ("Please contact us by phone or chat", Signal.OFFERS_FIX, Signal.MOVES_PRIVATE),
    ],
)
def test_what_we_say(text: str, said: Signal, not_said: Signal) -> None:
    signals = Signal(brand(text).signals)

    assert signals & said == said
    assert not signals & not_said


def test_phrases_prefer_the_longer_and_respect_sentences() -> None:
    phrases = lexicon.Phrases(
        {"none": ["not urgent"], "one": ["urgent", "{wait|hold on} * hours"], "two": ["urgent help"]}
    )

    def labels(text: str) -> list[tuple[str, str]]:
        return [(found.label, found.words) for found in phrases.find(split(text))]

    assert labels("not urgent, but urgent help") == [("none", "not urgent"), ("two", "urgent help")]
    assert labels("hold on for two hours") == [("one", "hold on for two hours")]
    assert labels("wait. hours pass") == []
    assert labels("wait one two three four hours") == []
    assert labels("hold") == labels("wait") == labels("urgently") == []


def test_words_keep_their_apostrophes() -> None:
    assert split("I dont know, it\u2019s DOWN!!") == ["i", "don't", "know", ",", "it's", "down", "!!"]
