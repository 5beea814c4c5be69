"""The desks of parts that few commands need: each is built when it is first asked for, and is the same one from then on."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING

from harken.flow.desk import Desk, LiveDesk

if TYPE_CHECKING:
    from harken.domain.ticket import TicketId
    from harken.flow.act_desk import ActDesk
    from harken.flow.agent_desk import AgentDesk
    from harken.flow.audit_desk import AuditDesk
    from harken.flow.library_desk import LibraryDesk
    from harken.flow.replay_desk import ReplayDesk
    from harken.flow.ticket_desk import TicketDesk
    from harken.kit.db import Tx
    from harken.settings import Settings

# What is imported inside functions costs a tenth of a second to several, which --help and files need not wait for.


def with_desks(desk: Desk, settings: "Settings", url: str, ends: ExitStack) -> Desk:
    """A store that takes files only has none of them."""
    if desk.live is None:
        return desk
    tickets = cache(partial(_tickets, settings, desk, desk.live))
    whole = replace(
        desk,
        jobs_inflight=_jobs_inflight,
        open_library=cache(partial(_library, settings, url, desk, ends)),
        open_tickets=tickets,
        open_acts=cache(partial(_acts, settings, tickets)),
        open_audit=cache(partial(_audit, settings, url, ends)),
        open_replay=cache(partial(_replay, settings, url, desk, ends)),
    )
    return replace(whole, open_agent=cache(partial(_agent, settings, url, whole)))


def _library(settings: "Settings", url: str, desk: Desk, ends: ExitStack) -> "LibraryDesk":
    from harken.bootstrap import library  # noqa: PLC0415

    made = library.desk_of(settings, url, desk.bench.master, desk.who)
    ends.callback(made.close)
    return made


def _tickets(settings: "Settings", desk: Desk, live: LiveDesk) -> "TicketDesk":
    from harken.flow.ticket_desk import TicketDesk  # noqa: PLC0415
    from harken.tickets import desk_rules  # noqa: PLC0415

    quiet = timedelta(seconds=settings.burst_quiet_s)
    rules = desk_rules.load(settings.desk)
    return TicketDesk(live=live, people=desk.warehouse.people, rules=rules, wake=partial(_wake, quiet))


def _wake(quiet: timedelta, tx: "Tx", ticket: "TicketId", at: datetime) -> None:
    """A burst of messages is answered as one: the first asks for the job, and it begins when the burst is likely over."""
    from harken.adapters.jobs import ask  # noqa: PLC0415

    ask(tx, "answer", ticket, at + quiet)


def _jobs_inflight(tx: "Tx") -> int:
    from harken.adapters import jobs  # noqa: PLC0415

    return jobs.inflight(tx)


def _acts(settings: "Settings", tickets: "Callable[[], TicketDesk]") -> "ActDesk":
    from harken.bootstrap import acting  # noqa: PLC0415

    return acting.desk_of(settings, tickets())


def _audit(settings: "Settings", url: str, ends: ExitStack) -> "AuditDesk":
    from harken.bootstrap import auditing  # noqa: PLC0415

    made = auditing.desk_of(settings, url)
    ends.callback(made.database.close)
    return made


def _replay(settings: "Settings", url: str, desk: Desk, ends: ExitStack) -> "ReplayDesk":
    from harken.bootstrap import auditing  # noqa: PLC0415

    made = auditing.replay_desk_of(settings, url, desk.bench.master)
    ends.callback(made.database.close)
    return made


def _agent(settings: "Settings", url: str, desk: Desk) -> "AgentDesk":
    from harken.bootstrap import agent  # noqa: PLC0415

    return agent.desk_of(settings, url, desk)
