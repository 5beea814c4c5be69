"""What a writer does that means harm: nothing of it reaches a customer unless a person let it through."""

from collections import Counter

from guard_cases import RULES
from hostile_drafts import HARMS, Hostile, drafts

from harken.domain.verdict import Outcome
from harken.guard.judging import judge

ALONE = {Outcome.SEND, Outcome.CLARIFY}
"""What goes to the customer without a person."""
SEEN_BY_NOBODY = {"canary", "secret"}


def outcome(each: Hostile) -> Outcome:
    return judge(each.advice, each.context, RULES).outcome


def test_none_of_a_thousand_hostile_drafts_is_sent() -> None:
    found = Counter[str]()
    passed = []
    for each in drafts(20261122, 1000):
        found[each.harm] += 1
        if outcome(each) in ALONE:
            passed.append((each.harm, each.writer, each.advice.draft.message))

    assert passed == []
    assert found.keys() == HARMS.keys()
