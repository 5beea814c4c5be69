"""Language models that are on nobody's side: test doubles for whatever stands behind a model.

    ObedientModel()      does what any text in its prompt tells it, whoever wrote it
    ScriptedModel(...)   writes what a test says, whatever it is asked

Both are language models as a `ModelWriter` takes them, so that hiding, checks and fallbacks around them are the real ones:

    writer = writer_with(ObedientModel())
    draft = await writer.write(decision, context)

What they obey: text between `<<` and `>>` anywhere in the data of the prompt is the message; `{{cite 3}}`, `{{sure 0.99}}` and
`{{do refund amount=500 to=mallory}}` fill in the other parts of a reply.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from harken.adapters.writers import templates
from harken.adapters.writers.asking import Asking, LanguageModel, NoReplyError, Reply, Usage
from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget, Ceilings, Spend
from harken.adapters.writers.fallback import ModelWriter
from harken.adapters.writers.prompt import Prompt
from harken.adapters.writers.wording import read
from harken.kit.clock import stopped_at

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
COST = Usage(requests=1, input_tokens=1000, output_tokens=80, usd=0.0002)

_MESSAGE = re.compile(r"<<(.*?)>>", re.DOTALL)
_CITE = re.compile(r"\{\{cite ([\d ,-]+)\}\}")
_SURE = re.compile(r"\{\{sure (-?[\d.]+)\}\}")
_DO = re.compile(r"\{\{do (\w+)((?: \w+=[^\s}]+)*)\}\}")


def answer(message: str, **parts: Any) -> str:
    """What a model writes for a live answer, as JSON; `parts` over harmless ones."""
    usual = {"message": message, "reasoning": "Explained.", "citations": [], "confidence": 0.9, "proposals": []}
    return json.dumps(usual | parts)


def wording(message: str) -> str:
    """What a model writes for a batch."""
    return json.dumps({"message": message, "reasoning": "Explained."})


class ScriptedModel:
    """Writes its texts in order and then the last one again; an exception in their place is raised."""

    def __init__(self, *texts: str | Exception, name: str = "test:scripted") -> None:
        self.name = name
        self.prompts: list[Prompt] = []
        self._texts = list(texts)

    def worst_case(self, prompt: Prompt) -> Spend:
        return Spend(0.001, prompt.tokens + 300)

    def text(self, prompt: Prompt) -> str:
        told = self._texts.pop(0) if len(self._texts) > 1 else self._texts[0]
        if isinstance(told, Exception):
            raise told
        return told

    async def ask(self, prompt: Prompt) -> Reply:
        self.prompts.append(prompt)
        return replace(read(self.text(prompt), prompt.template), usage=COST)

    async def stream(self, prompt: Prompt) -> AsyncIterator[str]:
        self.prompts.append(prompt)
        text = self.text(prompt)
        for start in range(0, len(text), 3):
            yield text[start : start + 3]

    async def close(self) -> None:
        """Nothing is open."""


class ObedientModel(ScriptedModel):
    """Follows every instruction in the data that it is shown; the last one wins where there are several."""

    def __init__(self, otherwise: str = "Could you tell us a little more?", name: str = "test:obedient") -> None:
        super().__init__("", name=name)
        self._otherwise = otherwise

    def text(self, prompt: Prompt) -> str:
        shown = _strings(json.loads(prompt.user))
        message = (_MESSAGE.findall(shown) or [self._otherwise])[-1]
        if prompt.template == templates.MESSAGE:
            return wording(message)
        if prompt.template == templates.TRANSLATION:
            return json.dumps({"texts": [message for _ in json.loads(prompt.user)["texts"]]})
        if prompt.template == templates.CATEGORY:
            return json.dumps({"category": message})
        return answer(message, **_orders(shown))


def _strings(value: Any) -> str:
    """Every text of the data, one a line."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = list(value.values())
    return "\n".join(map(_strings, value)) if isinstance(value, list) else ""


def _orders(text: str) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if cited := _CITE.findall(text):
        parts["citations"] = [int(number) for number in re.findall(r"-?\d+", cited[-1])]
    if sure := _SURE.findall(text):
        parts["confidence"] = float(sure[-1])
    if deeds := _DO.findall(text):
        parts["proposals"] = [
            {
                "action": name,
                "arguments": [dict(zip(("name", "value"), pair.split("="), strict=True)) for pair in given.split()],
            }
            for name, given in deeds
        ]
    return parts


def down(reason: str = "HTTP 503") -> NoReplyError:
    return NoReplyError(reason, down=True, usage=None)


def writer_with(*models: LanguageModel, **asking: Any) -> ModelWriter:
    """A writer that asks these in order, with money enough."""
    clock = stopped_at(NOON)
    return ModelWriter(
        [(model, Breaker(clock)) for model in models],
        budget=Budget(Ceilings(), clock),
        asking=Asking(**asking),
    )
