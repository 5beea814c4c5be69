"""Settings -> the desk of those who act: the catalogue, the channels, and who is told."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from harken.act import catalogue
from harken.act.catalogue import Executor
from harken.act.ports import Sender
from harken.adapters.channels import email, http_action
from harken.adapters.channels.conversation import Conversation
from harken.audit import store as audit
from harken.domain.profile import Value
from harken.errors import RefusedError
from harken.flow import telling
from harken.flow.act_desk import ActDesk
from harken.flow.desk import LiveDesk
from harken.kit.db import Tx
from harken.kit.log import logger

if TYPE_CHECKING:
    from harken.settings import Settings

LOOPBACK = "loopback"
_EMAIL = "email:"

log = logger(__name__)


def desk_of(settings: "Settings", live: LiveDesk) -> ActDesk:
    return ActDesk(
        database=live.database,
        master=live.master,
        clock=live.clock,
        catalogue=catalogue.load(settings.actions),
        senders=_senders(settings, live),
        record=audit.record,
        ticket_actions=_ticket_actions,
        ask_person=_ask_person,
        address_of=address_of,
    )


def _senders(settings: "Settings", live: LiveDesk) -> dict[str, Sender]:
    """A channel that nobody configured is left out."""
    made: dict[str, Sender] = {Executor.CONVERSATION: Conversation(partial(_say, live))}
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


def _say(live: LiveDesk, message: Any, id_: str) -> str:
    return telling.say(message, id_, live)


def address_of(tx: Tx, customer: str) -> str:
    """Only what the identity itself says: an address that a message names may be anybody's."""
    return customer.removeprefix(_EMAIL) if customer.startswith(_EMAIL) else ""


def _ticket_actions(tx: Tx, ticket: str, action: str, arguments: Mapping[str, Value]) -> None:
    raise RefusedError(f"There is no ticket {ticket} in this store.")


def _ask_person(tx: Tx, ticket: str, reason: str) -> None:
    log.warning("a_person_is_needed", ticket=ticket, reason=reason)
