"""Policy files: what is laid over what, and how a mistake is told to the person who made it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from decide_cases import NOON_IN_NEW_YORK, asked, context_of, replied

from harken.decide.decide import decide
from harken.decide.errors import PolicyError
from harken.decide.policy import Policy, load
from harken.decide.rules import RULES
from harken.domain.decision import Action
from harken.errors import UnsuitableError

RULE = """
[[rule]]
name = "{name}"
stage = "suitability"
{effect}
because = "So we agreed."
when = [{when}]
"""


def own(folder: Path, text: str, features: tuple[str, ...] = ()) -> Policy:
    path = folder / "policy.toml"
    path.write_text(text, "utf-8")
    return load(path, features=features)


def rule(when: str = '{field = "waiting", is = "=", value = true}', name: str = "ours", effect: str = "") -> str:
    return RULE.format(name=name, when=when, effect=effect or 'drops = ["wait"]')


def test_the_default_policy_loads_and_names_every_rule_once() -> None:
    policy = load()
    names = [one.name for one in policy.rules]
    assert len(names) == len(set(names)) == len(RULES)
    assert len(policy.version) == 12
    assert load() == policy


def test_every_rule_reads_like_a_sentence() -> None:
    for one in RULES:
        assert one.because.endswith(".")
        assert one.drops or one.prefers


def test_what_differs_is_laid_over_the_default(tmp_path: Path) -> None:
    policy = own(tmp_path, "[limits]\ndormant_after_h = 72\n")
    assert policy.limits.dormant_after_h == 72
    assert policy.limits.long_conversation_turns == load().limits.long_conversation_turns


def test_the_version_follows_the_content_not_the_file(tmp_path: Path) -> None:
    default = load().version
    assert own(tmp_path, "# nothing\n").version == default
    assert own(tmp_path, "[limits]\ndormant_after_h = 24\n").version == default
    assert own(tmp_path, "[limits]\ndormant_after_h = 25\n").version != default
    assert own(tmp_path, 'off = ["cool-down"]').version != default
    assert own(tmp_path, 'off = ["cool-down", "remind-once"]') == own(tmp_path, 'off = ["remind-once", "cool-down"]')


def test_a_rule_switched_off_says_nothing(tmp_path: Path) -> None:
    context = context_of([asked(topic="billing_and_charges")])
    assert decide(context, load()).rule == "private-details-in-private"
    assert decide(context, own(tmp_path, 'off = ["private-details-in-private"]')).action is Action.ANSWER


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ('{field = "turns", is = ">=", value = 1}', True),
        ('{field = "turns", is = ">", value = 1}', False),
        ('{field = "turns", is = "<", value = 2.5}', True),
        ('{field = "waited_h", is = "<=", value = 2}', True),
        ('{field = "brand", is = "contains", value = "ACM"}', True),
        ('{field = "channel", is = "!=", value = "email"}', True),
        ('{field = "status", is = "in", value = ["open", "pending"]}', True),
        ('{field = "situation", is = "not in", value = ["waiting"]}', False),
        ('{field = "phone_consent", is = "!=", value = true}', False),
        ('{field = "feature.payments_30d", is = ">", value = 3}', True),
        ('{field = "feature.last_channel", is = ">", value = 3}', False),
        ('{field = "feature.payments_30d", is = "contains", value = "4"}', False),
        ('{field = "feature.unheard_of", is = "=", value = 3}', False),
        ('{field = "turns", is = "=", value = 1}, {field = "angry", is = "=", value = true}', False),
    ],
)
def test_conditions(tmp_path: Path, when: str, fits: bool) -> None:
    context = context_of([asked()], features={"payments_30d": 4, "last_channel": "twitter"})
    policy = own(tmp_path, rule(when, effect='drops = ["answer"]'))
    dropped = {c.action: c.rule for c in decide(context, policy).candidates if not c.kept}
    assert (dropped.get(Action.ANSWER) == "ours") is fits


@pytest.mark.parametrize("turns", [[asked(), replied()], [asked()]])
def test_when_every_action_is_dropped_a_person_decides(tmp_path: Path, turns: list[dict[str, object]]) -> None:
    everything = ", ".join(f'"{action}"' for action in Action)
    policy = own(tmp_path, rule('{field = "turns", is = ">", value = 0}', effect=f"drops = [{everything}]"))
    decision = decide(context_of(turns), policy)
    assert (decision.action, decision.rule, decision.probability) == (Action.HAND_TO_PERSON, "nothing-left", 1.0)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("limits = 3", "limits"),
        (
            "[limits]\n\ndormant_after = 3",
            r"line 3: limits\.dormant_after: there is no such key; did you mean 'dormant_af",
        ),
        ("[limits]\ndormant_after_h = 'long'", r"line 2: limits\.dormant_after_h: input should be a valid number"),
        ("exploration = 1.5", r"line 1: exploration: .*less than or equal to 1"),
        ("exploration = '0.1'", r"line 1: exploration: "),
        ("[[[", "not TOML: .*line 1"),
        ("since = 2020-01-01", "since: there is no such key"),
        ("off = ['remind-onc']", "line 1: off: there is no rule 'remind-onc'; did you mean 'remind-once'"),
        ("[scores.weight]\nnobody = 3", "scores.weight: there is no rule 'nobody'"),
        ("[scores.cost]\nanswr = 3", "'answr' is not known; did you mean 'answer'"),
        ("[scores.propensity.waiting]\nanswer = 3", "answer: input should be less"),
        (
            "[business]\nzone = 'Europe/Londn'",
            "line 2: business.zone: there is no time zone 'Europe/Londn'; did you mean 'E",
        ),
        ("[business]\nzone = '../etc'", "there is no time zone"),
        ("[quiet]\nmarket_zones = ['Mars/Olympus']", "quiet.market_zones: there is no time zone"),
        ("[business]\nopens = '9'", "business.opens"),
        ("[business]\ndays = ['sunday']", "did you mean 'sun'"),
        ("[business]\nopens = '18:00'\ncloses = '09:00'", "no hour in which anybody works"),
        (
            "[quiet]\nmarket_zones = ['America/New_York', 'Asia/Tokyo', 'Europe/London', 'Asia/Kolkata']",
            "no hour of the day is permitted",
        ),
        (rule(name="cool-down"), "rule cool-down: a built-in rule has this name"),
        (rule() + rule(), "rule ours: the name is used twice"),
        (rule(effect="weight = 3"), "neither drops nor prefers"),
        (rule(when=""), "it says not `when`"),
        (rule(effect="drops = ['cal_back']"), "'cal_back' is not known; did you mean 'call_back'"),
        (rule(effect="prefer = 'answer'"), "rule.1.prefer: there is no such key; did you mean 'prefers'"),
        (rule('{field = "waitng", is = "=", value = true}'), "there is no field 'waitng'; did you mean 'waiting'"),
        (rule('{field = "turns", is = "~", value = 1}'), "'~' is not known"),
        (rule('{field = "turns", is = "=", value = "many"}'), "it is a number"),
        (rule('{field = "turns", is = ">", value = "many"}'), "it needs a number"),
        (rule('{field = "turns", is = ">", value = true}'), "it needs a number"),
        (rule('{field = "turns", is = "in", value = 3}'), "it needs a list"),
        (rule('{field = "turns", is = "=", value = [3]}'), "not a list"),
        (rule('{field = "angry", is = "=", value = 1}'), "it is true or false"),
        (rule('{field = "angry", is = ">", value = 1}'), "it is true or false"),
        (rule('{field = "brand", is = "contains", value = 1}'), "it needs a text"),
        (rule('{field = "channel", is = "=", value = "fax"}'), "it is one of twitter, email"),
        (
            rule('{field = "feature.mesages", is = "=", value = 1}'),
            "no field 'feature.mesages'; did you mean 'feature.m",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place_and_the_nearest_right_name(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(PolicyError, match=complaint) as caught:
        own(tmp_path, text, features=("messages_7d",))
    assert "policy.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "large.toml").write_bytes(b"#" * 1_000_001)
    for name in ("missing.toml", "binary.toml", "large.toml", "."):
        with pytest.raises(UnsuitableError):
            load(tmp_path / name)


def test_own_rules_come_first_in_their_stage_and_explain_themselves(tmp_path: Path) -> None:
    text = rule('{field = "feature.tier", is = "=", value = "gold"}', effect="prefers = 'hand_to_person'\nweight = 300")
    decision = decide(context_of([asked()], features={"tier": "gold"}), own(tmp_path, text))
    assert decision.rule == "ours"
    assert decision.because == "So we agreed (ours); tier gold."
    assert decision.cited == {"feature.tier": "gold"}
    assert decision.as_of == NOON_IN_NEW_YORK


def test_a_policy_has_one_version_in_every_process() -> None:
    code = "from harken.decide import policy; print(policy.load().version)"
    versions = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "3", "4", "7")
    }
    assert versions == {f"{load().version}\n"}
