"""What an answer that somebody waits for needs of whoever words it: more than a batch does."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from harken.decide.ports import Writer
from harken.domain.decision import Context, Decision, Draft, Told
from harken.domain.ids import CustomerId


class Streamer(Protocol):
    """Words as they come, for a person's screen. Checked by nobody: never for a customer's eyes."""

    def stream(self, decision: Decision, context: Context) -> AsyncIterator[str]:
        """Ends early where a model breaks off; raises nothing of a model's."""
        ...


class Preparer(Protocol):
    """What a model is asked before anything is decided, so that context and record hold what was weighed and shown."""

    async def translate(self, texts: Sequence[str], to: str, customer: CustomerId | None = None) -> Told:
        """One text for each. One that cannot be translated faithfully, or with no model at all, stays as it was."""
        ...

    async def sort(self, text: str, categories: Sequence[str], customer: CustomerId | None = None) -> Told:
        """What a message is about: whatever a model says, which may be none of `categories`; no text where none answers."""
        ...


class Drafter(Writer, Streamer, Preparer, Protocol):
    """A writer while somebody waits."""

    async def remember(self, decision: Decision, draft: Draft, context: Context) -> bool:
        """Called once guards let a draft go out as it is: it may serve whoever asks the same with the same rights."""
        ...

    async def budget_left(self, customer: CustomerId) -> bool:
        """Whether a model may still be asked for this customer: theirs, the day's and the month's money."""
        ...

    def model_up(self) -> bool:
        """False where models are configured and all of them rest after failures."""
        ...
