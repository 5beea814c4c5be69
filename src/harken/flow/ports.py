"""What the sentences need from the outside, in their own words."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

from harken.domain.ids import CustomerId, IdentityId
from harken.domain.run import Appended, Backlog, Newest, Run, RunRequest, Totals
from harken.profiles.identity import Spoken

Row: TypeAlias = dict[str, Any]


class Progress(Protocol):
    """Where long work says how far it is."""

    def step(self, name: str, total: int | None = None) -> None: ...

    def advance(self, rows: int) -> None: ...


class Settling(Protocol):
    """One unit in which everything derived from new events is replaced, or nothing is."""

    def forget_threads(self, threads: pa.Array) -> None:
        """Drop the conversations of these threads; they are written anew."""
        ...

    def conversations(self, table: pa.Table) -> None:
        """Add conversations: the columns of `tables.CONVERSATIONS`."""
        ...

    def forget_everything(self) -> None:
        """Drop every conversation and profile: a rebuild starts from nothing."""
        ...

    def profiles(self, states: Iterable[pa.Table], *, merge: bool) -> None:
        """Write packed states (identity, state); with `merge`, each is merged into the one that is there."""
        ...

    def projected(self, name: str, definitions: str) -> None:
        """Remember what the projection was made with, and up to where in the log."""
        ...

    def settled(self, run: Run) -> None:
        """The run's events are folded in, now and once."""
        ...

    def settled_everything(self) -> None:
        """So are the events of every interrupted run: a rebuild reads the whole log."""
        ...


class Runs(Protocol):
    """What a store remembers of batches."""

    def one_batch_at_a_time(self) -> AbstractContextManager[None]:
        """Refuses with a clear line while another batch writes."""
        ...

    def begin(self, request: RunRequest) -> Run: ...

    def unsettled(self, but: Run) -> list[Run]:
        """Other runs that were interrupted after some of their events were in the log."""
        ...

    def finish(self, run: Run, counts: dict[str, object], watermark: datetime | None, at: datetime) -> None: ...

    def fail(self, run: Run, error: str, at: datetime) -> None: ...

    def quarantine(self, run: Run, fingerprint: str, format: str, rows: pa.Table) -> int:
        """Keep rows (line, reason, sealed) that failed a check; one kept before is not kept twice."""
        ...

    def quarantined(self, after: int, limit: int) -> Sequence[Row]:
        """Rows that wait to be mended, after an id: id line reason format fingerprint sealed."""
        ...

    def release(self, ids: Sequence[int], at: datetime) -> None: ...


class Log(Protocol):
    """The events of a store."""

    @property
    def one_process(self) -> bool:
        """Whether no process but this one may open the store, not even a worker of its own."""
        ...

    def is_empty(self) -> bool: ...

    def definitions(self) -> str | None:
        """What its profiles were made with; None: there are none yet."""
        ...

    def keys(self, subjects: pa.Array) -> pa.Table:
        """The wrapped keys that exist among these subjects: subject, wrapped."""
        ...

    def add_keys(self, keys: pa.Table) -> None:
        """Keep new keys; where a subject has one already, that one stays."""
        ...

    def append(self, run: Run, digest: str, block: pa.Table, place: int) -> Appended:
        """Add events (`tables.LOG`), each once, so that a resumed run knows this block; all of it or to be done again.

        `place`: how many of the run's rows stand before the block, its own for as many rows as it has.
        """
        ...

    def appended(self, run: Run, digest: str) -> Appended | None:
        """What this block brought in where it is in already."""
        ...

    def known(self, ids: pa.Array) -> pa.Array:
        """Which of these event ids the log has."""
        ...

    @property
    def joins(self) -> bool:
        """Whether it keeps who is who. A store that takes files only joins nobody."""
        ...

    def say(self, links: Sequence[Spoken], at: datetime, *, anew: bool) -> None:
        """Who is who, by what events say of identifiers; `anew`: by these words alone, which are the whole log's.

        May be said again. Only where the store `joins`.
        """
        ...

    def neighbours(self, ids: pa.Array, parents: pa.Array, identities: pa.Array) -> pa.Table:
        """Every turn (thin, with its present `thread`) of every thread that new events may join."""
        ...

    def thin(self, run: Run | None = None, identities: Sequence[IdentityId] | None = None) -> Iterator[pa.RecordBatch]:
        """Events without their text, as the projections need them."""
        ...

    def settling(self) -> AbstractContextManager[Settling]: ...


class Reading(Protocol):
    """What a decision reads of a store, and leaves there."""

    def totals(self) -> Totals:
        """Counts everything: for reports. A decision asks for the `newest`."""
        ...

    def newest(self) -> Newest:
        """Quick in a store of any size."""
        ...

    def people(self, customer: CustomerId) -> dict[str, list[IdentityId]]:
        """Whom a name may mean: each one's first identity -> all of them. `115712` means somebody at every source that
        has the name; a full identity means one."""
        ...

    def conflicts(self, identities: Sequence[IdentityId]) -> Sequence[Row]:
        """Identifiers that might be these customers' and are others' as well: identity, reason, customers."""
        ...

    def last_events(self, identities: Sequence[IdentityId], limit: int) -> Sequence[Row]:
        """The newest that happened, without text: position id kind identity channel at."""
        ...

    def backlog(self) -> Backlog:
        """What outside streams hold that is not in the log yet, as far as the workers know."""
        ...

    def versions(self, identities: Sequence[IdentityId]) -> dict[str, str]:
        """Something that changes whenever an identity's state does."""
        ...

    def merged(self) -> list[tuple[str, list[IdentityId]]]:
        """Customers of several identities, whom a range of identities would tear apart."""
        ...

    def shared_names(self) -> list[str]:
        """Short names that two sources use for different customers."""
        ...

    def spans(self, size: int, most: int | None = None) -> list[tuple[str, str | None]]:
        """Cut the identities, or the first `most` of them, into ranges [from, to) of `size`."""
        ...

    def dossiers(self, span: tuple[str, str | None], batch: int) -> Iterator[Sequence[Row]]:
        """Conversations beside their customer's state, in order of identity, whole identities a piece; but for `merged`."""
        ...

    def bodies(self, positions: Sequence[int]) -> Sequence[Row]:
        """Turns with their sealed body and wrapped key (None: destroyed)."""
        ...

    def states(self, identities: Sequence[IdentityId]) -> dict[str, bytes]: ...

    def all_states(self, batch: int) -> Iterator[tuple[str, bytes]]:
        """Every packed profile state, in order of identity."""
        ...

    def all_links(self, batch: int) -> Iterator[tuple[str, bytes]]:
        """Every word on two identifiers, member and conflict, as JSON (`linking.pairs`), in order of key."""
        ...

    def all_facts(self, batch: int) -> Iterator[tuple[str, bytes]]:
        """Every conversation's facts, in order of id."""
        ...

    def conversations_of(self, identities: Sequence[IdentityId]) -> Sequence[Row]: ...

    def record(self, decisions: pa.Table) -> None:
        """Keep decisions (`tables.DECISIONS`); one that is there stays."""
        ...

    def close(self) -> None: ...


class Warehouse(Runs, Log, Reading, Protocol):
    """Where a batch keeps its events and reads them back."""
