"""The turns of a case -> Facts."""

from dataclasses import asdict
from random import Random

from examples import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from harken.conversations.cases import Row, cases_of, turn_of
from harken.conversations.facts import BRAND_TIMES_KEPT, conversation_of, facts_of, facts_of_rows
from harken.domain.conversation import Facts
from harken.domain.event import Channel, Signal
from harken.domain.ids import EventId, ThreadId

SECOND = 1_000_000


def row(at: int, kind: str = "message_received", signals: int = 0, **more: object) -> Row:
    return Row(f"t:{at:04}", at * SECOND, kind, "tw:ada", "ada", "twitter", signals=int(signals), **more)  # type: ignore[arg-type]


def ours(at: int, signals: int = 0) -> Row:
    return row(at, "message_sent", signals)


def close(at: int) -> Row:
    return row(at, "issue_resolved")


def facts(*rows: Row) -> Facts:
    return facts_of_rows(rows)


def test_an_unanswered_burst_is_counted_from_its_first_message() -> None:
    found = facts(
        row(0), ours(60), row(100, signals=Signal.QUESTION, urgency=1), row(130, signals=Signal.ANGRY, urgency=2)
    )

    assert (found.opened_at, found.last_at, found.last_customer_at, found.last_brand_at) == (0, 130, 130, 60)
    assert (found.customer_turns, found.brand_turns, found.unanswered, found.unanswered_since) == (3, 1, 2, 100)
    assert found.customer_spoke_last
    assert found.unanswered_signals == Signal.QUESTION | Signal.ANGRY
    assert (found.last_customer_signals, found.urgency) == (Signal.ANGRY, 2)


def test_every_wait_is_measured_from_the_first_unanswered_message() -> None:
    found = facts(ours(0), row(10), row(20), ours(40, Signal.OFFERS_FIX), ours(45), row(50), ours(57))

    assert (found.first_reply_s, found.reply_s, found.brand_at) == (30, (30, 7), (0, 40, 45, 57))
    assert (found.unanswered, found.unanswered_since, found.unanswered_signals, found.urgency) == (0, None, 0, 0)
    assert not found.customer_spoke_last


def test_our_words_alone_answer_nobody() -> None:
    found = facts(ours(5))

    assert (found.first_reply_s, found.reply_s, found.last_customer_at, found.evidence) == (None, (), None, {})


def test_only_the_newest_of_our_times_are_kept() -> None:
    found = facts(*(ours(at) for at in range(BRAND_TIMES_KEPT + 5)))

    assert (found.brand_turns, found.brand_at[0], len(found.brand_at)) == (55, 5, BRAND_TIMES_KEPT)


def test_coming_back_after_thanks_reopens_and_thanking_again_does_not() -> None:
    thanks = row(20, signals=Signal.THANKS)

    assert facts(row(0), ours(10), thanks).reopened == 0
    assert facts(row(0), ours(10), thanks, ours(25), row(30, signals=Signal.PRAISE)).reopened == 0
    assert facts(row(0), ours(10), thanks, row(30, signals=Signal.QUESTION)).reopened == 1
    assert facts(row(0), ours(10), thanks, row(30), row(40), row(50)).reopened == 1


def test_thanks_with_a_question_end_nothing() -> None:
    assert facts(row(0), ours(10), row(20, signals=Signal.THANKS | Signal.QUESTION), row(30)).reopened == 0


def test_a_close_stands_until_somebody_speaks() -> None:
    assert facts(row(0), close(10)).closed_at == 10
    assert facts(row(0), close(10)).unanswered == 0
    assert facts(row(0), close(10), ours(20)).closed_at is None
    again = facts(row(0), close(10), row(20))
    assert (again.closed_at, again.reopened, again.unanswered_since) == (None, 1, 20)


def test_mood_and_language_are_the_last_known_and_the_worst() -> None:
    found = facts(
        row(0, sentiment=-400, language="de"), row(1, sentiment=300), row(2, sentiment=None), row(3, sentiment=100)
    )

    assert (found.last_sentiment, found.worst_sentiment, found.language) == (100, -400, "de")


def test_topic_comes_from_all_and_evidence_from_the_last_of_the_customers_turns() -> None:
    found = facts(
        row(0, evidence={"topic:refunds_and_cancellation": ("refund",), "question": ("when",)}),
        row(1, evidence={"anger": ("awful",)}),
        row(2, "message_sent", evidence={"topic:booking_and_travel": ("flight", "seat")}),
    )

    assert (found.topic, found.topic_evidence) == ("refunds_and_cancellation", ("refund",))
    assert found.evidence == {"anger": ("awful",)}


rows_drawn = st.lists(
    st.builds(
        lambda kind, signals, sentiment: (kind, signals, sentiment),
        st.sampled_from(["message_received", "message_sent", "issue_resolved"]),
        st.integers(0, 4095),
        st.one_of(st.none(), st.integers(-1000, 1000)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=tries(100))
@given(rows_drawn, st.randoms(use_true_random=False))
def test_turns_in_any_order_give_the_facts_of_the_rows(
    drawn: list[tuple[str, int, int | None]], random: Random
) -> None:
    rows = [row(at, kind, signals, sentiment=mood) for at, (kind, signals, mood) in enumerate(drawn)]
    turns = [turn_of(one) for one in rows]
    random.shuffle(turns)

    found = facts_of(turns)

    assert asdict(found) == asdict(facts_of_rows(rows))
    assert found.customer_turns + found.brand_turns <= len(rows)
    assert all(wait >= 0 for wait in found.reply_s)


def test_a_case_becomes_a_conversation_with_its_texts() -> None:
    [case] = cases_of(ThreadId("t:0000"), [row(0), ours(5)])

    conversation = conversation_of(case, {EventId("t:0000"): "Where is it?"})

    assert (conversation.id, conversation.brand, conversation.channel) == (case.id, "ada", Channel.TWITTER)
    assert [turn.text for turn in conversation.turns] == ["Where is it?", ""]
    assert conversation.facts == facts_of(conversation.turns)
    assert conversation_of(case).turns[0].text == ""
