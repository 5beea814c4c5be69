"""What the stages call by name must exist where it is declared: a policy, a topic, a rule of the status."""

import tomllib
from importlib import resources

import pytest

from harken.conversations import status, topics, view
from harken.decide import case, policy, rules
from harken.decide.policy_file import Limits
from harken.domain.decision import Action, Stage

DEFAULT = tomllib.loads(resources.files("harken.decide").joinpath("policy_default.toml").read_text("utf-8"))
LIMITS = policy.load().limits


@pytest.mark.parametrize("table", ["private_topics", "fraud_topics"])
def test_a_policy_names_topics_that_exist(table: str) -> None:
    assert set(DEFAULT["limits"][table]) <= set(topics.TOPICS)


def test_topics_that_name_no_issue_are_the_same_for_both_stages() -> None:
    assert case.NO_TOPICS == view.QUIET_TOPICS


def test_rules_of_the_status_that_a_decision_looks_at_exist() -> None:
    names = {rule.name for rule in status.RULES}

    assert {case.WROTE_IN_PRIVATE, case.ACKNOWLEDGED, case.SMALL_TALK} <= names


def test_every_rule_has_a_name_of_its_own() -> None:
    decisions = [rule.name for rule in rules.RULES]
    standings = [rule.name for rule in status.RULES]

    assert len(set(decisions)) == len(decisions)
    assert len(set(standings)) == len(standings)


def test_weights_are_given_to_rules_that_speak_for_an_action() -> None:
    speakers = {rule.name for rule in rules.RULES if rule.prefers}

    assert set(DEFAULT["scores"]["weight"]) == speakers - {"daily-contact-cap", "weekly-contact-cap"}


def test_the_policy_and_the_status_agree_on_silence() -> None:
    assert LIMITS.silence_resolves_after_h * 3600 == view.SILENCE_RESOLVES_AFTER_S
    assert LIMITS.abandoned_after_h * 3600 == view.ABANDONED_AFTER_S
    assert LIMITS.lapsed_after_h * 3600 == view.LAPSED_AFTER_S


def test_each_step_falls_due_before_the_next_makes_it_idle() -> None:
    assert LIMITS.cool_down_h < LIMITS.remind_after_h < LIMITS.close_after_h < LIMITS.silence_resolves_after_h
    assert 2 * LIMITS.remind_after_h < LIMITS.abandoned_after_h < LIMITS.lapsed_after_h
    assert LIMITS.answer_within_h < LIMITS.dormant_after_h < LIMITS.call_within_h < LIMITS.lapsed_after_h


def test_every_limit_is_written_down() -> None:
    assert set(DEFAULT["limits"]) == set(Limits.model_fields)


def test_whatever_a_rule_drops_or_prefers_leaves_something_to_do() -> None:
    for rule in rules.RULES:
        assert rule.prefers not in rule.drops, rule.name
        assert rule.drops != frozenset(Action), rule.name
        assert rule.drops or rule.prefers, rule.name
        assert rule.stage in Stage, rule.name
