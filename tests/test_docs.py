"""The documentation cannot lie: what the code has, the pages name; what the pages show, works."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import click
import pytest

from harken.cli import main
from harken.conversations import status
from harken.decide import policy
from harken.decide.case import Known, Said, Talk
from harken.decide.rules import RULES
from harken.domain.event import Channel, Kind
from harken.domain.verdict import Outcome
from harken.eventlog import plan, registry
from harken.guard import judging, reasons, rules_file
from harken.intake import enrichment
from harken.intake.quality import Reason, Repair
from harken.profiles.features import DERIVED_FEATURES, FEATURES, NAMES
from harken.settings import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")], key=str)
REFERENCE = (ROOT / "docs" / "reference.md").read_text("utf-8")
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND_LINE = re.compile(r"^(?:HARKEN_\w+=\S+ )?harken (.+?)(?:\s{2,}#.*)?$", re.MULTILINE)
SHELL = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def section(title: str) -> str:
    """A `## ` section of the reference, its own subsections included."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", REFERENCE, re.DOTALL | re.MULTILINE)
    assert found, f"docs/reference.md has no section “{title}”"
    return found[1]


def first_cells(title: str) -> set[str]:
    """The names in backticks that begin a row of the section's tables."""
    return set(re.findall(r"^\| `([^`]+)`", section(title), re.MULTILINE))


def same(page: set[str], code: Iterable[str], title: str) -> None:
    known = set(code)
    assert known - page == set(), f"add a row to “{title}” in docs/reference.md"
    assert page - known == set(), f"“{title}” in docs/reference.md has rows that the code does not know"


def aliases(name: str) -> list[str]:
    choices = getattr(Settings.model_fields[name].validation_alias, "choices", [f"HARKEN_{name.upper()}"])
    return [str(choice) for choice in choices]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    example = (ROOT / ".env.example").read_text("utf-8")

    for alias in aliases(name):
        assert f"`{alias}`" in page, f"add {alias} to docs/settings.md"
    assert re.search(rf"^# {aliases(name)[0]}=", example, re.MULTILINE), f"add {aliases(name)[0]} to .env.example"


def test_no_setting_is_documented_that_does_not_exist() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    known = {alias for name in Settings.model_fields for alias in aliases(name)}
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) <= known


def test_the_example_is_read_as_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    env = tmp_path / ".env"
    env.write_text("\n".join(re.sub(r"^# (?=HARKEN_)", "", line) for line in lines))
    for name in {alias for field in Settings.model_fields for alias in aliases(field)}:
        monkeypatch.delenv(name, raising=False)

    assert Settings(_env_file=env) == Settings(_env_file=None)


def test_every_command_is_documented() -> None:
    names = main.list_commands(click.Context(main))
    rows = {
        line.split()[1].strip("`") for line in re.findall(r"^\| `(harken [a-z ]+)", section("Commands"), re.MULTILINE)
    }
    same(rows, names, "Commands")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_options_on_the_page_exist(page: Path) -> None:
    """Each `harken …` line of a shell block: its command is known, and so is each option."""
    for block in SHELL.findall(page.read_text("utf-8")):
        for line in COMMAND_LINE.findall(block):
            words = line.split()
            command, options = known_command(words), {w for w in words if w.startswith("--")}
            taken = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
            assert options <= taken, f"harken {line}: {command.name} has no {', '.join(sorted(options - taken))}"


def known_command(words: list[str]) -> click.Command:
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), word)
        assert found, f"there is no command harken {' '.join(words)}"
        command = found
    return command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        aim = (page.parent / path).resolve() if path else page
        assert aim.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(aim), f"{page.name} links to {target}: no such heading"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_decision_rule_is_documented() -> None:
    decide = import_module("harken.decide.decide")
    last_resorts = (decide.BEST_SCORE, decide.NOTHING_LEFT, decide.EXPLORED)
    rules = {rule.name: rule.because for rule in (*RULES, *last_resorts)}
    words = {*Talk._fields, *Said._fields, *Known._fields}

    same(first_cells("Decision rules"), rules.keys() | words, "Decision rules")
    for name, because in rules.items():
        assert because in section("Decision rules"), f"{name} says something else in docs/reference.md"


def test_every_status_rule_is_documented() -> None:
    same(first_cells("Status rules"), (rule.name for rule in status.RULES), "Status rules")
    for rule in status.RULES:
        assert f"| `{rule.name}` | `{rule.status}` | {rule.because} |" in section("Status rules")


def test_every_feature_is_documented() -> None:
    same(first_cells("Features"), NAMES, "Features")
    for feature in (*FEATURES, *DERIVED_FEATURES):
        assert feature.why in section("Features"), f"{feature.name} says something else in docs/reference.md"


def test_every_quarantine_reason_and_repair_is_documented() -> None:
    names = [reason.value for reason in Reason] + [repair.value for repair in Repair]
    same(first_cells("Quarantine reasons"), names, "Quarantine reasons")


def test_every_kind_and_channel_is_documented() -> None:
    for name in [*Kind, *Channel]:
        assert f"`{name}`" in section("Format `events`")


def test_every_event_type_and_its_versions_are_documented() -> None:
    known = registry.load()
    page = section("Events, live")

    same(first_cells("Events, live"), [*known.names, *(each.name for each in enrichment.ENRICHMENTS)], "Events, live")
    for name in known.names:
        newest = known.schema(name, known.versions(name)[-1]).content
        inner = newest["properties"].get("properties", {}).get("required", [])
        outer = [each for each in newest.get("required", []) if each not in ("properties", "version")]
        needed = ", ".join(f"`{each}`" for each in (*outer, *(f"properties.{each}" for each in inner))) or "–"
        versions = ", ".join(map(str, known.versions(name)))
        assert f"| `{name}` | {versions} | {needed} | {newest['title']} |" in page
    for each in enrichment.ENRICHMENTS:
        kinds = "every type" if each.kinds == set(Kind) else ", ".join(f"`{kind}`" for kind in sorted(each.kinds))
        assert f"| `{each.name}` | {kinds} | {each.why} |" in page


def test_the_events_on_the_page_fit_and_so_do_its_schema_and_its_plan(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "howto" / "events.md").read_text("utf-8")
    bodies = [json.loads(body) for body in re.findall(r"-d '(\{.*?\})'\n", page, re.DOTALL)]
    [schema] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    [toml] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    own = tmp_path / "track" / "Plan chosen"
    own.mkdir(parents=True)
    (own / "1.json").write_text(schema)
    (tmp_path / "plan.toml").write_text(toml)

    known = registry.load(tmp_path)
    sources = plan.load(tmp_path / "plan.toml", known.names).sources

    assert [body["type"] for body in bodies] == ["identify", "payment", "message"]
    for body in bodies:
        assert known.violations(body["type"], body.get("version"), body) == ()
    assert known.versions("track/Plan chosen") == [1]
    assert sources["website"].allows("track/Plan chosen")


def test_the_policy_on_the_page_is_a_policy(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "howto" / "policy.md").read_text("utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    file = tmp_path / "our-policy.toml"
    file.write_text(example)

    loaded = policy.load(file, features=NAMES)

    assert loaded.version != policy.load().version
    assert tomllib.loads(example)["off"][0] in {rule.name for rule in RULES}


def test_every_check_of_the_guard_is_documented() -> None:
    page = (ROOT / "docs" / "guard.md").read_text("utf-8")
    outcomes = rules_file.load().content.outcomes
    checks = [*((check.name, check.reason) for check in judging.CHECKS), *judging.WEIGHED_CHECKS]
    rows = {f"| `{name}` | `{reason}` | `{outcomes[reason]}` |" for name, reason in checks}

    assert {row for row in rows if row not in page} == set()
    assert len(re.findall(r"^\| `[a-z-]+` \| `[a-z_]+` \| `", page, re.MULTILINE)) == len(rows)
    for name in [*reasons.Reason, *Outcome, *reasons.Refusal]:
        assert f"`{name}`" in page


def test_the_guard_rules_on_the_page_are_rules() -> None:
    page = (ROOT / "docs" / "guard.md").read_text("utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    ours, theirs = rules_file.load().content, rules_file.from_text(example).content

    assert (theirs.canaries, theirs.confidence.least) == (("blue-heron-17",), 0.8)
    assert theirs.forbid[: len(ours.forbid)] == ours.forbid


def test_the_readme_begins_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    ci = (ROOT / ".ci" / "run").read_text("utf-8")

    assert re.findall(r"python3 start\.py (\w+)", SHELL.findall(readme)[0]) == ["demo", "test"]
    assert "start.py test" in ci
    assert "start.py demo" in ci


@pytest.mark.parametrize(("words", "code"), [([], 2), (["--help"], 0), (["demon"], 2)])
def test_start_says_what_it_can_do(words: list[str], code: int) -> None:
    said = subprocess.run([sys.executable, ROOT / "start.py", *words], capture_output=True, text=True, check=False)

    assert said.returncode == code
    for command in ("start.py demo", "start.py test", "start.py -- harken"):
        assert command in said.stdout


def test_the_decisions_are_one_page_each_and_say_what_enforces_them() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text("utf-8")

    assert [page.name[:4] for page in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text("utf-8")
        assert page.name in index
        assert len(text.splitlines()) <= 60
        for heading in ("**Decision.**", "**Why.**", "**Measured.**", "**What enforces it.**"):
            assert heading in text, f"{page.name} lacks {heading}"
