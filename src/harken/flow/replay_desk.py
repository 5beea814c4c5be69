"""What replaying needs at hand. Built once, in bootstrap."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harken.decide.ports import Writer
from harken.domain.decision import Advice, Context, Draft, Exchange
from harken.domain.verdict import Verdict
from harken.flow.drafter import Preparer
from harken.kit.db import Database
from harken.privacy.keys import MasterKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDesk:
    database: Database
    master: MasterKey
    writer: Callable[[Draft, str | None], Writer]
    """Who worded a draft: the offline writer itself, or a model that answers what it answered then. With the guard's rules of
    then, which say whether a model is asked at all; None where nobody judged."""
    prepared: Callable[[Sequence[Exchange]], Preparer] | None = None
    """Who was asked before anything was decided, and answers what it answered then; None: nothing here asks."""
    judge: Callable[[Advice, Context, str], Verdict] | None = None
    """The guard, with the rules of a text; None: nothing here judges."""
