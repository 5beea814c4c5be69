"""What models wrote once -> the same draft again: replay is one more language model, which answers from the record.

    draft = await recorded.writer(record.exchanges).write(decision, context)

Everything around the model runs anew: hiding, composing, checks, citations, revealing, the way to the next model and to the
offline writer. So a draft that differs means that our code or its settings differ, and a prompt that differs says so itself.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from pydantic import ValidationError

from harken.adapters.writers.asking import Asking, NoReplyError, Reply, Usage, usage_of
from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import NOTHING, Budget, Ceilings, Spend
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.offline import OfflineWriter
from harken.adapters.writers.prompt import Prompt
from harken.adapters.writers.wording import read
from harken.domain.decision import Exchange
from harken.errors import RefusedError
from harken.kit.clock import FIRST, stopped_at


class PromptDiffersError(RefusedError):
    """A replay would ask a model something else than was asked then."""


class RecordedModel:
    """A language model that answers from exchanges, in order."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self._exchanges = tuple(exchanges)
        self._next = 0

    @property
    def name(self) -> str:
        return self._exchanges[min(self._next, len(self._exchanges) - 1)].model

    def worst_case(self, prompt: Prompt) -> Spend:
        return NOTHING

    async def ask(self, prompt: Prompt) -> Reply:
        """Raises NoReplyError where the model failed then, PromptDiffersError where it is asked something else."""
        if self._next >= len(self._exchanges):
            raise PromptDiffersError("A model is asked once more than was recorded.")
        exchange = self._exchanges[self._next]
        self._next += 1
        if exchange.asked != prompt.sha256:
            raise PromptDiffersError(
                f"{exchange.model} was asked {exchange.asked[:12]} and would now be asked {prompt.sha256[:12]} "
                f"({prompt.template}): the instructions, the settings or what is shown differ."
            )
        usage = usage_of(exchange.usage)
        if exchange.failure:
            raise NoReplyError(exchange.failure, down=False, usage=usage)
        try:
            reply = read(exchange.answered, prompt.template)
        except ValidationError:
            raise PromptDiffersError(
                f"What {exchange.model} wrote is no answer of the shape that is read now."
            ) from None
        return replace(reply, usage=usage or Usage(), notes=exchange.notes)

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """What was streamed to a person is not part of a record."""
        raise PromptDiffersError("A stream is not recorded.")
        yield ""

    async def close(self) -> None:
        """Nothing is open."""


def writer(exchanges: Sequence[Exchange]) -> OfflineWriter | ModelWriter:
    """The writer of a recorded draft, asked as it was then: one model for each exchange, so that names, notes and order
    come out as they were."""
    if not exchanges:
        return OfflineWriter()
    clock = stopped_at(FIRST)
    models = [(RecordedModel([exchange]), Breaker(clock)) for exchange in exchanges]
    return ModelWriter(models, budget=Budget(Ceilings(), clock), asking=Asking.as_then(exchanges[0].settings))
