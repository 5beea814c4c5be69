"""What the offline writer says: right for the action and the mood, short, honest, the same every time."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from writer_cases import context, decision

from harken.adapters.writers.offline import MESSAGE_CHARACTERS, OfflineWriter, _phrases, handover_note, shortened
from harken.domain.decision import Action, OutChannel
from harken.domain.event import Signal
from harken.domain.passage import Passage
from harken.guard.courtesy import courtesy
from harken.intake.language import LANGUAGES

GUIDE = Passage(
    id="p",
    text="A transfer inside the country arrives the next working day. " * 6,
    source="Guide to transfers",
    score=0.9,
)
POOR = Passage(id="q", text="Opening hours.", source="Hours", score=0.1)
ACTIONS = st.sampled_from(list(Action))


def said(action: Action = Action.ANSWER, **where: object) -> str:
    return OfflineWriter().draft(decision(action), context(**where)).message  # type: ignore[arg-type]


async def test_a_draft_says_that_no_model_wrote_it() -> None:
    draft = await OfflineWriter().write(decision(), context())

    assert draft.mode == "offline"
    assert draft.reasoning == decision().because
    assert draft.usage == {}
    assert draft.notes == ()


async def test_waiting_has_no_words() -> None:
    draft = await OfflineWriter().write(decision(Action.WAIT), context())

    assert draft.message == ""
    assert draft.reasoning == decision().because


async def test_closing_without_a_word_has_no_words() -> None:
    draft = await OfflineWriter().write(decision(Action.PROPOSE_CLOSE, channel=OutChannel.NONE), context())

    assert draft.message == ""


@pytest.mark.parametrize(
    ("action", "signals", "phrase"),
    [
        (Action.ANSWER, Signal.PRAISE, "answer_happy"),
        (Action.ANSWER, Signal.THANKS | Signal.QUESTION, "answer_question"),
        (Action.ANSWER, Signal.STILL_BROKEN, "answer_broken"),
        (Action.ANSWER, Signal.ANGRY, "answer_sorry"),
        (Action.ANSWER, Signal.NONE, "answer"),
        (Action.ASK_DETAILS, Signal.NONE, "ask_details"),
        (Action.ASK_DETAILS, Signal.ANGRY, "ask_details_sorry"),
        (Action.CALL_BACK, Signal.ANGRY, "call_back_sorry"),
        (Action.CALL_BACK, Signal.STILL_BROKEN, "call_back_sorry"),
        (Action.FOLLOW_UP_EMAIL, Signal.ANGRY, "follow_up_email_again"),
        (Action.HAND_TO_PERSON, Signal.NONE, "hand_to_person"),
        (Action.HAND_TO_PERSON, Signal.REGULATORY, "hand_to_person_sorry"),
        (Action.HAND_TO_PERSON, Signal.DID_IT, "hand_to_person_private"),
        (Action.PROPOSE_CLOSE, Signal.THANKS, "propose_close_happy"),
        (Action.PROPOSE_CLOSE, Signal.NONE, "propose_close"),
    ],
)
@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "it", "pt", "nl"])
def test_the_phrase_fits_the_action_and_the_mood(action: Action, signals: Signal, phrase: str, language: str) -> None:
    message = said(action, unanswered_signals=int(signals), language=language, topic="general_inquiry")

    assert message in _phrases()[language][phrase][""]


def test_the_mood_is_that_of_the_last_words_where_none_wait() -> None:
    message = said(Action.PROPOSE_CLOSE, unanswered=0, unanswered_signals=0, last_customer_signals=int(Signal.THANKS))

    assert message in _phrases()["en"]["propose_close_happy"][""]


def test_bad_sentiment_without_a_signal_is_met_with_sorry() -> None:
    assert "sorry" in said(last_sentiment=-700)
    assert "sorry" not in said(last_sentiment=None)


def test_a_reminder_does_not_apologise_for_a_silence_of_the_customer() -> None:
    reminded = said(Action.FOLLOW_UP_EMAIL, unanswered=0, last_brand_signals=int(Signal.ASKS_DETAILS))

    assert "asked you for a few details" in reminded
    assert "sorry" not in reminded


def test_fraud_is_told_to_send_no_secrets() -> None:
    assert "do not send card numbers" in said(topic="fraud_and_security")


def test_the_topic_is_named_where_it_is_known() -> None:
    assert "about your payment" in said(topic="payments_and_transfers")
    assert "about your" not in said(topic="unheard_of", last_sentiment=0)


def test_an_unknown_language_is_english() -> None:
    assert said(language="hu") == said(language="en") == said(language="und")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("action", [action for action in Action if action is not Action.WAIT])
def test_every_language_that_is_told_apart_has_words_of_its_own(language: str, action: Action) -> None:
    assert language == "en" or said(action, language=language) != said(action, language="en")


@pytest.mark.parametrize(
    ("where", "phrase"),
    [
        ({"unanswered": 1, "brand_turns": 0}, "follow_up_email"),
        ({"unanswered": 1, "brand_turns": 2}, "follow_up_email_again"),
        ({"unanswered": 0, "unanswered_signals": 0}, "follow_up_email_check_in"),
        ({"unanswered": 0, "last_brand_signals": int(Signal.MOVES_PRIVATE)}, "follow_up_email_reminder"),
    ],
)
def test_a_follow_up_is_sorry_for_our_silence_only(where: dict[str, int], phrase: str) -> None:
    message = said(Action.FOLLOW_UP_EMAIL, topic="", **where)

    assert message in _phrases()["en"][phrase][""]
    assert ("sorry" in message) is (where["unanswered"] > 0)


def test_still_is_said_to_somebody_who_has_had_an_answer() -> None:
    broken = int(Signal.STILL_BROKEN)

    assert "still does not work" in said(unanswered_signals=broken, brand_turns=1)
    assert "still does not work" not in said(unanswered_signals=broken, brand_turns=0)


def test_who_gave_the_details_is_not_asked_for_them_again() -> None:
    asked = int(Signal.ASKS_DETAILS)

    assert "thank you for the details" in said(last_brand_signals=asked, unanswered_signals=0, last_sentiment=0)
    assert "question" in said(last_brand_signals=asked, unanswered_signals=int(Signal.QUESTION), last_sentiment=0)


def test_a_reminder_names_what_we_asked_for_and_asks_nothing_new() -> None:
    reminded = said(Action.ASK_DETAILS, last_brand_signals=int(Signal.ASKS_DETAILS))

    assert "we asked you for a few details" in reminded
    assert "?" not in reminded


def test_the_best_passage_is_quoted_with_its_source() -> None:
    message = said(passages=(POOR, GUIDE))

    assert "“A transfer inside the country arrives the next working day." in message
    assert message.endswith("(source: Guide to transfers)")
    assert len(message) <= MESSAGE_CHARACTERS
    assert "Opening hours" not in message


def test_a_passage_is_not_quoted_where_nothing_was_asked() -> None:
    assert "Guide" not in said(Action.CALL_BACK, passages=(GUIDE,))


def test_braces_and_line_breaks_in_a_passage_are_harmless() -> None:
    odd = Passage(id="o", text="Use {source}\n{about} {0}", source="A {quote}\nB", score=1.0)

    assert "“Use {source} {about} {0}” (source: A {quote} B)" in said(passages=(odd,))


def test_a_person_who_takes_over_gets_a_note_and_the_customer_does_not() -> None:
    where = context(unanswered=2, urgency=3)
    draft = OfflineWriter().draft(decision(Action.HAND_TO_PERSON), where)

    assert draft.reasoning.endswith(handover_note(where.conversation.facts))
    assert "topic payments and transfers, urgency 3 of 3, 3 messages (2 unanswered), language en" in draft.reasoning
    assert "urgency" not in draft.message
    assert "our turn was last" in handover_note(context(unanswered=0).conversation.facts)
    assert "1 message (" in handover_note(context(customer_turns=1, brand_turns=0).conversation.facts)


def test_variants_depend_on_the_conversation_and_nothing_else() -> None:
    writer, where = OfflineWriter(), context()
    messages = {n: writer.draft(decision(conversation=f"c{n}"), where).message for n in range(20)}

    assert len(set(messages.values())) == 2
    assert messages == {n: OfflineWriter().draft(decision(conversation=f"c{n}"), where).message for n in range(20)}


PHRASES = [
    (language, name, topic, variant)
    for language, names in _phrases().items()
    for name, topics in names.items()
    for topic, variants in topics.items()
    for variant in variants
]


def test_every_phrase_is_short_whole_and_promises_nothing() -> None:
    for language, name, topic, phrase in PHRASES:
        where = (language, name, topic, phrase)
        assert 10 < len(phrase) <= MESSAGE_CHARACTERS, where
        assert not re.search(r"\{(?!quote\}|source\})", phrase), where
        assert not re.search(r"\s\s|\s[,.]|\d{2,}|https?:|@", phrase), where
        assert len(re.findall(r"[.!?](?:\s|$)", phrase)) <= 3, where
        assert not re.search(r"(?i)\b(we will|we'll|guarantee|soon|shortly|today|tomorrow|frustrat\w*)\b", phrase), (
            where
        )


def test_every_language_has_every_phrase() -> None:
    names = set(_phrases()["en"])

    assert set(_phrases()) == set(LANGUAGES)
    for name in names:
        said_so = {_phrases()[language][name][""] for language in _phrases()}
        assert len(said_so) == len(LANGUAGES), f"{name} is not translated"


@settings(max_examples=100, deadline=None)
@given(ACTIONS, st.integers(0, 32767), st.text(max_size=1000), st.text(max_size=300), st.booleans())
def test_a_message_is_never_longer_than_a_tweet(
    action: Action, signals: int, text: str, source: str, quoted: bool
) -> None:
    passages = (Passage(id="p", text=text, source=source, score=1.0),) if quoted else ()
    message = said(action, unanswered_signals=signals, passages=passages)

    assert len(message) <= MESSAGE_CHARACTERS
    assert bool(message) is (action is not Action.WAIT)


def test_shortening_cuts_between_words() -> None:
    assert shortened("one two three", 20) == "one two three"
    assert shortened("one two, three", 10) == "one two…"
    assert shortened("one", 0) == "…"


def test_importing_the_writers_does_not_import_the_vendors() -> None:
    code = "import sys, json, harken.adapters.writers; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in json.loads(ran.stdout)}
    assert not loaded & {"pydantic_ai", "anthropic", "openai", "pydantic", "httpx2"}


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("channel", [OutChannel.CHAT, OutChannel.TWITTER_DM])
def test_who_is_unhappy_hears_that_we_are_sorry_beside_the_answer(language: str, channel: OutChannel) -> None:
    """The guard's own list says what regret sounds like in each language."""
    upset = {"language": language, "last_sentiment": -800, "passages": (GUIDE,)}
    message = OfflineWriter().draft(decision(channel=channel), context(**upset)).message  # type: ignore[arg-type]
    calm = said(language=language, passages=(GUIDE,))
    regret = courtesy().sorry[language]

    assert GUIDE.text[:40] in message
    assert regret.search(message)
    assert not regret.search(calm)
