"""Drafts -> what describing finds in them, in as many processes as there are processors where there are many drafts.

Finding what is personal, secret or hostile costs more than everything else that is done with a document.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from types import TracebackType
from typing import NamedTuple

from harken.domain.document import Draft, Unreadable
from harken.flow import describing
from harken.flow.describing import Described, Making
from harken.flow.library_desk import LibraryDesk
from harken.flow.pool import Pool, attend
from harken.privacy.scanner import Known

DRAFTS_A_PIECE = 25
PAYS_FROM = 1_000
"""Drafts of a run from which processes are started: a second or two each, until then one does it all."""


class Task(NamedTuple):
    draft: Draft
    file: str
    trusted: bool
    subject: str
    known: Sequence[Known]


class Examiners:
    """Start their processes when it pays, and end them with the block."""

    def __init__(self, desk: LibraryDesk) -> None:
        self._making, self._workers = Making(master=desk.master, cut=desk.cut), desk.workers
        self._seen = 0
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Examiners":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._executor:
            self._executor.shutdown(wait=True, cancel_futures=True)

    def examine(self, tasks: Sequence[Task]) -> list[Described | Unreadable]:
        """In the order of the tasks."""
        self._seen += len(tasks)
        if self._executor is None and self._workers > 1 and self._seen >= PAYS_FROM:
            # Spawned, never forked: the database's driver keeps threads.
            self._executor = ProcessPoolExecutor(self._workers, mp_context=get_context("spawn"), initializer=attend)
        work = partial(examined, self._making)
        if self._executor is None:
            return work(tasks)
        crew = Pool(self._executor, self._workers)
        return [each for piece in crew.each(work, _pieces(tasks)) for each in piece]


def _pieces(tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
    for at in range(0, len(tasks), DRAFTS_A_PIECE):
        yield tasks[at : at + DRAFTS_A_PIECE]


def examined(making: Making, tasks: Sequence[Task]) -> list[Described | Unreadable]:
    """Runs in a worker."""
    return [
        describing.examine(each.draft, each.file, making, trusted=each.trusted, subject=each.subject, known=each.known)
        for each in tasks
    ]
