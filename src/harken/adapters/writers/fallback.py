"""A decision -> words by the first language model that answers and passes the checks, else by the offline writer.

    language model 1 -> language model 2 -> ... -> checks -> words
                 any failure, any problem, no budget ─────> offline words, with the reason in the draft's notes

A draft always comes. The draft says who wrote it, what it cost and why others did not.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, OverBudgetError, Spend
from harken.adapters.writers.offline import OfflineWriter
from harken.adapters.writers.prompt import Prompt, compose, secrets
from harken.adapters.writers.veil import Veil
from harken.domain.decision import Context, Decision, Draft, OutChannel
from harken.errors import ModelUnavailableError
from harken.guard import checks
from harken.guard.literals import allowed_literals
from harken.kit.log import logger
from harken.privacy.scanner import REGIONS

log = logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What calls cost: one call, or several added up."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0

    @property
    def spend(self) -> Spend:
        return Spend(self.usd, self.input_tokens + self.output_tokens)

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            usd=self.usd + other.usd,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a language model wrote. Two texts and nothing else: it cannot name a channel, a time or a recipient."""

    message: str
    reasoning: str
    usage: Usage = field(default_factory=Usage)
    notes: tuple[str, ...] = ()


class NoReplyError(ModelUnavailableError):
    """A language model gave nothing usable. `reason` is short and holds no text of the provider's."""

    def __init__(self, reason: str, *, down: bool, usage: Usage | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.down = down  #: the provider itself is in trouble; a bad answer to one prompt is not that
        self.usage = usage  #: None when nobody knows what the call cost: the worst case is kept


class LanguageModel(Protocol):
    """One model at one provider."""

    @property
    def name(self) -> str:
        """`<provider>:<model>`, for the draft's mode and notes."""
        ...

    def worst_case(self, prompt: Prompt) -> Spend:
        """The most that asking may cost, the second attempt after a bad answer included."""
        ...

    async def ask(self, prompt: Prompt) -> Reply:
        """Raises NoReplyError, and only that."""
        ...

    async def close(self) -> None: ...


@dataclass
class _Attempts:
    """What happened on the way to a draft."""

    usage: Usage = field(default_factory=Usage)
    notes: list[str] = field(default_factory=list)


class ModelWriter:
    """Words by a language model, with the offline writer behind it."""

    def __init__(
        self,
        models: Sequence[tuple[LanguageModel, Breaker]],
        *,
        budget: Budget,
        history_tokens: int = 2000,
        concurrent: int = 8,
        regions: Sequence[str] = REGIONS,
    ) -> None:
        self._models = tuple(models)
        self._budget = budget
        self._history_tokens = history_tokens
        self._slots = asyncio.Semaphore(concurrent)
        self._regions = tuple(regions)
        self._offline = OfflineWriter()

    async def write(self, decision: Decision, context: Context) -> Draft:
        if decision.channel is OutChannel.NONE:
            return self._offline.draft(decision, context)
        veil = Veil(context, regions=self._regions)
        prompt = compose(veil.decision(decision), veil.context, self._history_tokens)
        attempts = _Attempts()
        async with self._slots:
            written = await self._first_reply(prompt, attempts)
        if written is None:
            return self._without_a_model(decision, context, attempts)
        name, reply = written
        problems = refused(reply, decision, context, veil)
        if problems:
            attempts.notes.append(f"{name} refused by checks: {', '.join(problems)}")
            log.warning("draft_refused", model=name, checks=problems, decision=decision.id)
            return self._without_a_model(decision, context, attempts)
        return Draft(
            message=veil.reveal(reply.message).strip(),
            reasoning=f"{decision.because} {veil.reveal(reply.reasoning).strip()}".strip(),
            mode=name,
            usage=_figures(attempts.usage),
            notes=(*attempts.notes, *reply.notes),
        )

    async def close(self) -> None:
        for language_model, _ in self._models:
            await language_model.close()

    def _without_a_model(self, decision: Decision, context: Context, attempts: _Attempts) -> Draft:
        draft = self._offline.draft(decision, context, tuple(attempts.notes))
        return replace(draft, usage=_figures(attempts.usage)) if attempts.usage.requests else draft

    async def _first_reply(self, prompt: Prompt, attempts: _Attempts) -> tuple[str, Reply] | None:
        for language_model, breaker in self._models:
            name = language_model.name
            if not breaker.lets_through():
                attempts.notes.append(f"{name}: resting after failures")
                continue
            try:
                return name, await self._paid(language_model, prompt, attempts)
            except OverBudgetError:
                attempts.notes.append(f"{name}: daily budget used up")
            except NoReplyError as failure:
                if failure.down:
                    breaker.failed()
                else:
                    breaker.succeeded()
                attempts.notes.append(f"{name}: {failure.reason}")
                log.warning("model_failed", model=name, reason=failure.reason)
            else:
                breaker.succeeded()
        return None

    async def _paid(self, language_model: LanguageModel, prompt: Prompt, attempts: _Attempts) -> Reply:
        """Ask with the worst case set aside, and keep the true figure, whatever happens."""
        reservation = await self._budget.reserve(language_model.worst_case(prompt))
        actual = reservation.worst
        try:
            reply = await language_model.ask(prompt)
            actual = reply.usage.spend
            attempts.usage += reply.usage
            return reply
        except NoReplyError as failure:
            if failure.usage is not None:
                actual = failure.usage.spend
                attempts.usage += failure.usage
            raise
        finally:
            attempts.notes.extend(await self._budget.settle(reservation, actual))


def refused(reply: Reply, decision: Decision, context: Context, veil: Veil) -> list[str]:
    """The names of the checks that a reply fails, while its personal data still are tokens, and once more for length."""
    allowed = allowed_literals(decision, context) | veil.may_be_repeated
    found = checks.check(reply.message, reply.reasoning, decision, context, allowed, secrets())
    names = [problem.check for problem in found]
    if not names and len(veil.reveal(reply.message)) > checks.MESSAGE_CHARACTERS[decision.channel]:
        names = ["fits_the_channel"]
    return names


def _figures(usage: Usage) -> dict[str, int | float]:
    return {
        "requests": usage.requests,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": usage.usd,
    }
