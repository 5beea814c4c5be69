"""A rule approves what fits it and says why not the rest; one that cannot be followed is refused; the commands do the same."""

from datetime import timedelta
from pathlib import Path

import pytest
from journey import ADA, NOW, Steady, harken, rows_of, take_in
from learning_cases import MARIA, desk_that_learned, documents, id_of, school_that_learned, shelf_on, url_that_learned  # noqa: F401  fixtures among them

from harken.errors import UnsuitableError
from harken.flow import approving, learning
from harken.flow.desk import Desk
from harken.flow.library_desk import LibraryDesk
from harken.knowledge.approvals import rule as rules

RULE = """
name = "harmless"
owner = "lena@kestrel.example"
[when]
collections = ["log"]
without_personal_data = true
"""


def rule_of(text: str, folder: Path) -> rules.Rule:
    path = folder / "rule.toml"
    path.write_text(text)
    return rules.load(path)


def test_a_rule_approves_what_fits_and_says_why_not_the_rest(
    learned_url: str, learned: tuple[Desk, LibraryDesk], tmp_path: Path
) -> None:
    _, shelf = learned
    before, rule = documents(learned_url), rule_of(RULE, tmp_path)

    dry = approving.approve_by(rule, shelf, Steady(), dry_run=True)
    unchanged = documents(learned_url)
    done = approving.approve_by(rule, shelf, Steady())
    again = approving.approve_by(rule, shelf, Steady())

    assert unchanged == before
    assert (dry.documents, dry.others) == (done.documents, done.others) == (1, {"it had personal data in it": 1})
    assert (again.documents, again.others) == (0, {"it is public already": 1, "it had personal data in it": 1})
    assert rows_of(learned_url, "SELECT rule FROM knowledge_approval") == [{"rule": "harmless (lena@kestrel.example)"}]


@pytest.mark.parametrize(
    ("condition", "fit", "reason"),
    [
        ('topics = ["card*", "payment*"]', 2, ""),
        ('topics = ["fraud"]', 0, "another topic"),
        ('languages = ["de"]', 0, "another language"),
        ('sources = ["tickets/*"]', 0, "another source"),
        ("older_than_days = 1", 2, ""),
        ("older_than_days = 9", 0, "not old enough"),
        ("fewest_words = 500", 0, "too few words"),
    ],
)
def test_each_condition_of_a_rule(
    condition: str, fit: int, reason: str, learned: tuple[Desk, LibraryDesk], tmp_path: Path
) -> None:
    rule = rule_of(f'name = "one"\nowner = "lena"\n[when]\n{condition}\n', tmp_path)

    found = approving.approve_by(rule, learned[1], Steady(), dry_run=True)

    assert (found.documents, set(found.others)) == (fit, {reason} - {""})


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('owner = "lena"\n[when]\ntopics = ["card"]', "name: Field required"),
        ('name = "a"\n[when]\ntopics = ["card"]', "owner: Field required"),
        ('name = "a"\nowner = "lena"\n[when]', "without any condition"),
        ('name = "a"\nowner = "lena"\n[when]\nhelpful = 3', "when.helpful: Extra inputs are not permitted"),
        ("name =", "is not TOML"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(text: str, wrong: str, tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match=wrong):
        rule_of(text, tmp_path)


def test_a_rule_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnsuitableError, match="cannot be read"):
        rules.load(tmp_path / "none.toml")


def test_age_is_that_of_the_answer(store_url: str, tmp_path: Path) -> None:
    rule = rule_of('name = "old"\nowner = "lena"\n[when]\nolder_than_days = 30\n', tmp_path)
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, ADA)
        learning.learn(desk, shelf, Steady())
    with shelf_on(store_url, tmp_path, now=NOW + timedelta(days=40)) as (_, shelf):
        assert approving.approve_by(rule, shelf, Steady(), dry_run=True).documents == 1


def test_the_commands(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))
    monkeypatch.setenv("HARKEN_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        take_in(desk, [*ADA, *MARIA])
        learning.learn(desk, shelf, Steady())
    rule_of(RULE, tmp_path)
    maria, store = id_of(store_url, "twitter:700"), ("--store", store_url)

    dry = harken("knowledge", "approve", "--rule", tmp_path / "rule.toml", "--dry-run", *store)
    told = harken("knowledge", "approve", "--rule", tmp_path / "rule.toml", "--json", *store).json
    by_hand = harken("knowledge", "approve", maria, *store)
    back = harken("knowledge", "withdraw", maria, "--json", *store).json
    both = harken("knowledge", "approve", maria, "--rule", tmp_path / "rule.toml", *store)

    assert "1 documents would become public" in dry.out
    assert f"{maria}: it had personal data in it" in dry.out
    assert (told["documents"], told["others"]) == (1, {"it had personal data in it": 1})
    assert "1 documents public now" in by_hand.out
    assert back["documents"] == 1
    assert both.code == 2
