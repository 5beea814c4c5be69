"""What deciding needs from the outside, said by the one who needs it: a decision -> its words."""

from typing import Protocol

from harken.domain.decision import Context, Decision, Draft


class Writer(Protocol):
    """Turns a decision into words. May be a model, a template, or a test."""

    async def write(self, decision: Decision, context: Context) -> Draft:
        """Raises ModelUnavailableError when it cannot, and only that."""
        ...

    async def close(self) -> None:
        """Let go of connections, in the loop that they were made in."""
        ...
