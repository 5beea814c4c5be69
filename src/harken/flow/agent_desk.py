"""What answering tickets needs at hand. Built once, in bootstrap."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from harken.decide.policy import Policy
from harken.decide.ports import Writer
from harken.domain.classification import Classification
from harken.domain.event import Reading
from harken.flow.act_desk import ActDesk
from harken.flow.drafter import Drafter
from harken.flow.library_desk import LibraryDesk
from harken.flow.ports import Warehouse
from harken.flow.ticket_desk import TicketDesk
from harken.guard.rules_file import GuardRules
from harken.kit.db import Tx


class Classifier(Protocol):
    def classify(self, text: str, reading: Reading) -> Classification: ...


class WakeDelivery(Protocol):
    def __call__(self, tx: Tx, at: datetime) -> None:
        """Tell the workers, in the transaction, that something is to leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDesk:
    warehouse: Warehouse
    tickets: TicketDesk
    library: LibraryDesk
    act: ActDesk
    policy: Policy
    rules: GuardRules
    writer: Drafter
    plain: Writer  #: set phrases and quotes, without a model
    asks_models: bool  #: False: the writer is the offline one
    classifier: Classifier
    wake_delivery: WakeDelivery
    passages: int = 5
    unsure_below: float = 0.5  #: probability of a category under which a model is asked
