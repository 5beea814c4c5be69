"""Who waits for a live answer, and must get it from a person."""

from dataclasses import replace
from typing import Any

import pytest
from decide_cases import asked, context_of

from harken.decide.case import SMALL_TALK
from harken.decide.decide import decide
from harken.decide.policy import load
from harken.decide.rules_live import ESCALATIONS
from harken.domain.classification import Classification
from harken.domain.decision import Action, Context, Live

POLICY = load()
PLAIN = Classification(category="general_inquiry", probability=0.9, model="test")
CALM = Live(classification=PLAIN, turns=1, verified=True)


def waiting(live: Live | None, **said: Any) -> Context:
    return replace(context_of([asked(**said)]), live=live)


@pytest.mark.parametrize(
    ("rule", "live", "said"),
    [
        ("restricted-topic-goes-to-a-person", replace(CALM, restricted="sanctions"), {}),
        ("minor-goes-to-a-person", replace(CALM, minor=True), {}),
        ("vulnerable-goes-to-a-person", replace(CALM, vulnerable=True), {}),
        ("legal-matter-goes-to-a-person", replace(CALM, classification=replace(PLAIN, regulatory=0.7)), {}),
        ("wants-a-person", replace(CALM, classification=replace(PLAIN, wants_person=0.7)), {}),
        ("very-unhappy-goes-to-a-person", CALM, {"mood": -0.75}),
        ("long-ticket-goes-to-a-person", replace(CALM, turns=9), {}),
        ("unverified-goes-to-a-person", replace(CALM, verified=False, classification=replace(PLAIN, category="billing_inquiry")), {}),
        ("budget-spent-goes-to-a-person", replace(CALM, budget_left=False), {}),
        ("model-down-goes-to-a-person", replace(CALM, model_up=False), {}),
    ],
)  # fmt: skip
def test_each_reason_hands_over_under_its_own_name(rule: str, live: Live, said: dict[str, Any]) -> None:
    decision = decide(waiting(live, **said), POLICY)
    assert (decision.action, decision.rule) == (Action.HAND_TO_PERSON, rule)
    assert decide(waiting(None, **said), POLICY).rule != rule, "a batch asks for none of it"


def test_every_escalation_was_tried() -> None:
    tried = next(
        mark for mark in test_each_reason_hands_over_under_its_own_name.pytestmark if mark.name == "parametrize"
    )  # type: ignore[attr-defined]
    assert {case[0] for case in tried.args[1]} == {rule.name for rule in ESCALATIONS}


@pytest.mark.parametrize(
    "live",
    [
        CALM,
        replace(CALM, turns=8),
        replace(CALM, verified=False),
        replace(CALM, classification=replace(PLAIN, regulatory=0.69, wants_person=0.69)),
    ],
)
def test_just_below_each_limit_the_customer_is_answered(live: Live) -> None:
    assert decide(waiting(live, mood=-0.3), POLICY).action is Action.ANSWER


def test_where_small_talk_is_read_as_well_the_reason_of_the_hand_over_stands() -> None:
    """One rule wants nothing but a person, the other nothing but silence."""
    live = replace(CALM, verified=False, classification=replace(PLAIN, category="billing_inquiry"))
    context = waiting(live)
    kind = replace(context, standing=replace(context.standing, rule=SMALL_TALK))
    decision = decide(kind, POLICY)
    assert (decision.action, decision.rule) == (Action.HAND_TO_PERSON, "unverified-goes-to-a-person")
    assert "nobody has proved whose it is" in decision.because
    assert decide(replace(kind, live=CALM), POLICY).action is Action.WAIT


def test_thanks_after_a_long_ticket_hand_nothing_over() -> None:
    context = context_of(
        [asked(3), {"from": "brand", "hours_ago": 2}, {"from": "customer", "hours_ago": 1, "says": ["thanks"]}]
    )
    assert decide(replace(context, live=replace(CALM, turns=12)), POLICY).action is not Action.HAND_TO_PERSON
