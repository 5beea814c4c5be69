"""A prompt -> the first reply that a language model gives: each is asked in turn, paid for, left alone while it rests, and written down.

What happened on the way (cost, reasons, exchanges) is in `Attempts`, whether or not a reply came.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from harken.adapters.writers.asking import LanguageModel, NoReplyError, Reply, Usage
from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, OverBudgetError
from harken.adapters.writers.prompt import Prompt
from harken.domain.decision import Exchange
from harken.domain.ids import CustomerId
from harken.kit import observe
from harken.kit.log import logger

RESTING: Final = "resting after failures"
TOO_LATE: Final = "no answer before the deadline"

log = logger(__name__)


@dataclass
class Attempts:
    """What happened on the way to a reply."""

    settings: Mapping[str, str | int]  #: what shapes every prompt of these
    usage: Usage = field(default_factory=Usage)
    notes: list[str] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    under_way: str = ""  #: the model that is asked or waited for just now

    def failed(self, model: str, prompt: Prompt, reason: str, usage: Usage | None = None) -> None:
        figures = {} if usage is None else usage.figures
        self._add(Exchange(model=model, asked=prompt.sha256, failure=reason, usage=figures))
        self.notes.append(f"{model}: {reason}")
        if usage is not None:
            self.usage += usage

    def late(self, prompt: Prompt) -> None:
        """Given up at the deadline, whichever was asked then."""
        self.failed(self.under_way, prompt, TOO_LATE)
        told(self.under_way, TOO_LATE)

    def answered(self, model: str, prompt: Prompt, reply: Reply) -> None:
        self._add(
            Exchange(model=model, asked=prompt.sha256, answered=reply.raw, usage=reply.usage.figures, notes=reply.notes)
        )
        self.notes.extend(reply.notes)
        self.usage += reply.usage

    def _add(self, exchange: Exchange) -> None:
        self.exchanges.append(replace(exchange, settings=self.settings))


class Models:
    """Language models in the order in which they are asked, each with its breaker, behind one budget."""

    def __init__(self, models: Sequence[tuple[LanguageModel, Breaker]], budget: Budget, concurrent: int) -> None:
        self._models = tuple(models)
        self._budget = budget
        self._slots = asyncio.Semaphore(concurrent)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(language_model.name for language_model, _ in self._models)

    @property
    def up(self) -> bool:
        """Whether one may be asked now."""
        return any(not breaker.rests for _, breaker in self._models)

    async def affordable(self, prompt: Prompt, customer: CustomerId | None) -> bool:
        """Whether the cheapest of them would be asked this now."""
        cheapest = min((each.worst_case(prompt) for each, _ in self._models), key=lambda worst: worst.usd)
        return await self._budget.left(cheapest, customer)

    async def first_reply(
        self, prompt: Prompt, customer: CustomerId | None, attempts: Attempts
    ) -> tuple[str, Reply] | None:
        """None where none gave one."""
        attempts.under_way = self.names[0] if self._models else ""
        async with self._slots:
            return await self._in_turn(prompt, customer, attempts)

    async def stream(self, prompt: Prompt, customer: CustomerId | None, patience_s: float) -> AsyncIterator[str]:
        """Of the first model that begins. One that breaks off, or is silent for too long, ends the text where it is."""
        async with self._slots:
            for language_model, breaker in self._models:
                begun = False
                pieces = self._streamed(language_model, breaker, prompt, customer)
                try:
                    while (piece := await asyncio.wait_for(anext(pieces, None), patience_s)) is not None:
                        begun = True
                        yield piece
                except (NoReplyError, OverBudgetError, TimeoutError) as failure:
                    told(language_model.name, str(failure) or TOO_LATE)
                finally:
                    await pieces.aclose()
                if begun:
                    return

    async def close(self) -> None:
        for language_model, _ in self._models:
            await language_model.close()

    async def _in_turn(
        self, prompt: Prompt, customer: CustomerId | None, attempts: Attempts
    ) -> tuple[str, Reply] | None:
        for language_model, breaker in self._models:
            name = attempts.under_way = language_model.name
            if not breaker.lets_through():
                attempts.failed(name, prompt, RESTING)
                continue
            try:
                reply = await self._paid(language_model, prompt, customer)
            except OverBudgetError as short:
                attempts.failed(name, prompt, str(short))
            except NoReplyError as failure:
                _learn(breaker, failure)
                attempts.failed(name, prompt, failure.reason, failure.usage)
                told(name, failure.reason)
            else:
                breaker.succeeded()
                attempts.answered(name, prompt, reply)
                return name, reply
        return None

    async def _paid(self, language_model: LanguageModel, prompt: Prompt, customer: CustomerId | None) -> Reply:
        """Ask with the worst case set aside, and keep the true figure, whatever happens."""
        reservation = await self._budget.reserve(language_model.worst_case(prompt), customer)
        actual = reservation.worst
        try:
            reply = await language_model.ask(prompt)
            actual = reply.usage.spend
            return reply
        except NoReplyError as failure:
            if failure.usage is not None:
                actual = failure.usage.spend
            raise
        finally:
            observe.add(observe.MODEL_COST, actual.usd, model=language_model.name)
            await self._budget.settle(reservation, actual)

    async def _streamed(
        self, language_model: LanguageModel, breaker: Breaker, prompt: Prompt, customer: CustomerId | None
    ) -> AsyncGenerator[str]:
        """What a stream costs is known only by some providers, so the worst case is kept."""
        if not breaker.lets_through():
            raise NoReplyError(RESTING, down=True, usage=None)
        reservation = await self._budget.reserve(language_model.worst_case(prompt), customer)
        try:
            async for piece in language_model.stream(prompt):
                yield piece
            breaker.succeeded()
        except NoReplyError as failure:
            _learn(breaker, failure)
            raise
        finally:
            observe.add(observe.MODEL_COST, reservation.worst.usd, model=language_model.name)
            await self._budget.settle(reservation, reservation.worst)


def _learn(breaker: Breaker, failure: NoReplyError) -> None:
    """A bad answer to one prompt is no sign that a provider is down."""
    if failure.down:
        breaker.failed()
    else:
        breaker.succeeded()


def told(model: str, reason: str) -> None:
    observe.add(observe.MODEL_FALLBACK, model=model, reason=reason)
    log.warning("model_failed", model=model, reason=reason)
