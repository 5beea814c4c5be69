"""A decision -> words by the first language model that answers and passes the checks, else by the offline writer.

    language model 1 -> language model 2 -> ... -> checks -> words
                 any failure, any problem, no budget ─────> offline words, with the reason in the draft's notes

A draft always comes, for a live answer before its deadline. It says who wrote it, what it cost, why others did not, and every
exchange with a model, from which `recorded` makes the same draft again.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from harken.adapters.writers import drafting, live_prompt, templates, translating
from harken.adapters.writers.answers import Answers
from harken.adapters.writers.asking import Asking, LanguageModel, Reply
from harken.adapters.writers.attempts import Attempts, Models
from harken.adapters.writers.breaker import Breaker
from harken.adapters.writers.budget import Budget
from harken.adapters.writers.offline import OfflineWriter
from harken.adapters.writers.prompt import Prompt, compose
from harken.adapters.writers.prompt import prompt as prompt_of
from harken.adapters.writers.veil import Veil
from harken.domain.decision import Context, Decision, Draft, Exchange, OutChannel, Told
from harken.domain.ids import CustomerId
from harken.kit.log import logger
from harken.privacy.tokens import TOKEN

SHARE_OF_DEADLINE: Final = 0.3
"""Of what an answer may take, for what is asked before it."""

log = logger(__name__)


class ModelWriter:
    """Words by a language model, with the offline writer behind it."""

    def __init__(
        self,
        models: Sequence[tuple[LanguageModel, Breaker]],
        *,
        budget: Budget,
        asking: Asking | None = None,
        answers: Answers | None = None,
        also_close: Callable[[], None] | None = None,
    ) -> None:
        self._asking = asking or Asking()
        self._models = Models(models, budget, self._asking.concurrent)
        self._answers = answers
        self._also_close = also_close
        self._offline = OfflineWriter()

    async def write(self, decision: Decision, context: Context) -> Draft:
        if decision.channel is OutChannel.NONE:
            return self._offline.draft(decision, context)
        veil = Veil(context, regions=self._asking.regions)
        prompt = self._prompt(veil.decision(decision), veil.context)
        attempts = Attempts(self._asking.shaping)
        key = self._key(decision, context, veil) if self._answers else None
        deadline_s = self._asking.deadline_s if context.live else None
        written = await self._reply(prompt, key, context.customer, attempts, deadline_s)
        if written is None:
            return self._without_a_model(decision, context, attempts, prompt)
        name, reply = written
        problems = drafting.refused(reply, decision, context, veil)
        if problems:
            attempts.notes.append(f"{name} refused by checks: {', '.join(problems)}")
            log.warning("draft_refused", model=name, checks=problems, decision=decision.id)
            return self._without_a_model(decision, context, attempts, prompt)
        draft = drafting.draft(reply, decision, veil, prompt)
        return _told(replace(draft, mode=name, notes=(*attempts.notes, *draft.notes)), attempts, prompt)

    async def stream(self, decision: Decision, context: Context) -> AsyncIterator[str]:
        """Words for a person, piece by piece as they come, checked by nobody: never for a customer's eyes."""
        if decision.channel is OutChannel.NONE:
            return
        veil = Veil(context, regions=self._asking.regions)
        shown = live_prompt.compose(veil.decision(decision), veil.context, self._asking.history_tokens, to_person=True)
        pieces = self._models.stream(shown, context.customer, self._asking.deadline_s)
        begun = False
        async for piece in drafting.revealed(pieces, veil):
            begun = True
            yield piece
        if not begun:
            yield self._offline.draft(decision, context).message

    async def translate(self, texts: Sequence[str], to: str, customer: CustomerId | None = None) -> Told:
        """Each text in the language `to` (ISO 639-1), personal data hidden from the model. One that does not come back
        with the same numbers, links, names and tokens stays as it was."""
        hidden = translating.Hidden.of(texts, self._asking.regions)
        if not hidden.texts:
            return Told(texts=tuple(texts))
        prompt = prompt_of(templates.TRANSLATION, {"to": to, "texts": hidden.texts})
        key = drafting.translation_key(hidden.asked, to, self._models.names)
        said, exchanges = await self._said(prompt, key, customer)
        if self._answers and said and hidden.are_faithful(said) and not TOKEN.search(exchanges[-1].answered):
            await self._answers.keep(key, exchanges[-1])
        return Told(texts=hidden.revealed(said), exchanges=exchanges)

    async def sort(self, text: str, categories: Sequence[str], customer: CustomerId | None = None) -> Told:
        """What it is about: whatever a model writes, which may be none of `categories`; no text where none answers."""
        hidden = translating.Hidden.of([text], self._asking.regions)
        prompt = prompt_of(templates.CATEGORY, {"categories": list(categories), "text": "".join(hidden.texts)})
        said, exchanges = await self._said(prompt, None, customer)
        return Told(texts=said, exchanges=exchanges)

    async def _said(
        self, prompt: Prompt, key: bytes | None, customer: CustomerId | None
    ) -> tuple[tuple[str, ...], tuple[Exchange, ...]]:
        """Somebody waits for what comes after it, so it may take a part of the time only."""
        attempts = Attempts(self._asking.shaping)
        found = await self._reply(prompt, key, customer, attempts, self._asking.deadline_s * SHARE_OF_DEADLINE)
        return (found[1].texts if found else ()), tuple(attempts.exchanges)

    async def remember(self, decision: Decision, draft: Draft, context: Context) -> bool:
        """Keep an answer that guards let go out as it is, for whoever asks the same with the same rights. True: it was kept."""
        key = self._key(decision, context, Veil(context, regions=self._asking.regions)) if self._answers else None
        if self._answers is None or key is None or not drafting.may_be_shared(draft, decision, context):
            return False
        return await self._answers.keep(key, draft.exchanges[-1])

    async def budget_left(self, customer: CustomerId) -> bool:
        """Whether a model would be asked for this customer now, as far as money goes."""
        return await self._models.affordable(prompt_of(templates.ANSWER, {}), customer)

    def model_up(self) -> bool:
        """False where every model rests after failures."""
        return self._models.up

    async def close(self) -> None:
        await self._models.close()
        if self._also_close:
            self._also_close()

    def _prompt(self, decision: Decision, context: Context) -> Prompt:
        """Of a decision and a context whose personal data is hidden."""
        if context.live is None:
            return compose(decision, context, self._asking.history_tokens)
        return live_prompt.compose(decision, context, self._asking.history_tokens)

    async def _reply(
        self,
        prompt: Prompt,
        key: bytes | None,
        customer: CustomerId | None,
        attempts: Attempts,
        deadline_s: float | None,
    ) -> tuple[str, Reply] | None:
        ask = partial(self._models.first_reply, prompt, customer, attempts)
        try:
            async with asyncio.timeout(deadline_s):
                if self._answers is None or key is None:
                    return await ask()
                return await self._answers.one_for_all(key, prompt, attempts, ask)
        except TimeoutError:
            attempts.late(prompt)
            return None

    def _key(self, decision: Decision, context: Context, veil: Veil) -> bytes | None:
        return drafting.key(decision, veil.context, self._models.names)

    def _without_a_model(self, decision: Decision, context: Context, attempts: Attempts, prompt: Prompt) -> Draft:
        return _told(self._offline.draft(decision, context, tuple(attempts.notes)), attempts, prompt)


def _told(draft: Draft, attempts: Attempts, prompt: Prompt) -> Draft:
    """What it cost and whom we asked, also where none of their words was used."""
    usage = attempts.usage.figures if attempts.usage.requests else {}
    if prompt.template == templates.ANSWER and attempts.exchanges:
        usage = usage | {"prompt_tokens_saved": prompt.saved}
    return replace(draft, usage=usage, exchanges=tuple(attempts.exchanges))
