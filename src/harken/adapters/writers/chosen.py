"""Keys -> the writer that asks those models in order: Anthropic, then Azure OpenAI or OpenAI or a compatible server."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from harken.adapters.writers import model
from harken.adapters.writers.answers import Answers, AnswerStore
from harken.adapters.writers.asking import Asking, LanguageModel
from harken.adapters.writers.budget import Budget, Ceilings, InMemoryLedger, Ledger, Limit
from harken.adapters.writers.fallback import ModelWriter
from harken.kit.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Whom to ask and how. An empty key leaves a provider out; a compatible server needs only its base URL."""

    anthropic: SecretStr
    anthropic_model: str
    anthropic_base_url: str
    openai: SecretStr
    openai_model: str
    openai_base_url: str
    azure: SecretStr
    azure_endpoint: str
    azure_deployment: str
    timeout_s: float
    max_tokens: int
    temperature: float | None
    daily_usd: float
    monthly_usd: float
    customer_usd: float
    answers_ttl_s: float


def writer(
    asked: Models,
    asking: Asking,
    clock: Clock,
    *,
    ledger: Ledger | None = None,
    answers: AnswerStore | None = None,
    also_close: Callable[[], None] | None = None,
) -> ModelWriter:
    """Without a ledger that processes share, a budget is this process's; without a store of answers each question is asked anew."""
    limits = Ceilings(day=Limit(asked.daily_usd), month=Limit(asked.monthly_usd), customer=Limit(asked.customer_usd))
    return model.model_writer(
        list(_in_order(asked)),
        clock=clock,
        budget=Budget(limits, clock, ledger or InMemoryLedger()),
        asking=asking,
        answers=Answers(answers, clock, ttl_s=asked.answers_ttl_s) if answers and asked.answers_ttl_s else None,
        also_close=also_close,
    )


def _in_order(asked: Models) -> Iterator[LanguageModel]:
    limits = model.Limits(timeout_s=asked.timeout_s, max_tokens=asked.max_tokens, temperature=asked.temperature)
    if asked.anthropic.get_secret_value():
        yield model.anthropic(
            asked.anthropic, model=asked.anthropic_model, base_url=asked.anthropic_base_url, limits=limits
        )
    if asked.azure.get_secret_value():
        yield model.azure(asked.azure, endpoint=asked.azure_endpoint, deployment=asked.azure_deployment, limits=limits)
    elif asked.openai.get_secret_value() or asked.openai_base_url:
        yield model.openai(asked.openai, model=asked.openai_model, base_url=asked.openai_base_url, limits=limits)
