"""Every night: folders read again, conversations learnt from, what has no vector embedded, lists and caches tidied.

However many processes there are, one of them does it, once for each time the hour comes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from harken.errors import UnsuitableError
from harken.flow import adding, embedding, learning
from harken.flow.adding import Wish
from harken.flow.desk import Desk
from harken.flow.learning import Learned
from harken.flow.library_desk import LibraryDesk
from harken.flow.ports import Progress
from harken.kit.clock import stopwatch
from harken.knowledge.jobs import hours
from harken.knowledge.jobs import store as jobs

NAME = "nightly"
LOOK_EVERY_S = 20.0


@dataclass(slots=True, kw_only=True)
class Refreshed:
    """What came of it."""

    documents: int = 0  #: that the folders hold now
    new: int = 0
    changed: int = 0
    removed: int = 0
    lapsed: int = 0
    quarantined: int = 0
    learned: Learned | None = None  #: None: there is nothing to learn from
    embedded: int = 0
    swept: int = 0  #: answers in the cache that had expired
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def refresh(desk: Desk, shelf: LibraryDesk, progress: Progress) -> Refreshed | None:
    """Now, whatever the hour. None: another process is at it."""
    with _turn(shelf) as mine:
        return _refreshed(desk, shelf, progress) if mine else None


class Nightly:
    """The same at its hour. `step` does it, or finds in no time that it is not due."""

    def __init__(self, desk: Desk, shelf: LibraryDesk, progress: Progress, report: Callable[[str], None]) -> None:
        self._desk, self._shelf, self._progress, self._report = desk, shelf, progress, report
        self._last: datetime | None = None

    def step(self) -> int:
        if not self._is_due():
            return 0
        with _turn(self._shelf) as mine:
            # Whoever was at it when we asked first may be through by now.
            if not mine or not self._is_due():
                return 0
            done = _refreshed(self._desk, self._shelf, self._progress)
        for note in done.notes:
            self._report(note)
        return 0

    def _is_due(self) -> bool:
        at, now = self._shelf.nightly_at, self._shelf.clock()
        if at is None or not hours.is_due(self._last, now, at):
            return False
        with self._shelf.keeping.transaction() as tx:
            self._last = jobs.last_at(tx, NAME)
        return hours.is_due(self._last, now, at)


@contextmanager
def _turn(shelf: LibraryDesk) -> Iterator[bool]:
    with shelf.reading.statement() as connection, jobs.taken(connection) as mine:
        yield mine


def _refreshed(desk: Desk, shelf: LibraryDesk, progress: Progress) -> Refreshed:
    took, began, done = stopwatch(), shelf.clock(), Refreshed()
    for folder in shelf.folders:
        try:
            came = adding.add([folder], Wish(), shelf, progress)
        except UnsuitableError as wrong:
            done.notes.append(str(wrong))
            continue
        for name in ("documents", "new", "changed", "removed", "lapsed", "quarantined", "embedded"):
            setattr(done, name, getattr(done, name) + getattr(came, name))
    try:
        done.learned = learning.learn(desk, shelf, progress)
    except UnsuitableError as empty:
        done.notes.append(str(empty))
    done.embedded += embedding.embed(shelf, progress)
    adding.tidy(shelf)
    done.swept = shelf.sweep()
    with shelf.keeping.transaction() as tx:
        jobs.was_done(tx, NAME, began)
    done.seconds = round(took(), 3)
    return done
