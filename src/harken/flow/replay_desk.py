"""What replaying needs at hand. Built once, in bootstrap."""

from collections.abc import Callable
from dataclasses import dataclass

from harken.decide.ports import Writer
from harken.domain.decision import Advice, Context, Decision, Draft
from harken.domain.verdict import Verdict
from harken.kit.db import Database
from harken.privacy.keys import MasterKey


@dataclass(frozen=True, slots=True)
class Quoting:
    """A writer that words every decision as it was worded then."""

    draft: Draft

    async def write(self, decision: Decision, context: Context) -> Draft:
        return self.draft

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayDesk:
    database: Database
    master: MasterKey
    writer: Callable[[Draft], Writer]
    """Who worded a draft: the offline writer itself, or a model that answers what it answered then."""
    judge: Callable[[Advice, Context, str], Verdict] | None = None
    """The guard, with the rules of a text; None: nothing here judges."""
