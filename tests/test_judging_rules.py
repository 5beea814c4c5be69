"""The rules of the last look: own ones are laid over ours, and a file that cannot be used says so in one line."""

import tomllib
from pathlib import Path

import pytest
from guard_cases import RULES, judged

from harken.domain.verdict import Outcome
from harken.guard import rules_file
from harken.guard.reasons import NEVER_SENT, Reason
from harken.guard.rules_file import GuardRulesError


def test_own_rules_are_laid_over_ours(tmp_path: Path) -> None:
    own = tmp_path / "guard.toml"
    own.write_text(
        'canaries = ["blue-heron-17"]\noff = ["no-admission-of-liability"]\n[confidence]\nleast = 0.8\n'
        '[[forbid_also]]\nname = "no-prices"\nreason = "policy_promise"\nbecause = "Prices are quoted by people."\n'
        "[forbid_also.patterns]\nen = ['2\\.50']\n"
    )
    rules = rules_file.load(own)

    assert rules.version != RULES.version
    assert rules_file.from_text(rules.text) == rules
    assert rules.content.forbid[:-1] == RULES.content.forbid
    found = judged("A transfer to another country costs 2.50 EUR.", rules=rules)
    assert (found.outcome, found.reasons, found.findings[0].rule) == (Outcome.HOLD, ("policy_promise",), "no-prices")
    assert judged("Blue heron 17!", rules=rules).outcome is Outcome.BLOCK
    assert found.rules == rules.version


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("lest = 1", "lest: there is no such key"),
        ("[confidence]\nleast = 2", "confidence.least: Input should be less than or equal to 1"),
        ("[outcomes]\ncanary = 'send'", "outcomes.canary: at the least `hold`"),
        ("off = ['no-such-rule']", "off: there is no rule 'no-such-rule'"),
        ("[tone.impolite]\nen = ['(a']", "not an expression"),
        ("[before.words.weather]\nen = ['rain']", "only fraud, minor and restricted have words"),
        ("least =", "not TOML"),
    ],
)  # fmt: skip
def test_a_rules_file_that_cannot_be_used_says_so_in_one_line(text: str, complaint: str, tmp_path: Path) -> None:
    own = tmp_path / "guard.toml"
    own.write_text(text)

    with pytest.raises(GuardRulesError) as raised:
        rules_file.load(own)

    assert complaint in str(raised.value)
    assert str(raised.value).startswith(str(own))
    assert "\n" not in str(raised.value)


def test_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(GuardRulesError, match="No such file"):
        rules_file.load(tmp_path / "none.toml")


@pytest.mark.parametrize("reason", sorted(NEVER_SENT))
def test_what_harms_is_blocked_by_default(reason: Reason) -> None:
    assert RULES.content.outcomes[reason] is Outcome.BLOCK


def test_every_pattern_is_in_seven_languages() -> None:
    for rule in RULES.content.forbid:
        assert len(rule.patterns) >= 7, rule.name


def test_the_words_that_claim_nothing_are_no_facts() -> None:
    text = tomllib.loads((Path(rules_file.__file__).parent / "courtesy.toml").read_text("utf-8"))

    assert not {"free", "costs", "closed", "approved", "refunded"} & set(text["words"]["en"].split())
