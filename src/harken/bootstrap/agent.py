"""The settings -> the desk that answers tickets, and what its workers do."""

from functools import partial
from typing import TYPE_CHECKING

from harken.adapters import jobs
from harken.adapters.writers import OfflineWriter
from harken.bootstrap import asks_a_model, classifiers, load_guard_rules, writer_of
from harken.errors import UnsuitableError
from harken.flow.agent_desk import AgentDesk
from harken.flow.desk import Desk

if TYPE_CHECKING:
    from datetime import datetime

    from harken.kit.db import Tx
    from harken.settings import Settings

ANSWER, DELIVER = "answer", "deliver"


def desk_of(settings: "Settings", url: str, desk: Desk) -> AgentDesk:
    """Raises UnsuitableError where the store takes files only."""
    if desk.tickets is None or desk.acts is None or desk.library is None:
        raise UnsuitableError("This store takes files only: tickets need PostgreSQL.")
    return AgentDesk(
        warehouse=desk.warehouse,
        tickets=desk.tickets,
        library=desk.library,
        act=desk.acts,
        policy=desk.bench.load_policy(),
        rules=load_guard_rules(settings.guard_rules),
        writer=writer_of(settings, url),
        plain=OfflineWriter(),
        asks_models=asks_a_model(settings),
        classifier=classifiers.classifier_of(settings),
        wake_delivery=partial(_wake_delivery),
        unsure_below=settings.classifier_unsure_below,
    )


def _wake_delivery(tx: "Tx", at: "datetime") -> None:
    jobs.ask(tx, DELIVER, "", at)
