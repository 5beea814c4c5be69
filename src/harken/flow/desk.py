"""What the sentences need at hand. Built once, in bootstrap."""

from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harken.decide.ports import Writer
from harken.flow.ports import Warehouse
from harken.kit.clock import Clock
from harken.kit.db import Database, Tx
from harken.kit.engine import Engine
from harken.privacy.keys import MasterKey

if TYPE_CHECKING:
    from harken.decide.policy import Policy  # a process that takes in decides nothing, and need not build its tables
    from harken.flow.act_desk import ActDesk  # schemas and channels, which only acting needs
    from harken.flow.agent_desk import AgentDesk  # models, guards and everything else, which only answering needs
    from harken.flow.audit_desk import AuditDesk  # a key file and a pool of its own, which only sealing needs
    from harken.flow.door import Door  # schemas and telephone numbers, which only live events need
    from harken.flow.library_desk import LibraryDesk  # models and caches, which only knowledge needs
    from harken.flow.replay_desk import ReplayDesk  # the audit's records, which only replaying needs
    from harken.flow.ticket_desk import TicketDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The part of the desk that travels to worker processes."""

    open_warehouse: Callable[[], Warehouse]
    master: MasterKey
    clock: Clock
    load_policy: "Callable[[], Policy]"  #: rules are functions and do not travel; the file they come from does
    open_writer: Callable[[], Writer]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDesk:
    """What receiving events one by one needs at hand."""

    database: Database
    master: MasterKey
    clock: Clock
    open_door: "Callable[[], Door]"  #: the same door every time; opened when the first event comes
    with_mood: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    home: Path
    who: str
    warehouse: Warehouse
    engine: Callable[[Path], Engine]
    engine_name: str
    workers: int
    block_rows: int
    writes_offline: bool  #: no model is asked, so any number of processes may word messages
    bench: Bench
    executors: Callable[[], AbstractContextManager[Executor]] | None = None
    """Where a batch does its pieces. None: in processes of this machine."""
    live: LiveDesk | None = None  #: None where the store takes files only
    open_library: "Callable[[], LibraryDesk] | None" = None  #: as above; the same one every time
    open_acts: "Callable[[], ActDesk] | None" = None  #: as above; the same one every time
    open_audit: "Callable[[], AuditDesk] | None" = None  #: as above; None where the store has no audit
    open_replay: "Callable[[], ReplayDesk] | None" = None  #: as above
    open_tickets: "Callable[[], TicketDesk] | None" = None  #: as above; None where the store takes files only
    open_agent: "Callable[[], AgentDesk] | None" = None  #: as above
    jobs_inflight: Callable[[Tx], int] | None = None  #: what workers have begun; None where there are none
    note: str = ""  #: what people should know of where the data lies

    @property
    def library(self) -> "LibraryDesk | None":
        return self.open_library() if self.open_library else None

    @property
    def acts(self) -> "ActDesk | None":
        return self.open_acts() if self.open_acts else None

    @property
    def tickets(self) -> "TicketDesk | None":
        return self.open_tickets() if self.open_tickets else None

    @property
    def agent(self) -> "AgentDesk | None":
        return self.open_agent() if self.open_agent else None
