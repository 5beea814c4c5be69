"""Folders that people write to -> documents, a moment after each change, until somebody stops it.

What vanishes as a whole may be a disk that is not there: it is told, and nothing that came from it retires.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import watchfiles

from harken.errors import HarkenError, TryAgainError, UnsuitableError
from harken.flow import adding
from harken.flow.adding import Added, Wish
from harken.flow.library_desk import LibraryDesk

SETTLES_MS, WAITS_MS = 1_000, 30_000
"""A folder is read when it was still for so long, or has changed for so long."""

LOOKS_MS = 1_000
"""How often it is looked whether the folders themselves are there, and whether somebody wants to stop."""


class StoppedError(HarkenError):
    """Stopped. What was committed is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What a watcher works with."""

    told: Callable[[Path, Added], None]
    report: Callable[[str], None]
    stopped: threading.Event

    def step(self, name: str, total: int | None = None) -> None:
        """Being the progress of its own work, it ends it between two files or batches."""
        self.advance(0)

    def advance(self, rows: int) -> None:
        if self.stopped.is_set():
            raise StoppedError


def mind(paths: Sequence[Path], wish: Wish, desk: LibraryDesk, hands: Hands) -> None:
    """Everything once, for what changed while nobody watched; then what changes."""
    watched, due = [path.absolute() for path in paths], set[Path]()
    before: set[Path] | None = None
    while not hands.stopped.is_set():
        here = {path for path in watched if path.exists()}
        _tell(watched, before, here, hands)
        due |= here - (before or set())
        before = here
        for changed in _changes(here, hands):
            if {path for path in watched if path.exists()} != here:
                break
            due = _read(due | _those_with(changed, here), wish, desk, hands)


def _tell(watched: Iterable[Path], before: set[Path] | None, here: set[Path], hands: Hands) -> None:
    for path in watched:
        if path not in here and (before is None or path in before):
            hands.report(f"{path} is not there. What came from it is kept; it is read again when it is back.")


def _changes(here: set[Path], hands: Hands) -> Iterator[set[Path]]:
    """What changed and settled; nothing, now and then, so that somebody can look up."""
    if not here:
        hands.stopped.wait(LOOKS_MS / 1000)
        return
    found = watchfiles.watch(
        *here,
        debounce=WAITS_MS,
        step=SETTLES_MS,
        rust_timeout=LOOKS_MS,
        yield_on_timeout=True,
        stop_event=hands.stopped,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    for several in found:
        yield {Path(name) for _, name in several}


def _those_with(changed: Iterable[Path], here: Iterable[Path]) -> set[Path]:
    return {path for path in here for each in changed if each.is_relative_to(path)}


def _read(due: Iterable[Path], wish: Wish, desk: LibraryDesk, hands: Hands) -> set[Path]:
    """Returns those that have to be read once more, since something did not answer."""
    again = set[Path]()
    for path in sorted(due):
        try:
            hands.told(path, adding.add([path], wish, desk, hands))
        except UnsuitableError as wrong:
            hands.report(str(wrong))
        except TryAgainError as busy:
            hands.report(str(busy))
            hands.stopped.wait(busy.after_s)
            again.add(path)
        except StoppedError:
            break
    return again
