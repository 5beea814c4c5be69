"""The nouns of asking a language model: what it costs, what comes back, how it fails, and the port that a provider fills."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from harken.adapters.writers.budget import Spend
from harken.adapters.writers.prompt import Prompt
from harken.domain.proposal import Proposal
from harken.errors import ModelUnavailableError
from harken.privacy.scanner import REGIONS


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

    @property
    def figures(self) -> dict[str, int | float]:
        """As drafts and records have it."""
        return {
            "requests": self.requests,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.usd,
        }

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            requests=self.requests + other.requests,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            usd=self.usd + other.usd,
        )


def usage_of(figures: Mapping[str, int | float]) -> Usage | None:
    """What was recorded -> the usage again; None where nobody knew it."""
    if not figures:
        return None
    return Usage(
        requests=int(figures["requests"]),
        input_tokens=int(figures["input_tokens"]),
        output_tokens=int(figures["output_tokens"]),
        usd=float(figures["cost_usd"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a language model wrote: data. It cannot name a channel, a time or a recipient; what it proposes is not done."""

    message: str = ""
    reasoning: str = ""
    cited: tuple[int, ...] = ()  #: numbers of passages as the model was shown them, from 1; not checked yet
    confidence: float | None = None  #: as it said; not clamped yet
    proposals: tuple[Proposal, ...] = ()  #: not checked against what was offered yet
    texts: tuple[str, ...] = ()  #: translations
    raw: str = ""  #: all of it as JSON: what a record keeps and a replay reads again
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

    def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        """Plain text, piece by piece. Raises NoReplyError, and only that."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How models are asked, whichever they are."""

    history_tokens: int = 2000
    concurrent: int = 8  #: calls under way at once
    deadline_s: float = 30.0  #: for a live answer, all models together; after it the offline writer answers
    regions: tuple[str, ...] = tuple(REGIONS)

    @property
    def shaping(self) -> dict[str, str | int]:
        """What of it shapes prompts: every record of an exchange has it, and a replay asks alike."""
        return {"history_tokens": self.history_tokens, "regions": " ".join(self.regions)}

    @classmethod
    def as_then(cls, shaping: Mapping[str, str | int]) -> "Asking":
        """How it was asked, of a record; where a record says nothing, as is usual."""
        usual = cls().shaping | dict(shaping)
        return cls(history_tokens=int(usual["history_tokens"]), regions=tuple(str(usual["regions"]).split()))
