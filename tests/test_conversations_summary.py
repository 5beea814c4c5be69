"""A conversation -> two or three sentences for the one who takes over."""

from datetime import UTC, datetime, timedelta

from harken.conversations.cases import Row, cases_of
from harken.conversations.facts import conversation_of
from harken.conversations.status import standing
from harken.conversations.summary import QUOTE_LENGTH, summarise
from harken.domain.event import Signal
from harken.domain.ids import EventId, ThreadId

START = datetime(2024, 5, 6, 9, 30, tzinfo=UTC)


def told(*turns: tuple[str, str], after_h: int = 3, **reading: object) -> str:
    """(kind, text), one every ten minutes; summarised some hours after the last."""
    rows, texts = [], {}
    for number, (kind, text) in enumerate(turns):
        at = int((START + timedelta(minutes=10 * number)).timestamp()) * 1_000_000
        author = "Acme" if kind == "message_sent" else "ada"
        rows.append(Row(f"t:{number}", at, kind, "chat:ada", author, "chat", **reading))  # type: ignore[arg-type]
        texts[EventId(f"t:{number}")] = text
    [case] = cases_of(ThreadId("t:0"), rows)
    conversation = conversation_of(case, texts)
    now = conversation.turns[-1].at + timedelta(hours=after_h)
    return summarise(conversation, standing(conversation.facts, now), now)


THEIRS, OURS = "message_received", "message_sent"


def test_an_unanswered_message() -> None:
    assert told((THEIRS, "My parcel is lost"), evidence={"topic:delivery_and_orders": ("parcel",)}) == (
        "On 6 May 2024 at 09:30 UTC the customer wrote about a delivery or an order: “My parcel is lost”. "
        "Nobody has answered. Open: The customer spoke last, 3 hours ago, and has no answer."
    )


def test_who_has_waited_how_long() -> None:
    assert told((THEIRS, "Hello"), (OURS, "Hi!"), (THEIRS, "Well?"), (THEIRS, "Anyone?")) == (
        "On 6 May 2024 at 09:30 UTC the customer wrote to Acme (one of 3 messages): “Hello”. "
        "We answered after 10 minutes: “Hi!” "
        "Open: The customer spoke last, 3 hours ago, and has no answer. 2 of their messages wait, the first for 3 hours."
    )


def test_many_answers_and_a_quote_of_the_last() -> None:
    text = told((THEIRS, "Hello"), (OURS, "One moment"), (OURS, "Here is how."), after_h=100)

    assert "We answered 2 times, first after 10 minutes, last with: “Here is how.” Resolved: We answered 4 days" in text


def test_our_own_first_word() -> None:
    assert told((OURS, "Please update your address")) == (
        "We wrote first, on 6 May 2024 at 09:30 UTC. We wrote: “Please update your address”. "
        "Pending: We spoke last, 3 hours ago; the customer may still come back."
    )


def test_a_close_needs_no_answer() -> None:
    assert told((THEIRS, ""), ("issue_resolved", "")) == (
        "On 6 May 2024 at 09:30 UTC the customer wrote. Resolved: Somebody closed it, and nothing has been said since."
    )


def test_the_first_question_tells_more_than_the_first_word() -> None:
    rows = [Row("t:0", 0, THEIRS, "chat:ada", "ada", "chat"), Row("t:1", 60_000_000, THEIRS, "chat:ada", "ada", "chat")]
    rows[1] = rows[1]._replace(signals=int(Signal.QUESTION))
    [case] = cases_of(ThreadId("t:0"), rows)
    conversation = conversation_of(case, {EventId("t:0"): "Hi", EventId("t:1"): "How do I pay?"})

    now = START
    assert "“How do I pay?”" in summarise(conversation, standing(conversation.facts, now), now)


def test_a_quote_is_one_clipped_line_that_cannot_end_itself() -> None:
    text = told((THEIRS, "He said “stop”\n" + "very " * 100))

    quote = text[text.index("“") + 1 : text.index("”")]
    assert quote.startswith('He said "stop" very')
    assert quote.endswith("very…")
    assert len(quote) <= QUOTE_LENGTH
    assert "\n" not in text
