"""The same question asked twice -> one call: whoever comes first asks, the others wait for that reply; and what guards let go out is kept.

A reply that somebody waits for is shared while it is fresh; one that is looked up later was kept by `keep`, after the guards.
Whoever takes a reply over has it checked for their own context as if a model had just written it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from harken.adapters.writers.asking import Reply, Usage
from harken.adapters.writers.attempts import Attempts
from harken.adapters.writers.prompt import Prompt
from harken.adapters.writers.wording import read
from harken.domain.decision import Exchange
from harken.errors import TryAgainError
from harken.kit import observe
from harken.kit.clock import Clock
from harken.privacy.tokens import TOKEN

LEASE_S: Final = 60.0
"""How long a question counts as asked by somebody who says nothing any more."""

FRESH_S: Final = 15.0
"""How long those who waited may take a reply over."""

POLL_S: Final = 0.05
KEPT_NOTE: Final = "an answer to the same question"

Asked = tuple[str, Reply] | None


class Claim(NamedTuple):
    """What a store knows of a question. Neither: somebody else asks just now."""

    mine: bool = False  #: nobody asks, so the caller does
    kept: str | None = None


class AnswerStore(Protocol):
    """Keeps claims and answers, for every process that shares it. Each method is one step."""

    def claim(self, key: bytes, now: datetime, until: datetime) -> Claim: ...

    def offered(self, key: bytes, now: datetime) -> Claim:
        """As `claim` tells it, without taking: `kept` is what whoever asked has offered, `mine` that nobody asks any more."""
        ...

    def offer(self, key: bytes, answer: str | None, until: datetime) -> None:
        """End a claim with a reply for those who wait, or with none."""
        ...

    def keep(self, key: bytes, answer: str, now: datetime, until: datetime) -> None: ...


class InMemoryAnswers:
    """For one process."""

    def __init__(self) -> None:
        self._claims: dict[bytes, datetime] = {}
        self._offered: dict[bytes, tuple[str, datetime]] = {}
        self._kept: dict[bytes, tuple[str, datetime]] = {}

    def claim(self, key: bytes, now: datetime, until: datetime) -> Claim:
        kept = self._kept.get(key)
        if kept and kept[1] > now:
            return Claim(kept=kept[0])
        if self._claims.get(key, now) > now:
            return Claim()
        self._claims[key] = until
        self._offered.pop(key, None)
        return Claim(mine=True)

    def offered(self, key: bytes, now: datetime) -> Claim:
        found = self._offered.get(key) or self._kept.get(key)
        if found and found[1] > now:
            return Claim(kept=found[0])
        return Claim(mine=self._claims.get(key, now) <= now)

    def offer(self, key: bytes, answer: str | None, until: datetime) -> None:
        self._claims.pop(key, None)
        if answer is not None:
            self._offered[key] = (answer, until)

    def keep(self, key: bytes, answer: str, now: datetime, until: datetime) -> None:
        self._kept = {old: each for old, each in self._kept.items() if each[1] > now}
        self._kept[key] = (answer, until)


class Answers:
    """One call for one question. A store that is away costs sharing, never an answer."""

    def __init__(self, store: AnswerStore, clock: Clock, *, ttl_s: float) -> None:
        self._store, self._clock, self._ttl = store, clock, timedelta(seconds=ttl_s)

    async def one_for_all(
        self, key: bytes, prompt: Prompt, attempts: Attempts, ask: Callable[[], Awaitable[Asked]]
    ) -> Asked:
        try:
            claim = await asyncio.to_thread(self._claim, key)
        except TryAgainError:
            return await ask()
        if claim.kept is not None:
            return _again(claim.kept, prompt, attempts, "hit")
        if claim.mine:
            return await self._for_others(key, ask)
        offered = await self._wait(key)
        return await ask() if offered is None else _again(offered, prompt, attempts, "shared")

    async def keep(self, key: bytes, exchange: Exchange) -> bool:
        now = self._clock()
        try:
            await asyncio.to_thread(
                self._store.keep, key, _written(exchange.model, exchange.answered, exchange.notes), now, now + self._ttl
            )
        except TryAgainError:
            return False
        return True

    def _claim(self, key: bytes) -> Claim:
        now = self._clock()
        return self._store.claim(key, now, now + timedelta(seconds=LEASE_S))

    async def _for_others(self, key: bytes, ask: Callable[[], Awaitable[Asked]]) -> Asked:
        """Ask, and offer the reply where it holds nothing of one customer; whatever happens, nobody waits in vain."""
        observe.add(observe.CACHE_REQUESTS, layer="answers", result="miss")
        answer: str | None = None
        try:
            found = await ask()
            if found and not TOKEN.search(found[1].raw) and not found[1].proposals:
                answer = _written(found[0], found[1].raw, found[1].notes)
            return found
        finally:
            await asyncio.to_thread(self._offer, key, answer)

    def _offer(self, key: bytes, answer: str | None) -> None:
        try:
            self._store.offer(key, answer, self._clock() + timedelta(seconds=FRESH_S))
        except TryAgainError:
            return  # the claim ends by itself

    async def _wait(self, key: bytes) -> str | None:
        """What whoever asks has offered; None when they gave up. The caller's deadline ends the waiting."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                claim = await asyncio.to_thread(self._store.offered, key, self._clock())
            except TryAgainError:
                return None
            if claim.kept is not None or claim.mine:
                return claim.kept


def _written(model: str, raw: str, notes: tuple[str, ...]) -> str:
    return json.dumps({"model": model, "raw": raw, "notes": [note for note in notes if note != KEPT_NOTE]})


def _again(answer: str, prompt: Prompt, attempts: Attempts, result: str) -> Asked:
    """A reply as if a model had just written it, at no cost."""
    observe.add(observe.CACHE_REQUESTS, layer="answers", result=result)
    kept = json.loads(answer)
    reply = replace(read(kept["raw"], prompt.template), usage=Usage(), notes=(*kept["notes"], KEPT_NOTE))
    attempts.answered(kept["model"], prompt, reply)
    return kept["model"], reply
