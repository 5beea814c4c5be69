"""`harken schema`: what people and scripts read of event types."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from harken.cli import main
from harken.eventlog import registry


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["schema", *words])


def as_json(*words: str) -> Any:
    return json.loads(run(*words, "--json").stdout)


def own(folder: Path, **name: Any) -> Path:
    """A second version of `page` whose name is described so."""
    file = folder / "page" / "2.json"
    file.parent.mkdir()
    properties = {"type": {"const": "page"}, "version": {"const": 2}, "name": name}
    file.write_text(json.dumps({"title": "Ours", "$ref": registry.ENVELOPE, "properties": properties}))
    return folder


def test_the_list_has_every_type_with_its_versions_and_steps() -> None:
    listed = {each["type"]: each for each in as_json("list")["types"]}

    assert set(listed) == set(registry.load().names)
    assert (listed["payment"]["versions"], listed["payment"]["upcasters"]) == ([1, 2], [1])
    assert listed["page"]["compatibility"] == "backward"
    [line] = [line for line in run("list").stdout.splitlines() if line.split()[0] == "payment"]
    assert line.split()[1:5] == ["1,", "2", "backward", "1"]


def test_the_shipped_schemas_pass_the_check() -> None:
    said = run("check")

    assert said.exit_code == 0, said.output
    assert said.stdout.endswith(" 0 breaks\n")
    assert as_json("check")["breaks"] == []


def test_a_version_of_ones_own_that_breaks_something_fails_the_check(tmp_path: Path) -> None:
    folder = str(own(tmp_path, maxLength=5))
    said = run("check", "--against", folder)

    assert said.exit_code == 1
    assert said.stdout.splitlines()[0] == "page 1 -> 2: /name: has a maxLength of 5 instead of 1000."
    [broken] = as_json("check", "--against", folder)["breaks"]
    assert (broken["name"], broken["old"], broken["new"]) == ("page", 1, 2)
    assert {"type": "page", "versions": [1, 2]}.items() <= next(
        each for each in as_json("list", "--against", folder)["types"] if each["type"] == "page"
    ).items()


def test_a_version_of_ones_own_that_breaks_nothing_passes(tmp_path: Path) -> None:
    assert run("check", "--against", str(own(tmp_path, maxLength=2000))).exit_code == 0


def test_the_difference_of_two_versions_is_told_both_ways() -> None:
    found = as_json("diff", "payment", "1", "2")

    assert found["backward"] == ["/properties/amount_minor: is required now."]
    assert found["forward"] == ["/properties/amount: for who reads the old version, it is required now."]
    assert run("diff", "payment", "2", "2").stdout == "backward: nothing breaks\nforward: nothing breaks\n"
    assert "  /properties/amount_minor: is required now." in run("diff", "payment", "1", "2").stdout.splitlines()


def test_what_is_not_there_is_refused() -> None:
    for words in (("diff", "payment", "1", "9"), ("check", "--against", "missing")):
        said = run(*words)
        assert said.exit_code != 0
        assert said.stdout == ""
