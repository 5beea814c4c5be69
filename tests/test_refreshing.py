"""Folders and answers are read once a night, by one process of however many."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from journey import ADA, NOW, Steady, harken, one_of, rows_of, take_in
from learning_cases import AwayOnce, documents, page, shelf_on, texts

from harken.errors import TryAgainError
from harken.flow import adding, embedding, refreshing
from harken.flow.adding import Wish
from harken.flow.keeping import keep
from harken.kit.clock import stopped_at
from harken.knowledge.jobs import hours
from harken.knowledge.jobs import store as jobs
from harken.settings import Settings


def test_the_night_does_everything_once(store_url: str, tmp_path: Path) -> None:
    folder, empty = page(tmp_path / "pages", "cards.md", "Cards are blue."), tmp_path / "none"
    with shelf_on(store_url, tmp_path) as (desk, whole):
        take_in(desk, ADA)
        shelf = replace(whole, folders=[empty, folder], nightly_at=time(2, 30))
        said: list[str] = []
        first = refreshing.Nightly(desk, shelf, Steady(), said.append)
        late = refreshing.Nightly(desk, shelf, Steady(), said.append)
        first.step()
        once = documents(store_url)
        page(folder, "loans.md", "Loans are green.")
        first.step()
        late.step()
        same = documents(store_url)
        tomorrow = replace(shelf, clock=stopped_at(NOW + timedelta(days=1)))
        refreshing.Nightly(desk, tomorrow, Steady(), said.append).step()

    assert {each["class"] for each in once} == {"product", "support_log"}
    assert same == once
    assert "green" in texts(store_url)
    assert said == [f"{empty} does not exist. Nothing was added."] * 2
    assert rows_of(store_url, "SELECT * FROM knowledge_job") == [
        {"name": "nightly", "last_at": NOW + timedelta(days=1)}
    ]
    missing = "SELECT count(*) FROM passage p JOIN document d ON d.no = p.document LEFT JOIN passage_vector v ON v.passage = p.no "
    assert one_of(store_url, missing + "WHERE d.valid_to IS NULL AND v.passage IS NULL") == 0


def test_one_process_of_many_does_it(store_url: str, tmp_path: Path) -> None:
    folder = page(tmp_path / "pages", "cards.md", "Cards are blue.")
    with shelf_on(store_url, tmp_path) as (desk, whole):
        take_in(desk, ADA)
        shelf = replace(whole, folders=[folder], nightly_at=time(2, 30))
        with shelf.reading.statement() as other, jobs.taken(other) as mine:
            busy = refreshing.refresh(desk, shelf, Steady())
            refreshing.Nightly(desk, shelf, Steady(), print).step()
            nothing = documents(store_url)
        free = refreshing.refresh(desk, shelf, Steady())

    assert mine
    assert (busy, nothing) == (None, [])
    assert free is not None
    assert free.learned is not None
    assert (free.new, free.learned.learned) == (1, 1)


def test_a_turn_ends_with_what_went_wrong_in_it(store_url: str, tmp_path: Path) -> None:
    with shelf_on(store_url, tmp_path) as (_, shelf):
        with pytest.raises(TryAgainError), shelf.reading.statement() as one, jobs.taken(one):
            raise TryAgainError("The model did not answer.")
        with shelf.reading.statement() as another, jobs.taken(another) as mine:
            assert mine


def test_the_loop_goes_on_after_a_failure_and_ends_when_it_is_told(store_url: str, tmp_path: Path) -> None:
    folder = page(tmp_path / "pages", "cards.md", "Cards are blue.")
    said: list[str] = []
    with shelf_on(store_url, tmp_path) as (desk, whole):
        away = AwayOnce(whole.embedder)
        shelf = replace(whole, embedder=away, folders=[folder], nightly_at=time(2, 30))  # type: ignore[arg-type]
        nightly = refreshing.Nightly(desk, shelf, Steady(), said.append)
        pauses = iter([False, True])
        keep(nightly.step, lambda _: next(pauses), said.append)

    assert said[0] == "The model did not answer."
    assert one_of(store_url, "SELECT count(*) FROM passage_vector") == 1
    assert one_of(store_url, "SELECT count(*) FROM knowledge_job") == 1


def test_the_night_moves_to_another_model(store_url: str, tmp_path: Path) -> None:
    folder = page(tmp_path / "pages", "cards.md", "Cards are blue.")
    with shelf_on(store_url, tmp_path) as (desk, shelf):
        adding.add([folder], Wish(), shelf, Steady())
        other = replace(shelf, embedder=Renamed(shelf.embedder), embedder_of=lambda _: None, folders=[folder])  # type: ignore[arg-type]
        refreshing.refresh(desk, other, Steady())
        again = embedding.embed(other, Steady())

    assert one_of(store_url, "SELECT model FROM vector_index WHERE state = 'serving'").startswith("renamed")
    assert again == 0


class Renamed:
    model = "renamed"

    def __init__(self, then: object) -> None:
        self._then = then

    def __getattr__(self, name: str) -> object:
        return getattr(self._then, name)


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        (None, "2026-03-16T12:00", True),
        ("2026-03-16T02:30", "2026-03-16T12:00", False),
        ("2026-03-15T02:31", "2026-03-16T02:29", False),
        ("2026-03-15T02:31", "2026-03-16T02:30", True),
        ("2026-03-10T02:31", "2026-03-16T01:00", True),
        ("2026-03-16T02:29", "2026-03-16T02:30", True),
    ],
)
def test_when_it_is_due(last: str | None, now: str, due: bool) -> None:
    done = datetime.fromisoformat(last).replace(tzinfo=UTC) if last else None
    assert hours.is_due(done, datetime.fromisoformat(now).replace(tzinfo=UTC), time(2, 30)) is due


def test_the_command_does_it_now(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = page(tmp_path / "pages", "cards.md", "Cards are blue.")
    monkeypatch.setenv("HARKEN_HOME", str(tmp_path))
    monkeypatch.setenv("HARKEN_KNOWLEDGE_FOLDERS", str(folder))

    told = harken("knowledge", "refresh", "--json", "--store", store_url).json
    shown = harken("knowledge", "refresh", "--store", store_url)

    assert (told["new"], told["learned"]) == (1, None)
    assert "The store is empty" in told["notes"][0]
    assert "1 documents in the folders: 0 new" in shown.out


@pytest.mark.parametrize("wrong", ["25:00", "2:30", "02:60", "noon"])
def test_an_hour_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="String should match pattern"):
        Settings(_env_file=None, nightly_at=wrong)
