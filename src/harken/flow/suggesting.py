"""A person who works on a ticket asks for words to begin with -> words as a model writes them, and what the guard says of them.

look      ticket -> everything that its answer may look at, whoever has it
suggest   context -> pieces of a draft → the draft, its verdict and its record

The pieces are checked by nobody, so they go to a person's screen and never to a customer. Nothing is sent and nothing of the
ticket changes; what that person sends goes its usual way.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from harken.domain.decision import Advice, Draft
from harken.domain.ticket import TicketId
from harken.domain.verdict import Verdict
from harken.flow import answering, ending, gathering, recording
from harken.flow.agent_desk import AgentDesk
from harken.flow.ending import Thought
from harken.flow.gathering import Gathered
from harken.flow.recording import RecordId
from harken.flow.think import decided
from harken.guard.before import Allowed, may_ask
from harken.guard.judging import judge
from harken.kit import observe


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """What the pieces came to."""

    draft: Draft
    verdict: Verdict
    sources: tuple[str, ...]  #: titles of the passages that it was written from
    record: RecordId


async def look(ticket: TicketId, desk: AgentDesk) -> Gathered:
    """Raises NoSuchTicketError, NotNowError where the ticket is over."""
    return await answering.readied(await asyncio.to_thread(gathering.gather_for_person, ticket, desk), desk)


async def suggest(seen: Gathered, who: str, desk: AgentDesk) -> AsyncIterator[str | Suggested]:
    """Pieces, and at last what they came to. `who`: the person, for the record; whoever stops listening leaves none."""
    context, decision = seen.context, decided(seen.context, desk.policy)
    allowed = may_ask(context, desk.rules)
    writer, shown = (desk.writer, allowed.shown(context)) if isinstance(allowed, Allowed) else (desk.plain, context)
    async for piece in writer.stream(decision, shown):
        if isinstance(piece, str):
            yield piece
            continue
        with observe.span("guard"):
            advice = Advice(decision=decision, draft=piece)
            verdict = judge(advice, context, desk.rules)
        thought = Thought(gathered=seen, advice=advice, verdict=verdict, phrases={}, proposals=())
        record = await asyncio.to_thread(_keep, thought, who, desk)
        sources = dict.fromkeys(context.passages[place].source for place in piece.citations)
        yield Suggested(draft=piece, verdict=verdict, sources=tuple(sources), record=record)


def _keep(thought: Thought, who: str, desk: AgentDesk) -> RecordId:
    with desk.tickets.live.database.transaction() as tx:
        return recording.keep(tx, ending.made(thought, desk), desk.act, who)
