"""Folders are read when they change, and once a night, by one process of however many; what vanishes retires nothing."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from journey import ADA, NOW, Steady, harken, one_of, rows_of, take_in
from learning_cases import documents, shelf_on

from harken.errors import TryAgainError
from harken.flow import adding, embedding, minding, refreshing
from harken.flow.adding import Added, Wish
from harken.flow.keeping import keep
from harken.flow.library_desk import LibraryDesk
from harken.flow.minding import Hands
from harken.kit.clock import stopped_at
from harken.knowledge.jobs import hours
from harken.knowledge.jobs import store as jobs
from harken.settings import Settings

MOST_S = 60
"""A watcher that has done nothing for so long does not work."""


class Watched:
    """A watcher in a thread of its own, and what it said."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.came: list[tuple[Path, Added]] = []
        self.said: list[str] = []
        self._news = threading.Condition()
        self.hands = Hands(told=self._told, report=self._report, stopped=self.stopped)

    def _told(self, path: Path, came: Added) -> None:
        with self._news:
            self.came.append((path, came))
            self._news.notify_all()

    def _report(self, line: str) -> None:
        with self._news:
            self.said.append(line)
            self._news.notify_all()

    def until(self, true: Callable[[], object]) -> None:
        with self._news:
            assert self._news.wait_for(true, MOST_S), (self.came, self.said)


@contextmanager
def watching(paths: list[Path], shelf: LibraryDesk) -> Iterator[Watched]:
    watched = Watched()
    thread = threading.Thread(target=minding.mind, args=(paths, Wish(), shelf, watched.hands))
    thread.start()
    try:
        yield watched
    finally:
        watched.stopped.set()
        thread.join(MOST_S)
        assert not thread.is_alive()


def page(folder: Path, name: str, words: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"# {name}\n\n{words}\n")
    return folder


def texts(url: str) -> str:
    return " ".join(each["text"] for each in documents(url))


def test_what_changes_is_read_and_embedded(store_url: str, tmp_path: Path) -> None:
    folder = page(tmp_path / "pages", "cards.md", "Cards are blue.")
    with shelf_on(store_url, tmp_path) as (_, shelf), watching([folder], shelf) as watched:
        watched.until(lambda: watched.came)
        page(folder, "loans.md", "Loans are green.")
        watched.until(lambda: len(watched.came) > 1)
        page(folder, "cards.md", "Cards are red.")
        watched.until(lambda: len(watched.came) > 2)
        (folder / "loans.md").unlink()
        watched.until(lambda: len(watched.came) > 3)

    told = [(came.new, came.changed, came.removed, came.embedded) for _, came in watched.came]
    assert told == [(1, 0, 0, 1), (1, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 0)]
    assert "red" in texts(store_url)
    assert "blue" not in texts(store_url)
    assert watched.said == []


def test_a_folder_that_vanishes_is_told_and_kept_and_read_when_it_is_back(store_url: str, tmp_path: Path) -> None:
    gone, stays = (
        page(tmp_path / "gone", "a.md", "Cards are blue."),
        page(tmp_path / "stays", "b.md", "Loans are green."),
    )
    with shelf_on(store_url, tmp_path) as (_, shelf), watching([gone, stays], shelf) as watched:
        watched.until(lambda: len(watched.came) == 2)
        shutil.move(gone, tmp_path / "away")
        watched.until(lambda: watched.said)
        kept = texts(store_url)
        page(stays, "c.md", "Fees are low.")
        watched.until(lambda: len(watched.came) > 2)
        page(tmp_path / "away", "d.md", "Rates are high.")
        shutil.move(tmp_path / "away", gone)
        watched.until(lambda: any(came.new and path == gone for path, came in watched.came[2:]))

    assert "blue" in kept
    assert watched.said == [f"{gone} is not there. What came from it is kept; it is read again when it is back."]
    assert all(word in texts(store_url) for word in ("blue", "green", "low", "high"))


def test_a_folder_that_is_empty_now_retires_nothing(store_url: str, tmp_path: Path) -> None:
    folder = page(tmp_path / "pages", "cards.md", "Cards are blue.")
    with shelf_on(store_url, tmp_path) as (_, shelf), watching([folder], shelf) as watched:
        watched.until(lambda: watched.came)
        (folder / "cards.md").unlink()
        watched.until(lambda: watched.said)

    assert "is empty now" in watched.said[0]
    assert "blue" in texts(store_url)


def test_a_folder_that_was_never_there_is_waited_for(store_url: str, tmp_path: Path) -> None:
    folder = tmp_path / "later"
    with shelf_on(store_url, tmp_path) as (_, shelf), watching([folder], shelf) as watched:
        watched.until(lambda: watched.said)
        page(folder, "cards.md", "Cards are blue.")
        watched.until(lambda: watched.came)

    assert watched.said == [f"{folder} is not there. What came from it is kept; it is read again when it is back."]
    assert "blue" in texts(store_url)


class AwayOnce:
    """An embedder that does not answer the first time."""

    def __init__(self, then: object) -> None:
        self._then, self.asked = then, 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._then, name)

    def embed(self, said: list[str]) -> object:
        self.asked += 1
        if self.asked == 1:
            raise TryAgainError("The model did not answer.", after_s=0)
        return self._then.embed(said)  # type: ignore[attr-defined]


def test_what_could_not_be_embedded_is_tried_again(store_url: str, tmp_path: Path) -> None:
    folder = page(tmp_path / "pages", "cards.md", "Cards are blue.")
    with shelf_on(store_url, tmp_path) as (_, whole):
        away = AwayOnce(whole.embedder)
        shelf = replace(whole, embedder=away)  # type: ignore[arg-type]
        with watching([folder], shelf) as watched:
            watched.until(lambda: watched.came)

    assert watched.said == ["The model did not answer."]
    assert one_of(store_url, "SELECT count(*) FROM passage_vector") == 1


def test_whoever_stops_a_long_reading_keeps_what_was_committed(store_url: str, tmp_path: Path) -> None:
    watched = Watched()
    folder = page(tmp_path / "pages", "cards.md", "Cards are blue.")
    with shelf_on(store_url, tmp_path) as (_, shelf):
        watched.stopped.set()
        with pytest.raises(minding.StoppedError):
            adding.add([folder], Wish(), shelf, watched.hands)
        adding.add([folder], Wish(), shelf, Steady())
    assert "blue" in texts(store_url)


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
