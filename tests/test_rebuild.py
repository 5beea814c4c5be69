"""Everything derived can be made anew from the log, and a check finds whatever differs from it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from journey import CLEO, DAN, TOWN, Steady, Stops, derived, desk_on, one_of, quick, take_in
from live_cases import arrival, live_desk, made_up

from harken.errors import UnsuitableError
from harken.flow import rebuild, settling
from harken.flow.arriving import Outcome
from harken.flow.desk import Desk
from harken.flow.live import receive
from harken.profiles.features import EVENT_FEATURES, FEATURES, definitions_hash

DAMAGE = {
    "a fact is wrong": "UPDATE conversation SET facts = replace(facts, '\"reopened\":0', '\"reopened\":3')",
    "a profile too many": "INSERT INTO profile SELECT 'twitter:301', state FROM profile WHERE identity = 'twitter:300'",
    "one more, at the end": "INSERT INTO profile SELECT 'z:1', state FROM profile WHERE identity = 'twitter:300'",
    "a profile is another's": "UPDATE profile SET state = (SELECT state FROM profile WHERE identity = 'twitter:300') "
    "WHERE identity = 'twitter:400'",
    "a profile is missing": "DELETE FROM profile WHERE identity = 'twitter:300'",
    "every conversation is missing": "DELETE FROM conversation",
}


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    with desk_on(store_url, tmp_path) as ready:
        take_in(ready, [*CLEO, *DAN])
        yield ready


@pytest.fixture
def spoil(store_url: str) -> Callable[[str], None]:
    """Somebody with the owner's password changes what is derived."""

    def spoil(statement: str) -> None:
        with psycopg.connect(store_url) as connection:
            assert connection.execute(statement).rowcount > 0  # type: ignore[arg-type]

    return spoil


def test_whatever_is_wrong_is_found_and_mended(store_url: str, tmp_path: Path, spoil: Callable[[str], None]) -> None:
    with quick(store_url, tmp_path) as desk:
        take_in(desk, [*CLEO, *DAN])
        sound, found = derived(store_url), 0
        for name, damage in DAMAGE.items():
            spoil(damage)
            before, found = found, rebuild.check(desk, Steady()).mismatches
            assert found > before, name

        rebuild.rebuild(desk, Steady())
        assert derived(store_url) == sound
        assert rebuild.check(desk, Steady()).mismatches == 0


def test_a_rebuild_changes_nothing_that_is_right(desk: Desk, store_url: str) -> None:
    before = derived(store_url)
    report = rebuild.rebuild(desk, Steady())

    assert (report.customers, report.features, report.mismatches) == (2, len(FEATURES), 0)
    assert report.values == 2 * len(EVENT_FEATURES)
    assert derived(store_url) == before
    assert one_of(store_url, "SELECT definitions FROM projection WHERE name = 'profile'") == definitions_hash()


@pytest.mark.parametrize("engine", ["duckdb", "polars", "pandas"])
def test_any_engine_checks_what_another_made(town_url: str, tmp_path: Path, engine: str) -> None:
    with desk_on(town_url, tmp_path, engine=engine) as desk:
        report = rebuild.check(desk, Steady())

    assert (report.customers, report.mismatches) == (5, 0)
    assert report.values > 5 * len(EVENT_FEATURES), "conversations are compared too"


def test_an_interrupted_rebuild_leaves_everything_as_it_was(desk: Desk, store_url: str) -> None:
    before = derived(store_url)
    with pytest.raises(KeyboardInterrupt):
        rebuild.rebuild(desk, Stops("profiles"))

    assert derived(store_url) == before
    assert not list(desk.home.glob("spool/*"))


def test_after_a_rebuild_the_next_file_joins_as_before(desk: Desk, store_url: str, town_url: str) -> None:
    rebuild.rebuild(desk, Steady())
    take_in(desk, TOWN)

    assert derived(store_url) == derived(town_url)


def test_an_empty_store_has_nothing_to_compare(store_url: str, tmp_path: Path) -> None:
    with desk_on(store_url, tmp_path) as desk:
        assert rebuild.check(desk, Steady()).values == 0
        assert rebuild.rebuild(desk, Steady()).customers == 0


def test_profiles_of_other_definitions_are_rebuilt_before_anything_joins_them(
    either_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with quick(either_url, tmp_path) as desk:
        with monkeypatch.context() as before:
            before.setattr(settling, "definitions_hash", lambda: "older")
            take_in(desk, TOWN[:3], "older.csv")
        with pytest.raises(UnsuitableError, match="harken profile rebuild"):
            take_in(desk, TOWN)
        rebuild.rebuild(desk, Steady())
        take_in(desk, TOWN)


def test_live_events_wait_for_that_too(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with quick(store_url, tmp_path) as desk, live_desk(store_url) as live:
        with monkeypatch.context() as before:
            before.setattr(settling, "definitions_hash", lambda: "older")
            take_in(desk, TOWN[:3])
        with pytest.raises(UnsuitableError, match="harken profile rebuild"):
            receive([arrival(made_up(1, seed=1)[0])], live)
        rebuild.rebuild(desk, Steady())
        [receipt] = receive([arrival(made_up(1, seed=1)[0])], live)

    assert receipt.outcome is Outcome.ACCEPTED
