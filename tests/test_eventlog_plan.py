"""Who may send what: a source is known by its key, and a plan that cannot be used is one line."""

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest
from eventlog_cases import REGISTRY, put

from harken.errors import UnsuitableError
from harken.eventlog import plan

PLAN = '[source.website]\nkey_sha256 = "{0}"\ntypes = ["track", "page"]\n[source.crm]\nkey_sha256 = "{1}"\n'


def planned(folder: Path, text: str) -> plan.Plan:
    return plan.load(put(folder, "plan.toml", text) / "plan.toml", REGISTRY.names)


def test_a_source_is_known_by_its_key_and_sends_what_the_plan_says(tmp_path: Path) -> None:
    site, crm = plan.write_key(secrets.token_bytes), plan.write_key(lambda size: b"\1" * size)
    ours = planned(tmp_path, PLAN.format(site.sha256, crm.sha256))
    found = ours.source_of(site.key)

    assert found is not None
    assert (found.name, found.events_per_second, found.additional) == ("website", 100, "keep")
    assert found.allows("page")
    assert found.allows("track/Plan chosen")
    assert not found.allows("payment")
    assert ours.sources["crm"].allows("payment")
    assert [ours.source_of(key) for key in ("", site.sha256, f"{site.key} ", "\ud800")] == [None] * 4


def source(line: str) -> str:
    return f'[source.a]\nkey_sha256 = "{"0" * 64}"\n{line}'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no source"),
        ("[source]", "names no source"),
        ("source = 1", "names no source"),
        ("[source", "not TOML"),
        ("[sauce.a]", "no such table as sauce"),
        ("[source]\na = 1", "source.a is no table"),
        ("[source.a]", "source.a.key_sha256: Field required"),
        ('[source.a]\nkey_sha256 = "abc"', "source.a.key_sha256: String should match"),
        (source("").replace("source.a", 'source."A b"'), "source.A b.name"),
        (source('types = ["sneeze"]'), "there is no type sneeze"),
        (source("types = []"), "source.a.types"),
        (source('types = "some"'), "source.a.types"),
        (source("events_per_second = 0"), "source.a.events_per_second"),
        (source("events_per_second = true"), "source.a.events_per_second"),
        (source('additional = "maybe"'), "source.a.additional"),
        (source("colour = 1"), "source.a.colour: Extra inputs"),
        (PLAN.format("0" * 64, "0" * 64), "source.crm has the key of source.website"),
    ],
)
def test_a_plan_that_cannot_be_used_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UnsuitableError) as refused:
        planned(tmp_path, text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.write_bytes(b"\xff"), "not UTF-8"),
        (lambda path: path.write_bytes(b"#" * 1_000_001), "too large"),
    ],
)
def test_a_plan_that_cannot_be_read_is_one_line(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path / "plan.toml")
    with pytest.raises(UnsuitableError, match=said):
        plan.load(tmp_path / "plan.toml", REGISTRY.names)
