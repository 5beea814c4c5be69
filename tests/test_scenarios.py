"""Each file in scenarios/ is a conversation and what a support lead expects of it. A wrong decision is reported by adding one."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from decide_cases import NOON_IN_NEW_YORK, context_of

from harken.decide.decide import decide
from harken.decide.policy import Policy, load
from harken.domain.decision import Context, Decision

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.toml"))
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def context_in(scenario: Mapping[str, Any]) -> Context:
    return context_of(scenario["turn"], scenario.get("as_of", NOON_IN_NEW_YORK), **scenario.get("profile", {}))


def policy_in(scenario: Mapping[str, Any], folder: Path) -> Policy:
    if "policy" not in scenario:
        return load()
    own = folder / "policy.toml"
    own.write_text(scenario["policy"], "utf-8")
    return load(own)


def expect_choice(decision: Decision, expected: Mapping[str, Any]) -> None:
    for key, found in (
        ("action", decision.action),
        ("rule", decision.rule),
        ("channel", decision.channel),
        ("status", decision.issue_status),
    ):
        assert expected.get(key, found) == found, key
    for words in expected.get("says", ()):
        assert words in decision.because


def expect_moment(decision: Decision, expected: Mapping[str, Any]) -> None:
    if expected.get("send_at") == "now":
        assert decision.send_at == decision.as_of
    if "look_again_in_h" in expected:
        assert (decision.send_at - decision.as_of).total_seconds() / 3600 == expected["look_again_in_h"]
    if window := expected.get("send_hour"):
        local = decision.send_at.astimezone(ZoneInfo(window["zone"]))
        assert DAYS[local.weekday()] in window["days"]
        assert window["from"] <= local.hour < window["before"]


def expect_candidates(decision: Decision, expected: Mapping[str, Any]) -> None:
    rules = {candidate.action.value: candidate.rule for candidate in decision.candidates if not candidate.kept}
    for action, rule in expected.get("dropped", {}).items():
        assert rules.get(action) == rule, action
    kept = sorted(candidate.action.value for candidate in decision.candidates if candidate.kept)
    assert expected.get("kept", kept) == kept
    assert decision.probability in [pytest.approx(share) for share in expected.get("probability_in", [1.0])]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, tmp_path: Path) -> None:
    scenario = tomllib.loads(path.read_text("utf-8"))
    context, policy, expected = context_in(scenario), policy_in(scenario, tmp_path), scenario["expect"]

    decision = decide(context, policy)

    assert expected.get("standing", context.standing.rule) == context.standing.rule
    expect_choice(decision, expected)
    expect_moment(decision, expected)
    expect_candidates(decision, expected)
    assert decision.send_at >= context.now
    assert "67,000" not in decision.because
    assert decide(context, policy) == decision, "the same again"
