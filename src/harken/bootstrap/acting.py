"""Settings -> the desk of those who act: the catalogue, the channels, and who is told."""

from functools import partial
from typing import TYPE_CHECKING

from pydantic import SecretStr

from harken.act import catalogue
from harken.act.catalogue import Executor
from harken.act.ports import Sender
from harken.adapters.channels import email, http_action
from harken.adapters.channels.conversation import Conversation
from harken.adapters.channels.outside import Rules
from harken.audit import store as audit
from harken.flow import ticket_acting
from harken.flow.act_desk import ActDesk
from harken.flow.ticket_desk import TicketDesk
from harken.kit.db import Tx

if TYPE_CHECKING:
    from harken.settings import Settings

LOOPBACK = "loopback"
_EMAIL = "email:"


def desk_of(settings: "Settings", tickets: TicketDesk) -> ActDesk:
    live = tickets.live
    return ActDesk(
        database=live.database,
        master=live.master,
        clock=live.clock,
        catalogue=catalogue.load(settings.actions),
        senders=_senders(settings, tickets),
        record=audit.record,
        ticket_actions=partial(ticket_acting.act, desk=tickets),
        ask_person=partial(ticket_acting.ask, desk=tickets),
        address_of=address_of,
    )


def _senders(settings: "Settings", tickets: TicketDesk) -> dict[str, Sender]:
    """A channel that nobody configured is left out."""
    made: dict[str, Sender] = {Executor.CONVERSATION: Conversation(partial(ticket_acting.say, desk=tickets))}
    if settings.smtp_url.get_secret_value():
        made[Executor.EMAIL] = email.Email(email.server(settings.smtp_url))
    if settings.action_secret.get_secret_value():
        made[Executor.HTTP] = http_action.HttpAction(outside_rules(settings), tickets.live.clock)
    return made


def outside_rules(settings: "Settings") -> Rules:
    hosts = {host.strip() for host in settings.action_hosts.split(",")} - {""}
    secrets = settings.action_secret.get_secret_value().split()
    return Rules(
        secrets=tuple(map(SecretStr, secrets)),
        private_hosts=frozenset(hosts - {LOOPBACK}),
        plain_loopback=LOOPBACK in hosts,
    )


def address_of(tx: Tx, customer: str) -> str:
    """Only what the identity itself says: an address that a message names may be anybody's."""
    return customer.removeprefix(_EMAIL) if customer.startswith(_EMAIL) else ""
