"""What is not a death of ours: the database dies, its disk is full, a ticket is poison. Nothing is lost, and nothing circles."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest
from answer_crash_cases import PATIENCE_S, PIN, Town, town_on
from conftest import UNSAFE_BUT_QUICK, end_supervisor
from test_answering import answers

from harken.adapters.jobs import working
from harken.domain.ticket import OwnerType, TicketId
from harken.errors import TryAgainError
from harken.flow import agent_work, ticketing
from harken.kit import embedded_postgres, embedded_supervisor
from harken.kit.embedded_place import Place

POISON = "How can I see my PIN in the app? I mean the poison."
_BIRTH = "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$; CREATE TRIGGER no_room BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION no_room()"  # fmt: skip
_DEATH = "DROP FUNCTION no_room CASCADE"


@pytest.fixture(scope="module")
def home(open_folder: Path) -> Path:
    """Of a server that dies without taking the other tests with it."""
    return open_folder / "mortal"


@pytest.fixture(scope="module")
def town(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    elsewhere = home.with_name("elsewhere")
    with ExitStack() as ends:
        running = ends.enter_context(embedded_postgres.start(home, settings=UNSAFE_BUT_QUICK, elsewhere=elsewhere))
        ends.callback(end_supervisor, running.folder)
        yield ends.enter_context(town_on(running.url, tmp_path_factory.mktemp("mortal")))


@contextmanager
def worker(town: Town, says: Path, poison: str = "") -> Iterator[int]:
    pid = town.hand.begins("works", str(says), poison)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        town.hand.ended()


def until(what: Callable[[], object]) -> None:
    ends = time.monotonic() + 2 * PATIENCE_S
    while not quietly(what):
        assert time.monotonic() < ends, "waited in vain"
        time.sleep(0.05)


def quietly(what: Callable[[], object]) -> object:
    """Not yet, where the database is away; or where a connection of before its death is taken once more."""
    with suppress(TryAgainError, psycopg.OperationalError):
        return what()
    return False


def test_the_database_dies_while_tickets_are_answered(town: Town, home: Path, tmp_path: Path) -> None:
    """Killed and started again, twice: the worker says so in a line, comes back by itself, and everybody has one reply."""
    says = tmp_path / "said"
    with worker(town, says):
        for _ in range(2):
            tickets = [opened_at_last(town) for _ in range(6)]
            until(lambda tickets=tickets: answers(town.desk, tickets[0]))
            crash(home)
            until(lambda tickets=tickets: all(town.outbox(each) == [("reply", "delivered")] for each in tickets))
            until(lambda tickets=tickets: all(len(answers(town.desk, each)) == 1 for each in tickets))
            for each in tickets:
                town.once(each)
    lines = set(says.read_text().splitlines())
    assert lines
    assert all(line.endswith("it goes on when the database is back.") for line in lines), lines


def opened_at_last(town: Town, text: str = PIN) -> TicketId:
    """Each connection of before the crash fails once, and keeps nothing."""
    while not (ticket := quietly(partial(town.open, text))):
        pass
    assert isinstance(ticket, str)
    return TicketId(ticket)


def crash(home: Path) -> None:
    pid = embedded_supervisor.postmaster(Place(home / "postgres", None))
    assert pid
    os.kill(pid, signal.SIGKILL)
    until(lambda: not Path(f"/proc/{pid}").exists())


@pytest.mark.parametrize("table", ["record_blob", "outbox", "ticket_change"])
def test_a_full_disk_keeps_nothing_half(town: Town, tmp_path: Path, table: str) -> None:
    """As PostgreSQL says it, wherever it strikes within the answer; once there is room, the ticket is answered."""
    says, ticket = tmp_path / "said", opened_at_last(town)
    with psycopg.connect(town.url, autocommit=True) as owner:
        owner.execute(_BIRTH.format(table))  # type: ignore[arg-type]
        town.hand.begins("answer", ticket)
        code, _ = town.hand.ended()
        assert code == 1
        assert (town.records(ticket), town.outbox(ticket), town.jobs(ticket)) == (0, [], 1)
        owner.execute(_DEATH)
    with worker(town, says):
        until(lambda: town.outbox(ticket) == [("reply", "delivered")])
    town.once(ticket)


@pytest.mark.parametrize("way", ["raises", "kills"])
def test_poison_ends_with_a_person(town: Town, tmp_path: Path, way: str) -> None:
    """A ticket that fails, or takes its worker with it, every time; and one beside it that does not."""
    poison, innocent = opened_at_last(town, POISON), opened_at_last(town)
    deaths = 0
    while not handed_over(town, poison):
        assert deaths <= working.ATTEMPTS, "it circles"
        pid = town.hand.begins("works", str(tmp_path / "said"), way)
        try:
            until(lambda pid=pid: handed_over(town, poison) or is_dead(pid))
            deaths += is_dead(pid)
            if not is_dead(pid):
                until(lambda: town.outbox(innocent) == [("reply", "delivered")])
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            town.hand.ended()
    assert (deaths > 1) is (way == "kills")
    assert (answers(town.desk, poison), town.jobs(poison)) == ([], 0)
    town.once(innocent)


def handed_over(town: Town, ticket: TicketId) -> bool:
    now = ticketing.standing(ticket, town.agent.tickets)
    return (now.owner.type, now.attributes.get("escalated")) == (OwnerType.TEAM, agent_work.GAVE_UP)


def is_dead(pid: int) -> bool:
    """Gone, or a body that its parent has not yet buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
