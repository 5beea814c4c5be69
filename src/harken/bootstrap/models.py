"""Settings -> the writer that asks language models."""

from typing import TYPE_CHECKING

from harken.adapters.writers import chosen
from harken.adapters.writers.asking import Asking
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.store import PostgresAnswers, PostgresLedger
from harken.kit.clock import wall_clock
from harken.kit.db import Database

if TYPE_CHECKING:
    from harken.settings import Settings

CONNECTIONS = 4


def writer_of(settings: "Settings", url: str) -> ModelWriter:
    """Without a URL, budgets and answers are this process's alone."""
    asked, asking = models_of(settings), asking_of(settings)
    if not url:
        return chosen.writer(asked, asking, wall_clock)
    database = Database(url, size=CONNECTIONS)
    return chosen.writer(
        asked,
        asking,
        wall_clock,
        ledger=PostgresLedger(database),
        answers=PostgresAnswers(database),
        also_close=database.close,
    )


def asking_of(settings: "Settings") -> Asking:
    """What shapes a prompt and how long is waited."""
    return Asking(
        history_tokens=settings.history_tokens,
        concurrent=settings.max_concurrent_requests,
        deadline_s=settings.answer_deadline_s,
    )


def models_of(settings: "Settings") -> chosen.Models:
    return chosen.Models(
        anthropic=settings.anthropic_api_key,
        anthropic_model=settings.anthropic_model,
        anthropic_base_url=settings.anthropic_base_url,
        openai=settings.openai_api_key,
        openai_model=settings.openai_model,
        openai_base_url=settings.openai_base_url,
        azure=settings.azure_openai_api_key,
        azure_endpoint=settings.azure_openai_endpoint,
        azure_deployment=settings.azure_openai_deployment,
        timeout_s=settings.model_timeout_s,
        max_tokens=settings.max_tokens,
        temperature=settings.llm_temperature,
        daily_usd=settings.daily_budget_usd,
        monthly_usd=settings.monthly_budget_usd,
        customer_usd=settings.customer_budget_usd,
        answers_ttl_s=settings.answers_ttl_s,
    )
