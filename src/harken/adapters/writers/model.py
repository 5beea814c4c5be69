"""Plain settings -> language models of Anthropic, OpenAI, Azure OpenAI or any server that speaks OpenAI's format.

The only module that imports pydantic-ai and the providers' clients, which takes seconds: import it only once a model
is configured. The clients' own retries are off; a second attempt is made only to mend an answer of the wrong shape.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from anthropic import AnthropicError, AsyncAnthropic
from genai_prices import Usage as PricedUsage
from genai_prices import calc_price
from httpx2 import HTTPError
from openai import AsyncAzureOpenAI, AsyncOpenAI, OpenAIError
from pydantic import SecretStr
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import (
    AgentRunError,
    ContentFilterError,
    ModelAPIError,
    ModelConnectionError,
    ModelHTTPError,
    ModelRequestTimeout,
    ModelTimeoutError,
    OutputTokenLimitExceeded,
    UserError,
)
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.azure import AzureProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import CacheConfig, ModelSettings
from pydantic_ai.usage import RunUsage

from harken.adapters.writers.answers import Answers
from harken.adapters.writers.asking import Asking, LanguageModel, NoReplyError, Reply, Usage
from harken.adapters.writers.bounded import bounded_client
from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, Spend
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.prompt import Prompt
from harken.adapters.writers.wording import SHAPES, Answer, Sorted, Translation, Wording
from harken.kit.clock import Clock

ANTHROPIC_URL: Final = "https://api.anthropic.com"
OPENAI_URL: Final = "https://api.openai.com/v1"
AZURE_API_VERSION: Final = "2024-10-21"
"""The oldest general version that takes a strict schema for the answer."""

MENDING_ATTEMPTS: Final = 1
MENDING_TOKENS: Final = 500
"""What the note about a bad answer adds to the second attempt, at most."""

BAD_REQUEST: Final = frozenset({400, 404, 413, 422})
"""Answers that blame this one request, so the provider need not rest."""

INSTRUCTIONS_ONLY: Final = CacheConfig(messages=False)
"""A provider may keep the instructions, which every prompt begins with; the data after them are never asked again."""

Key = SecretStr | str

# What a provider's client or pydantic-ai may raise on an answer that is not what the format says. Programming
# errors among them come from reading such an answer; ours would show in the tests of a good one.
_UNREADABLE = (UserError, AnthropicError, OpenAIError, HTTPError, ValueError, TypeError, AttributeError, LookupError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How a model is asked."""

    timeout_s: float = 20.0  #: of one request
    max_tokens: int = 700  #: of one answer
    temperature: float | None = None  #: dropped, with a note, where the model refuses it


class PricedModel:
    """A pydantic-ai model with its limits and its price list."""

    def __init__(self, model: Model, provider: str, name: str, limits: Limits) -> None:
        self.name = f"{provider}:{name}"
        self._model_name = name
        self._price_list = "openai" if provider == "openai-compatible" else provider
        self._limits = limits
        self._model = model
        self._agents: dict[str, Agent[None, Wording | Answer | Translation | Sorted]] = {
            template: Agent(
                model, output_type=NativeOutput(shape, strict=True), retries=MENDING_ATTEMPTS, name=template
            )
            for template, shape in SHAPES.items()
        }
        self._speaker = Agent(model, output_type=str, retries=0, name="speaker")
        self._settings = ModelSettings(
            max_tokens=limits.max_tokens, request_timeout=limits.timeout_s, cache=INSTRUCTIONS_ONLY
        )
        self._notes: tuple[str, ...] = ()
        if limits.temperature is not None:
            self._set_temperature(limits.temperature)

    def __repr__(self) -> str:
        return f"PricedModel({self.name!r})"

    def worst_case(self, prompt: Prompt) -> Spend:
        """As if everything were written to the provider's cache, which costs more than reading it plainly."""
        attempts = 1 + MENDING_ATTEMPTS
        read = prompt.tokens * attempts + (self._limits.max_tokens + MENDING_TOKENS) * MENDING_ATTEMPTS
        written = self._limits.max_tokens * attempts
        return Spend(self._price(read, written, to_cache=read) or 0.0, read + written)

    async def ask(self, prompt: Prompt) -> Reply:
        used = RunUsage()
        agent = self._agents[prompt.template]
        try:
            run = await agent.run(prompt.user, instructions=prompt.system, usage=used, model_settings=self._settings)
        except (AgentRunError, *_UNREADABLE) as failure:
            # The cause is dropped on purpose: it holds the request, and with it the key.
            raise self._no_reply(failure, used) from None
        usage, unpriced = self._usage(used)
        if run.response.finish_reason == "length":
            raise NoReplyError("answer cut off", down=False, usage=usage)
        reply = run.output.reply()
        if not reply.message.strip() and not reply.texts:
            raise NoReplyError("empty message", down=False, usage=usage)
        notes = (*self._notes, *(["unpriced"] if unpriced else []))
        return replace(reply, usage=usage, notes=notes)

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        try:
            async with self._speaker.run_stream(
                prompt.user, instructions=prompt.system, model_settings=self._settings
            ) as run:
                async for piece in run.stream_text(delta=True, debounce_by=None):
                    yield piece
        except (AgentRunError, *_UNREADABLE) as failure:
            raise self._no_reply(failure, RunUsage()) from None

    async def close(self) -> None:
        client: Any = self._model.client  # type: ignore[attr-defined]
        await client.close()

    def _set_temperature(self, temperature: float) -> None:
        profile: Any = self._model.profile
        reasons = profile.get("openai_supports_reasoning") or profile.get("thinking_always_enabled")
        if profile.get("anthropic_disallows_sampling_settings") or reasons:
            self._notes = (f"temperature not sent: {self._model_name} refuses it",)
        else:
            self._settings["temperature"] = temperature

    def _no_reply(self, failure: Exception, used: RunUsage) -> NoReplyError:
        reason, down = _reason(failure)
        if isinstance(failure, ModelRequestTimeout | ModelTimeoutError):
            return NoReplyError(reason, down=down, usage=None)
        return NoReplyError(reason, down=down, usage=self._usage(used)[0])

    def _usage(self, used: RunUsage) -> tuple[Usage, bool]:
        """What was used, and whether no price list knows the model."""
        price = self._price(
            used.input_tokens, used.output_tokens, to_cache=used.cache_write_tokens, from_cache=used.cache_read_tokens
        )
        usage = Usage(
            requests=used.requests,
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            usd=price or 0.0,
        )
        return usage, price is None

    def _price(self, read: int, written: int, *, to_cache: int = 0, from_cache: int = 0) -> float | None:
        usage = PricedUsage(
            input_tokens=read,
            output_tokens=written,
            cache_write_tokens=to_cache if self._price_list == "anthropic" else 0,
            cache_read_tokens=from_cache,
        )
        try:
            return float(calc_price(usage, self._model_name, provider_id=self._price_list).total_price)
        except LookupError:
            return None


# The first kind that fits: a few words of ours for what happened, and whether the provider is down.
_REASONS: Final = (
    ((ModelRequestTimeout, ModelTimeoutError), "no answer in time", True),
    (ModelConnectionError, "no connection", True),
    (ContentFilterError, "refused to answer", False),
    (OutputTokenLimitExceeded, "answer cut off", False),
    (ModelAPIError, "answer is not of the API", True),
)


def _reason(failure: Exception) -> tuple[str, bool]:
    """Never the provider's own text: it may repeat the prompt or the key."""
    if isinstance(failure, ModelHTTPError):
        return f"HTTP {failure.status_code}", failure.status_code not in BAD_REQUEST
    for kinds, reason, down in _REASONS:
        if isinstance(failure, kinds):
            return reason, down
    return "answer has the wrong shape", False


def anthropic(
    key: Key, *, model: str = "claude-haiku-5-5", base_url: str = "", limits: Limits | None = None
) -> PricedModel:
    client = AsyncAnthropic(
        api_key=_open(key), base_url=base_url or ANTHROPIC_URL, max_retries=0, http_client=bounded_client()
    )
    asked = AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client))
    return PricedModel(asked, "anthropic", model, limits or Limits())


def openai(key: Key, *, model: str = "gpt-4.1-mini", base_url: str = "", limits: Limits | None = None) -> PricedModel:
    """OpenAI, or with `base_url` any server that speaks its format; most local ones need no key."""
    client = AsyncOpenAI(
        api_key=_open(key) or "none", base_url=base_url or OPENAI_URL, max_retries=0, http_client=bounded_client()
    )
    asked = OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client))
    return PricedModel(asked, "openai-compatible" if base_url else "openai", model, limits or Limits())


def azure(key: Key, *, endpoint: str, deployment: str, limits: Limits | None = None) -> PricedModel:
    client = AsyncAzureOpenAI(
        api_key=_open(key),
        azure_endpoint=endpoint,
        api_version=AZURE_API_VERSION,
        max_retries=0,
        http_client=bounded_client(),
    )
    asked = OpenAIChatModel(deployment, provider=AzureProvider(openai_client=client))
    return PricedModel(asked, "azure", deployment, limits or Limits())


def model_writer(
    models: Sequence[LanguageModel],
    *,
    clock: Clock,
    budget: Budget,
    asking: Asking | None = None,
    answers: Answers | None = None,
    also_close: Callable[[], None] | None = None,
) -> ModelWriter:
    """The models in the order in which they are asked, each with a breaker of its own."""
    return ModelWriter(
        [(language_model, Breaker(clock)) for language_model in models],
        budget=budget,
        asking=asking,
        answers=answers,
        also_close=also_close,
    )


def _open(key: Key) -> str:
    return key.get_secret_value() if isinstance(key, SecretStr) else key
