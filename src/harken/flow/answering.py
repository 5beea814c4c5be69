"""The live answer, from a ticket that waits to what its customer is told.

answer   ticket -> context -> decision -> draft -> verdict -> one transaction {outbox, actions, changes, record}, fenced

No transaction is open while anything thinks. What is kept is kept only where the customer has not spoken again and nobody has
taken the ticket over since it was looked at; otherwise it is dropped, and the ticket looked at anew.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

from harken.act import wishes
from harken.decide.ports import Writer
from harken.domain.decision import Action, Context, Decision, OutChannel
from harken.domain.proposal import Proposal
from harken.domain.ticket import TicketId
from harken.flow import ending, gathering, readying
from harken.flow.agent_desk import AgentDesk
from harken.flow.concluding import Words
from harken.flow.ending import Answered, OvertakenError, Thought
from harken.flow.gathering import Gathered
from harken.flow.think import Careful, think
from harken.guard.judging import judge
from harken.kit import observe

LOOKS = 3
"""Times in a row that a customer may speak while we think; after that the next job answers."""

_PHRASES = {Words.ASK: Action.ASK_DETAILS, Words.HAND_OVER: Action.HAND_TO_PERSON}


async def answer(ticket: TicketId, desk: AgentDesk) -> Answered | None:
    """None where there is nothing to answer. Raises OvertakenError where the customer speaks faster than we think."""
    with observe.span("answer_ticket"), observe.timed(observe.ANSWER_SECONDS):
        for _ in range(LOOKS):
            seen = await look(ticket, desk)
            if seen is None:
                return None
            thought = await consider(seen, desk)
            try:
                answered = await asyncio.to_thread(ending.keep, thought, desk)
            except OvertakenError:
                continue
            if answered is not None:
                await _remember(answered, desk)
            return answered
        raise OvertakenError


async def look(ticket: TicketId, desk: AgentDesk) -> Gathered | None:
    seen = await asyncio.to_thread(gathering.gather, ticket, desk)
    if seen is None or not desk.asks_models:
        return seen
    live = seen.context.live
    assert live is not None
    budget_left, model_up = await desk.writer.budget_left(seen.context.customer), desk.writer.model_up()
    context = replace(seen.context, live=replace(live, budget_left=budget_left, model_up=model_up))
    if budget_left and model_up:
        with observe.span("ready"):
            context = await readying.ready(context, desk.rules, desk.writer, desk.unsure_below)
    return replace(seen, context=context)


async def consider(seen: Gathered, desk: AgentDesk) -> Thought:
    """Decide, draft, judge. Nothing is kept."""
    context = seen.context
    with observe.span("think"):
        advice = await think(context, desk.policy, Careful(desk.writer, desk.plain, desk.rules))
    with observe.span("guard"):
        verdict = judge(advice, context, desk.rules)
    phrases = {words: await _phrase(action, advice.decision, context, desk.plain) for words, action in _PHRASES.items()}
    wished = wishes.proposals(readying.asked(context.conversation), frozenset(desk.act.catalogue.actions))
    return Thought(
        gathered=seen,
        advice=advice,
        verdict=verdict,
        phrases=phrases,
        proposals=(*wished, *_beside(wished, advice.draft.proposals)),
    )


def _beside(wished: Sequence[Proposal], proposed: Sequence[Proposal]) -> Iterator[Proposal]:
    """What is read in the customer's own words is not put to people a second time because a model reads it there, too."""
    read = {each.action for each in wished}
    return (each for each in proposed if each.action not in read)


async def _phrase(action: Action, decision: Decision, context: Context, plain: Writer) -> str:
    """A set phrase of the house, in the customer's language."""
    said = replace(decision, action=action, channel=OutChannel.CHAT)
    return (await plain.write(said, replace(context, passages=()))).message


async def _remember(answered: Answered, desk: AgentDesk) -> None:
    """What went out as it was written may answer whoever asks the same with the same rights."""
    thought = answered.thought
    if answered.conclusion.words is Words.DRAFT:
        await desk.writer.remember(thought.advice.decision, thought.advice.draft, thought.gathered.context)
