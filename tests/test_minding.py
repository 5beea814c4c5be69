"""Folders are read when they change; what vanishes retires nothing."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from journey import Steady, one_of
from learning_cases import AwayOnce, page, shelf_on, texts

from harken.flow import adding, minding
from harken.flow.adding import Added, Wish
from harken.flow.library_desk import LibraryDesk
from harken.flow.minding import Hands

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
