"""What becomes of a ticket, for every action and every verdict."""

from dataclasses import replace
from itertools import product

import pytest
from decide_cases import asked, context_of

from harken.decide.decide import decide
from harken.decide.policy import load
from harken.domain.decision import Action, Advice, Draft, OutChannel
from harken.domain.verdict import Outcome, Verdict
from harken.flow.concluding import PERSON_FIRST, Ending, Words, conclude

DECISION = decide(context_of([asked()]), load())
DRAFT = Draft(message="Hello.", reasoning="It is so.", mode="offline", citations=(0,))


def advice(action: Action, channel: OutChannel = OutChannel.CHAT) -> Advice:
    return Advice(decision=replace(DECISION, action=action, channel=channel), draft=DRAFT)


def verdict(outcome: Outcome, *reasons: str) -> Verdict:
    return Verdict(outcome=outcome, reasons=reasons)


@pytest.mark.parametrize(("action", "outcome"), list(product(Action, Outcome)))
def test_no_draft_reaches_a_customer_that_was_not_to_be_sent(action: Action, outcome: Outcome) -> None:
    for waits in (False, True):
        ended = conclude(advice(action), verdict(outcome), waits_for_approval=waits)
        assert ended.words is not Words.DRAFT or outcome is Outcome.SEND
        assert ended.to_person is (ended.ending in PERSON_FIRST)
        assert ended.ending is not Ending.BLOCKED or not ended.suggests


@pytest.mark.parametrize(
    ("outcome", "ending", "words"),
    [
        (Outcome.SEND, Ending.SENT, Words.DRAFT),
        (Outcome.CLARIFY, Ending.CLARIFIED, Words.ASK),
        (Outcome.SUGGEST, Ending.SUGGESTED, Words.HAND_OVER),
        (Outcome.HOLD, Ending.HELD, Words.HAND_OVER),
        (Outcome.HAND_OVER, Ending.HANDED_OVER, Words.HAND_OVER),
        (Outcome.BLOCK, Ending.BLOCKED, Words.HAND_OVER),
    ],
)
def test_each_verdict_on_an_answer(outcome: Outcome, ending: Ending, words: Words) -> None:
    ended = conclude(advice(Action.ANSWER), verdict(outcome, "tone"))
    assert (ended.ending, ended.words) == (ending, words)
    assert ended.reason == (DECISION.rule if outcome is Outcome.SEND else "tone")


def test_what_waits_for_approval_is_held_and_a_good_answer_goes_out_beside_it() -> None:
    good = conclude(advice(Action.ANSWER), verdict(Outcome.SEND), waits_for_approval=True)
    doubtful = conclude(advice(Action.ANSWER), verdict(Outcome.SUGGEST, "ungrounded"), waits_for_approval=True)

    assert (good.ending, good.words) == (Ending.HELD, Words.DRAFT)
    assert (doubtful.ending, doubtful.words, doubtful.suggests) == (Ending.HELD, Words.HAND_OVER, True)


def test_a_hand_over_whose_words_do_not_pass_is_said_in_the_set_phrase() -> None:
    assert conclude(advice(Action.HAND_TO_PERSON), verdict(Outcome.SEND)).words is Words.DRAFT
    assert conclude(advice(Action.HAND_TO_PERSON), verdict(Outcome.BLOCK)).words is Words.HAND_OVER
    assert conclude(advice(Action.HAND_TO_PERSON), verdict(Outcome.BLOCK)).reason == DECISION.rule


def test_after_thanks_it_closes_without_a_word() -> None:
    assert conclude(advice(Action.PROPOSE_CLOSE, OutChannel.NONE), verdict(Outcome.SEND)).words is Words.NONE
    assert conclude(advice(Action.WAIT), verdict(Outcome.SEND)).ending is Ending.WAITED
    assert conclude(advice(Action.WAIT), verdict(Outcome.SEND), settled=True).ending is Ending.CLOSED


def test_what_rests_on_nothing_asks_and_asks_once() -> None:
    bare = replace(advice(Action.ANSWER), draft=replace(DRAFT, citations=()))
    first = conclude(bare, verdict(Outcome.SEND))
    again = conclude(bare, verdict(Outcome.SEND), asked_before=True)

    assert (first.ending, first.words) == (Ending.CLARIFIED, Words.DRAFT)
    assert (again.ending, again.words, again.reason) == (Ending.HANDED_OVER, Words.HAND_OVER, "still_unclear")
    assert conclude(advice(Action.ANSWER), verdict(Outcome.SEND), asked_before=True).ending is Ending.SENT
