"""Facts and a moment -> where the issue stands. Each line is what a support lead would say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harken.conversations.cases import Row
from harken.conversations.facts import facts_of_rows
from harken.conversations.status import DEFAULT_SILENCE, RULES, Silence, how_long, settled_by_silence, standing
from harken.domain.conversation import Facts, Standing, Status
from harken.domain.event import Signal as S

START = datetime(2024, 5, 6, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000
HOUR_US = 3_600_000_000
THEIRS, OURS = "message_received", "message_sent"


def facts(*turns: tuple[str, S], **reading: object) -> Facts:
    """One turn an hour."""
    return facts_of_rows(
        [
            Row(f"t:{n}", START_US + n * HOUR_US, kind, None, "x", "chat", signals=int(signals), **reading)  # type: ignore[arg-type]
            for n, (kind, signals) in enumerate(turns)
        ]
    )


def stands(found: Facts, after_h: float = 1, silence: Silence | None = None) -> Standing:
    now = datetime.fromtimestamp(found.last_at, UTC) + timedelta(hours=after_h)
    return standing(found, now, silence) if silence else standing(found, now)


CLOSE = ("issue_resolved", S.NONE)
ASK = (THEIRS, S.QUESTION)
ANSWER = (OURS, S.OFFERS_FIX)
QUESTION = (OURS, S.ASKS_DETAILS)
PRIVATE = (OURS, S.MOVES_PRIVATE | S.APOLOGY)
THANKS = (THEIRS, S.THANKS)
DONE = (THEIRS, S.DID_IT)
HEARD = (THEIRS, S.ACKNOWLEDGES)
BYE = (OURS, S.CLOSING | S.ASKS_DETAILS)
DAYS = 24


@pytest.mark.parametrize(
    ("turns", "after_h", "status", "rule"),
    [
        ([ASK], 1, Status.OPEN, "customer-spoke-last"),
        ([ASK], 89 * DAYS, Status.OPEN, "customer-spoke-last"),
        # To write now would come out of the blue; but nobody who asked for a person or spoke of a lawyer is forgotten.
        ([ASK], 90 * DAYS, Status.RESOLVED, "too-old-to-answer"),
        ([(THEIRS, S.REGULATORY), ASK], 400 * DAYS, Status.OPEN, "customer-spoke-last"),
        ([ASK, ANSWER], 1, Status.PENDING, "we-spoke-last"),
        ([ASK, ANSWER], 72, Status.RESOLVED, "silence-after-an-answer"),
        ([ASK, QUESTION], 80, Status.PENDING, "we-asked"),
        ([ASK, PRIVATE], 13 * DAYS, Status.PENDING, "we-asked"),
        ([ASK, PRIVATE], 14 * DAYS, Status.RESOLVED, "abandoned-after-a-question"),
        ([ASK, CLOSE], 1, Status.RESOLVED, "closed-by-a-person"),
        ([ASK, CLOSE, ASK], 1, Status.OPEN, "customer-spoke-last"),
        ([ASK, ANSWER, THANKS], 1, Status.RESOLVED, "customer-said-thanks"),
        ([ASK, ANSWER, THANKS, BYE], 1, Status.RESOLVED, "customer-said-thanks"),
        ([ASK, ANSWER, THANKS, PRIVATE], 1, Status.PENDING, "we-asked"),
        ([ASK, ANSWER, THANKS, ANSWER], 1, Status.PENDING, "we-spoke-last"),
        # Thanks, but still broken; thanks, and another question; thanks in advance.
        ([ASK, ANSWER, (THEIRS, S.THANKS | S.STILL_BROKEN)], 1, Status.OPEN, "customer-spoke-last"),
        ([ASK, ANSWER, (THEIRS, S.THANKS | S.QUESTION)], 1, Status.OPEN, "customer-spoke-last"),
        ([ASK, ANSWER, ASK, THANKS], 1, Status.OPEN, "customer-spoke-last"),
        ([THANKS], 1, Status.OPEN, "customer-spoke-last"),
        ([THANKS, ANSWER], 1, Status.PENDING, "we-spoke-last"),
        # "Thanks, will do" after "please send us the number".
        ([ASK, QUESTION, THANKS], 1, Status.PENDING, "thanks-after-our-question"),
        ([ASK, QUESTION, THANKS], 72, Status.RESOLVED, "customer-said-thanks"),
        ([(THEIRS, S.ANGRY), ANSWER, (THEIRS, S.CONFIRMS_FIX)], 1, Status.RESOLVED, "customer-confirmed-fix"),
        ([ASK, (THEIRS, S.CONFIRMS_FIX | S.THANKS)], 1, Status.RESOLVED, "customer-confirmed-fix"),
        ([ASK, QUESTION, (THEIRS, S.CONFIRMS_FIX), QUESTION], 1, Status.RESOLVED, "customer-confirmed-fix"),
        ([ASK, ANSWER, (THEIRS, S.CONFIRMS_FIX | S.STILL_BROKEN)], 1, Status.OPEN, "customer-spoke-last"),
        ([(THEIRS, S.REGULATORY), (THEIRS, S.CONFIRMS_FIX)], 1, Status.OPEN, "customer-spoke-last"),
        ([(THEIRS, S.PRAISE)], 1, Status.RESOLVED, "praise-needs-no-answer"),
        ([(THEIRS, S.PRAISE), (OURS, S.CLOSING)], 1, Status.RESOLVED, "praise-needs-no-answer"),
        # "DM sent", "just did": they wrote where we cannot see it.
        ([ASK, PRIVATE, DONE], 1, Status.OPEN, "wrote-in-private"),
        ([ASK, PRIVATE, (THEIRS, S.DID_IT | S.THANKS)], 1, Status.OPEN, "wrote-in-private"),
        ([ASK, PRIVATE, DONE], 72, Status.RESOLVED, "moved-to-private"),
        ([ASK, PRIVATE, (THEIRS, S.DID_IT | S.STILL_BROKEN)], 72, Status.OPEN, "wrote-in-private"),
        ([(THEIRS, S.MOVES_PRIVATE)], 1, Status.OPEN, "wrote-in-private"),
        ([ASK, QUESTION, DONE], 1, Status.OPEN, "customer-spoke-last"),
        # "Ok", "will do".
        ([ASK, ANSWER, HEARD], 1, Status.PENDING, "customer-acknowledged"),
        ([ASK, ANSWER, HEARD], 72, Status.RESOLVED, "acknowledged-and-silent"),
        ([ASK, QUESTION, HEARD], 72, Status.PENDING, "customer-acknowledged"),
        ([ASK, QUESTION, HEARD], 14 * DAYS, Status.RESOLVED, "acknowledged-and-silent"),
        ([ASK, ANSWER, (THEIRS, S.ACKNOWLEDGES | S.QUESTION)], 1, Status.OPEN, "customer-spoke-last"),
        ([HEARD], 1, Status.OPEN, "customer-spoke-last"),
        ([(THEIRS, S.PRAISE | S.QUESTION)], 1, Status.OPEN, "customer-spoke-last"),
        ([(THEIRS, S.ANGRY), (OURS, S.APOLOGY)], 80, Status.PENDING, "apology-without-an-answer"),
        ([(THEIRS, S.ANGRY), (OURS, S.APOLOGY)], 14 * DAYS, Status.RESOLVED, "silence-after-an-answer"),
        ([(THEIRS, S.ANGRY), (OURS, S.APOLOGY | S.OFFERS_FIX)], 80, Status.RESOLVED, "silence-after-an-answer"),
        ([(OURS, S.NONE)], 1, Status.PENDING, "we-spoke-last"),
    ],
)
def test_where_it_stands(turns: list[tuple[str, S]], after_h: float, status: Status, rule: str) -> None:
    found = stands(facts(*turns), after_h)

    assert (found.status, found.rule) == (status, rule)


@pytest.mark.parametrize(
    "reading", [{"sentiment": -200}, {"urgency": 1}, {"evidence": {"topic:delivery_and_orders": ("parcel",)}}]
)
def test_kind_words_that_may_hide_a_request_stay_open(reading: dict[str, object]) -> None:
    assert stands(facts((THEIRS, S.PRAISE), sentiment=500)).status is Status.RESOLVED
    assert stands(facts((THEIRS, S.PRAISE), **reading)).status is Status.OPEN


@pytest.mark.parametrize("reading", [{"sentiment": 0}, {"sentiment": 700}, {"evidence": {"wordless": ()}}])
def test_words_that_ask_nothing_and_name_no_problem_are_small_talk(reading: dict[str, object]) -> None:
    said = facts((THEIRS, S.NONE), **reading)

    assert stands(said, 1).rule == "small-talk"
    assert stands(said, 72).rule == "small-talk-has-passed"


@pytest.mark.parametrize(
    "reading",
    [
        {},
        {"sentiment": -300},
        {"sentiment": 0, "urgency": 1},
        {"sentiment": 0, "evidence": {"topic:refunds_and_cancellation": ("refund",)}},
    ],
)
def test_what_cannot_be_read_or_names_a_problem_is_no_small_talk(reading: dict[str, object]) -> None:
    assert stands(facts((THEIRS, S.NONE), **reading), 80).rule == "customer-spoke-last"


@pytest.mark.parametrize("turns", [[ASK, ANSWER, (THEIRS, S.NONE)], [(THEIRS, S.NONE), QUESTION, (THEIRS, S.NONE)]])
def test_after_a_problem_or_a_question_of_ours_nothing_is_small_talk(turns: list[tuple[str, S]]) -> None:
    assert stands(facts(*turns, sentiment=0), 80).rule == "customer-spoke-last"


def test_a_bystander_is_left_alone_from_when_we_spoke_with_others() -> None:
    said = replace(facts(ASK), bystander_since=facts(ASK).last_at + 3600)

    assert stands(said, 0.5).rule == "customer-spoke-last"
    assert stands(said, 1).rule == "spoke-to-somebody-else"


@pytest.mark.parametrize("said", [S.ANGRY, S.STILL_BROKEN, S.WANTS_PERSON, S.REGULATORY])
def test_an_upset_bystander_is_heard(said: S) -> None:
    assert stands(replace(facts((THEIRS, said)), bystander_since=0)).status is Status.OPEN
    assert stands(replace(facts(ASK, sentiment=-600), bystander_since=0)).status is Status.OPEN
    assert stands(replace(facts(ASK, urgency=1), bystander_since=0)).status is Status.OPEN


def test_thanks_in_a_first_message_are_manners_unless_they_are_all_joy() -> None:
    assert stands(facts(THANKS, sentiment=200)).status is Status.OPEN
    assert stands(facts(THANKS, sentiment=600)).rule == "praise-needs-no-answer"


def test_thanks_with_haste_are_not_the_end() -> None:
    assert stands(facts(ASK, ANSWER, (THEIRS, S.THANKS), urgency=2)).rule == "customer-spoke-last"


def test_the_evidence_is_the_customers_own_words() -> None:
    found = stands(facts(ASK, ANSWER, THANKS, evidence={"thanks": ("ta", "cheers"), "urgency": ("asap",)}))

    assert found.evidence == ("ta", "cheers")
    assert stands(facts(ASK, ANSWER)).evidence == ()


def test_the_reason_says_how_long_it_has_been_quiet() -> None:
    assert "5 hours ago" in stands(facts(ASK), 5).because


@pytest.mark.parametrize(
    ("turns", "after_h", "since_h"),
    [
        ([ASK, ASK], 1, 0),
        ([ASK, ANSWER], 1, 1),
        ([ASK, ANSWER], 100, 73),
        ([ASK, QUESTION], 400 * DAYS, 1 + 14 * DAYS),
        ([ASK, ANSWER, THANKS, BYE], 1, 2),
        ([ASK, ANSWER, CLOSE], 1, 2),
        ([ASK, QUESTION, THANKS], 1, 2),
    ],
)
def test_since_when(turns: list[tuple[str, S]], after_h: float, since_h: int) -> None:
    assert stands(facts(*turns), after_h).since == START + timedelta(hours=since_h)


def test_a_policy_may_set_its_own_silence() -> None:
    hasty = Silence(resolves_after_s=60, abandoned_after_s=120)

    assert stands(facts(ASK, ANSWER), 1, hasty).rule == "silence-after-an-answer"
    assert stands(facts(ASK, QUESTION), 1, hasty).rule == "abandoned-after-a-question"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds"), (1, "1 second"), (90, "1 minute"), (7200, "2 hours"), (200_000, "2 days"), (10**8, "3 years")],
)
def test_how_long(seconds: int, words: str) -> None:
    assert how_long(seconds) == words


turns_drawn = st.lists(
    st.tuples(st.sampled_from([THEIRS, OURS, CLOSE[0]]), st.integers(0, 32767).map(S)), min_size=1, max_size=6
)


@given(turns_drawn, st.integers(0, 10_000))
def test_some_rule_always_fits_and_time_never_reopens(turns: list[tuple[str, S]], hours: int) -> None:
    found = facts(*turns)
    now, later = stands(found, hours), stands(found, hours + 400 * DAYS)

    assert {now.rule, later.rule} <= {rule.name for rule in RULES}
    assert now.status is later.status or later.status is Status.RESOLVED
    assert later.status is not Status.OPEN or now.status is Status.OPEN


@given(turns_drawn, st.integers(0, 500))
def test_the_quick_answer_is_the_rules_answer(turns: list[tuple[str, S]], hours: int) -> None:
    found = facts(*turns)
    now_s = found.last_at + hours * 3600

    if settled_by_silence(found.customer_spoke_last, found.last_at, now_s, DEFAULT_SILENCE):
        assert stands(found, hours).status is Status.RESOLVED
