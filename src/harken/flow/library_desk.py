"""What the sentences of the knowledge need at hand. Built once, in bootstrap, when it is first asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path

from harken.kit.clock import Clock
from harken.kit.db import Database
from harken.knowledge.access import Clearances
from harken.knowledge.cache import Layered
from harken.knowledge.chunk import Cut
from harken.knowledge.ports import Embedder, Judge
from harken.privacy.keys import MasterKey


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryDesk:
    """What taking documents in and finding them need at hand."""

    reading: Database  #: serves: sees what the reader of a transaction may see
    keeping: Database  #: the librarian's
    master: MasterKey
    clock: Clock
    who: str
    embedder: Embedder  #: for what is embedded from now on
    embedder_of: Callable[
        [str], Embedder | None
    ]  #: of a model that was used before; None: not on this machine any more
    embedders: Callable[[], Sequence[Embedder]]  #: all that can be asked on this machine
    judge: Judge | None  #: looks at the best once more
    cache: Layered
    sweep: Callable[[], int]  #: deletes what of the cache has expired; how much it was
    clearances: Callable[[], Clearances]
    cut: Cut
    home: Path
    folders: Sequence[Path] = ()  #: that are watched while somebody serves, and read every night
    nightly_at: time | None = None  #: UTC; None: never
    workers: int = 1  #: processes that look through what is added, where it is much

    def close(self) -> None:
        self.reading.close()
        self.keeping.close()
