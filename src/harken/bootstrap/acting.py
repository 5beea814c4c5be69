"""Settings -> the desk of those who act: the catalogue, the channels, and who is told."""

from functools import partial
from typing import TYPE_CHECKING

from pydantic import SecretStr

from harken.act import catalogue
from harken.act.catalogue import Executor
from harken.act.ports import Message, Sender
from harken.adapters.channels import email, http_action
from harken.adapters.channels.conversation import Conversation
from harken.audit import store as audit
from harken.flow import telling
from harken.flow.act_desk import ActDesk
from harken.flow.desk import LiveDesk
from harken.flow.ticket_deeds import TicketDeeds
from harken.flow.ticket_desk import TicketDesk
from harken.kit.db import Tx
from harken.kit.log import logger

if TYPE_CHECKING:
    from harken.settings import Settings

LOOPBACK = "loopback"
_EMAIL = "email:"

log = logger(__name__)


def desk_of(settings: "Settings", live: LiveDesk, tickets: TicketDesk) -> ActDesk:
    deeds = TicketDeeds(tickets)
    return ActDesk(
        database=live.database,
        master=live.master,
        clock=live.clock,
        catalogue=catalogue.load(settings.actions),
        senders=_senders(settings, live, deeds),
        record=audit.record,
        ticket_actions=deeds.act,
        ask_person=deeds.ask_person,
        address_of=address_of,
    )


def _senders(settings: "Settings", live: LiveDesk, deeds: TicketDeeds) -> dict[str, Sender]:
    """A channel that nobody configured is left out."""
    made: dict[str, Sender] = {Executor.CONVERSATION: Conversation(partial(_say, live, deeds))}
    if settings.smtp_url.get_secret_value():
        made[Executor.EMAIL] = email.Email(email.server(settings.smtp_url))
    if settings.action_secret.get_secret_value():
        made[Executor.HTTP] = http_action.HttpAction(_rules(settings), live.clock)
    return made


def _rules(settings: "Settings") -> http_action.Rules:
    hosts = {host.strip() for host in settings.action_hosts.split(",")} - {""}
    secrets = settings.action_secret.get_secret_value().split()
    return http_action.Rules(
        secrets=tuple(map(SecretStr, secrets)),
        private_hosts=frozenset(hosts - {LOOPBACK}),
        plain_loopback=LOOPBACK in hosts,
    )


def _say(live: LiveDesk, deeds: TicketDeeds, message: Message, id_: str) -> str:
    return telling.say(message, id_, live, deeds.said(message))


def address_of(tx: Tx, customer: str) -> str:
    """Only what the identity itself says: an address that a message names may be anybody's."""
    return customer.removeprefix(_EMAIL) if customer.startswith(_EMAIL) else ""
