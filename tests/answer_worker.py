"""Workers of the live answer that are killed: one process that has everything loaded, and a copy of it for every death.

A step is a name: a moment around the parts (`before the look`, `after the send`), or one of the writes and commits of a
transaction, which are counted as they come, so that a write that is added to the code is a step at once.
"""

import asyncio
import gc
import os
import re
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import act_worker
import psycopg
from act_worker import LENA
from psycopg.rows import DictRow
from pydantic import SecretStr

from harken import bootstrap
from harken.adapters.jobs import working
from harken.bootstrap import workers
from harken.domain.decision import Context, Decision, Draft
from harken.domain.proposal import Proposal
from harken.domain.ticket import TicketId
from harken.flow import acting, answering, asking, deciding, ticketing
from harken.flow.acting import Cause
from harken.flow.agent_desk import AgentDesk
from harken.flow.desk import Desk
from harken.flow.ending import OvertakenError
from harken.kit import db
from harken.settings import Settings

WRITE = re.compile(r"\b(INSERT INTO|(?<!FOR )UPDATE|DELETE FROM|COPY)\s*([a-z_.]*)")


class Steps:
    """Every step by name, in order; the process dies at the one that is wanted."""

    def __init__(self, fatal: str = "") -> None:
        self.names: list[str] = []
        self._fatal = fatal
        self._seen = Counter[str]()

    def at(self, name: str) -> None:
        self.names.append(name)
        if name == self._fatal:
            act_worker.die()

    def counted(self, what: str) -> str:
        """Its name with which of its kind it is."""
        self._seen[what] += 1
        return f"{what} {self._seen[what]}"


def write_of(query: object) -> str:
    """What a statement writes, in two or three words; empty where it reads."""
    found = WRITE.search("\n".join(line for line in str(query).splitlines() if not line.startswith("--")))
    return f"{found[1]} {found[2]}".strip() if found else ""


@contextmanager
def watched(steps: Steps) -> Iterator[None]:
    """Every write and every commit of this process is a step."""

    class Watched(psycopg.Cursor[DictRow]):
        def execute(self, query: Any, *given: Any, **more: Any) -> Any:
            return self._told(query, lambda: super(Watched, self).execute(query, *given, **more))

        def executemany(self, query: Any, *given: Any, **more: Any) -> None:
            self._told(query, lambda: super(Watched, self).executemany(query, *given, **more))

        def _told(self, query: Any, write: Callable[[], Any]) -> Any:
            if not (what := write_of(query)):
                return write()
            name = steps.counted(what)
            steps.at(f"before {name}")
            done = write()
            steps.at(f"after {name}")
            return done

    plain_statement, plain_transaction = db.Database.statement, db.Database.transaction

    @contextmanager
    def statement(self: db.Database) -> Iterator[db.Tx]:
        with plain_statement(self) as connection:
            connection.cursor_factory = Watched
            yield connection

    @contextmanager
    def transaction(self: db.Database) -> Iterator[db.Tx]:
        with plain_transaction(self) as connection:
            yield connection
            name = steps.counted("commit")
            steps.at(f"before {name}")
        steps.at(f"after {name}")

    db.Database.statement, db.Database.transaction = statement, transaction  # type: ignore[method-assign]
    try:
        yield
    finally:
        db.Database.statement, db.Database.transaction = plain_statement, plain_transaction  # type: ignore[method-assign]


class Drafts:
    """A writer between two steps."""

    def __init__(self, inner: Any, steps: Steps, before: str, after: str) -> None:
        self._inner, self._steps, self._before, self._after = inner, steps, before, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def write(self, decision: Decision, context: Context) -> Draft:
        self._steps.at(self._before)
        draft: Draft = await self._inner.write(decision, context)
        if self._after:
            self._steps.at(self._after)
        return draft


# What a worker does, once


def answer(desk: Desk, steps: Steps, ticket: str) -> None:
    assert desk.agent
    steps.at("before the look")
    writer = Drafts(desk.agent.writer, steps, "after the look", "after the draft")
    agent = replace(desk.agent, writer=writer, plain=Drafts(desk.agent.plain, steps, "after the guard", ""))
    asyncio.run(answering.answer(TicketId(ticket), agent))


def deliver(desk: Desk, steps: Steps) -> None:
    assert desk.agent
    act = desk.agent.act

    def around(name: str) -> Callable[[], None]:
        return lambda: steps.at(name)

    senders = {
        name: act_worker.Around(each, around(f"before the send by {name}"), around(f"after the send by {name}"))
        for name, each in act.senders.items()
    }
    asking.deliver_all(replace(desk.agent, act=replace(act, senders=senders)))


def approve(desk: Desk, steps: Steps, proposal: str, digest: str) -> None:
    assert desk.acts
    deciding.approve(proposal, LENA, digest, desk.acts)


def order(desk: Desk, steps: Steps, ticket: str, cause: str, action: str, arguments: dict[str, Any]) -> None:
    """What a rule or a person wants done."""
    assert desk.acts
    assert desk.tickets
    why = Cause(ticket=ticketing.standing(ticket, desk.tickets), id=cause, proposer="ai")
    with desk.acts.database.transaction() as tx:
        acting.order(tx, Proposal(action=action, arguments=arguments), why, desk.acts)


def race(desk: Desk, steps: Steps, ticket: str) -> None:
    """What two workers do at once; who is overtaken leaves it to the other's next job."""
    assert desk.agent
    with suppress(OvertakenError):
        asyncio.run(answering.answer(TicketId(ticket), desk.agent))
    asking.deliver_all(desk.agent)


class Poison:
    """A writer that always fails at one question: it raises, or takes its worker with it."""

    def __init__(self, inner: Any, kills: bool) -> None:
        self._inner, self._kills = inner, kills

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def write(self, decision: Decision, context: Context) -> Draft:
        if "poison" in " ".join(turn.text for turn in context.conversation.turns):
            if self._kills:
                act_worker.die()
            raise ValueError("a bug")
        draft: Draft = await self._inner.write(decision, context)
        return draft


def works(desk: Desk, steps: Steps, says: str, poison: str = "") -> None:
    """A whole worker, until it is killed; impatient, as far as a dead colleague and a second try are concerned."""
    assert desk.agent
    assert desk.open_audit
    working.HEARTBEAT_S, working.DEAD_AFTER_S, working.POLL_S, working.MOST_WAIT_S = 0.5, 3.0, 0.1, 0
    working.RAISE_EVERY = "* * * * * *"
    agent: AgentDesk = desk.agent
    if poison:
        agent = replace(agent, writer=Poison(agent.writer, poison == "kills"))

    def say(line: str) -> None:
        with Path(says).open("a") as file:
            file.write(f"{line}\n")

    workers.run(agent.act.database.url, agent, desk.open_audit(), threading.Event(), say)


DEEDS: dict[str, Callable[..., None]] = {each.__name__: each for each in (answer, deliver, approve, order, race, works)}


# The process


def settings_of(url: str, home: Path, **more: Any) -> Settings:
    return Settings(_env_file=None, home=home, database_url=SecretStr(url), burst_quiet_s=0, **more)


def stand_by(settings: dict[str, Any], line: Connection, forks: bool) -> None:
    """Everything is loaded once; then each thing that is asked for is done by a copy of this process, which may die of it."""
    with bootstrap.desk_of(settings_of(**settings)) as desk:
        assert desk.agent
        asyncio.run(answering.answer(TicketId(line.recv()), desk.agent))  # loads whatever waits for a first question
        line.send("ready")
        while (asked := line.recv()) is not None:
            if not forks:
                deed, _, given = asked
                DEEDS[deed](desk, Steps(), *given)
                line.send(("ended", 0))
                continue
            child = os.fork()
            if child == 0:
                _copy(desk, line, *asked)
            line.send(("began", child))
            line.send(("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))


def _copy(desk: Desk, line: Connection, deed: str, fatal: str, given: tuple[Any, ...]) -> None:
    """A copy has none of the threads of its original, and must not share its connections."""
    for each in gc.get_objects():
        if type(each) is db.Database:
            each.__init__(each.url, role=each._role)  # type: ignore[misc]
    steps, code = Steps(fatal), 1
    try:
        with watched(steps):
            DEEDS[deed](desk, steps, *given)
        line.send(("steps", steps.names))
        code = 0
    finally:
        os._exit(code)


class Hand:
    """The test's side of that process. `forks`: each thing is done by a copy, which may be killed; without, by the process itself, one after the other."""

    def __init__(
        self, processes: Any, url: str, home: Path, first: str, *, forks: bool = True, **settings: Any
    ) -> None:
        self._line, theirs = processes.Pipe()
        self._heard: dict[str, Any] = {}
        given = {"url": url, "home": home, **settings}
        self._process = processes.Process(target=stand_by, args=(given, theirs, forks), daemon=True)
        self._process.start()
        theirs.close()
        self._line.send(first)
        assert self._line.recv() == "ready"

    def does(self, deed: str, *given: Any, fatal: str = "") -> list[str]:
        """The steps that it took; with `fatal`, it is killed there."""
        self._line.send((deed, fatal, given))
        code, steps = self.ended()
        assert code == (-signal.SIGKILL if fatal else 0), f"{deed} {fatal}: ended with {code}"
        return steps

    def begins(self, deed: str, *given: Any, fatal: str = "") -> int:
        """The id of the process that does it."""
        self._line.send((deed, fatal, given))
        return int(self._told("began"))

    def ended(self) -> tuple[int, list[str]]:
        code = self._told("ended")
        self._heard.pop("began", None)
        return code, self._heard.pop("steps", [])

    def _told(self, wanted: str) -> Any:
        while wanted not in self._heard:
            what, told = self._line.recv()
            self._heard[what] = told
        return self._heard.pop(wanted)

    def close(self) -> None:
        self._line.send(None)
        self._process.join(10)
        self._process.kill()
        self._process.join()
