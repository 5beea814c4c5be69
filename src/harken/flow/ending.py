"""What was thought of a ticket -> one transaction: the reply in the outbox, actions, changes of the ticket, the record.

Nothing is kept where the ticket is not as it was looked at: one reply to one message, whoever else was thinking.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harken.act.plan import UNVERIFIED, Planned
from harken.act.plan import Answer as Planning
from harken.audit.records.parts import Asker
from harken.conversations.summary import summarise
from harken.domain.conversation import Status
from harken.domain.decision import Action, Advice
from harken.domain.proposal import Proposal
from harken.domain.ticket import StatusCategory, Ticket
from harken.domain.verdict import Verdict
from harken.errors import TryAgainError
from harken.flow import acting, recording, ticketing
from harken.flow.acting import Cause
from harken.flow.agent_desk import AgentDesk
from harken.flow.concluding import Conclusion, Ending, Words, conclude, unproved
from harken.flow.gathering import Gathered
from harken.flow.recording import Made, RecordId
from harken.kit import db, observe
from harken.knowledge.access import CUSTOMER
from harken.tickets import changes as c
from harken.tickets import routing
from harken.tickets import store as tickets
from harken.tickets.changes import Change

WHO = "ai"


class OvertakenError(TryAgainError):
    """The customer spoke again, or somebody took the ticket over, while we thought. Nothing was kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """Everything that is known before anything is kept."""

    gathered: Gathered
    advice: Advice
    verdict: Verdict
    phrases: Mapping[Words, str]  #: what is said where the draft is not
    proposals: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of it, as people and figures are told."""

    thought: Thought
    conclusion: Conclusion
    message: str  #: what the customer is told; empty: nothing
    record: RecordId
    actions: tuple[acting.Done, ...]


REPLY = "reply"


def keep(thought: Thought, desk: AgentDesk) -> Answered | None:
    """None where somebody else has answered this message already, whatever they said. Raises OvertakenError."""
    seen, now = thought.gathered, desk.tickets.live.clock()
    with desk.tickets.live.database.transaction() as tx:
        ticket = tickets.lock(tx, seen.ticket.id, desk.tickets.ring)
        _refuse_overtaken(ticket, seen.ticket)
        cause = Cause(ticket=ticket, id=str(ticket.newest_turn), proposer=WHO, live=seen.context.live)
        if acting.was_ordered(tx, REPLY, cause):
            return None
        planned = acting.plan(tx, thought.proposals, cause, desk.act)
        conclusion = _concluded(thought, planned)
        record = recording.keep(tx, _made(thought, desk), desk.act, WHO)
        changes = list(_changes(tx, thought, conclusion, desk))
        ticket = ticketing.changed(tx, ticket, changes, WHO, now, desk.tickets)
        done = acting.propose(tx, planned, cause, desk.act)
        message = _message(thought, conclusion)
        if message:
            # As it stands now: what this transaction itself handed over is no reason to hold the words back that say so.
            said = replace(cause, ticket=tickets.lock(tx, ticket.id, desk.tickets.ring))
            acting.order(tx, Proposal(action=REPLY, arguments={"text": message}), said, desk.act)
            desk.wake_delivery(tx, now)
    _count(thought, conclusion)
    return Answered(thought=thought, conclusion=conclusion, message=message, record=record, actions=done)


def _concluded(thought: Thought, planned: Sequence[Planned]) -> Conclusion:
    context = thought.gathered.context
    hands_over = thought.advice.decision.action is Action.HAND_TO_PERSON
    if not hands_over and any(each.reason == UNVERIFIED for each in planned):
        return unproved()
    return conclude(
        thought.advice,
        thought.verdict,
        waits_for_approval=any(each.answer is Planning.NEEDS_APPROVAL for each in planned),
        asked_before=context.conversation.facts.brand_turns > 0,
        settled=context.standing.status is Status.RESOLVED,
    )


def _refuse_overtaken(now: Ticket, seen: Ticket) -> None:
    if (now.newest_turn, now.owner.epoch) != (seen.newest_turn, seen.owner.epoch):
        raise OvertakenError(after_s=0)


def _message(thought: Thought, conclusion: Conclusion) -> str:
    if conclusion.words is Words.NONE:
        return ""
    return thought.advice.draft.message if conclusion.words is Words.DRAFT else thought.phrases[conclusion.words]


def _changes(tx: db.Tx, thought: Thought, conclusion: Conclusion, desk: AgentDesk) -> Iterator[Change]:
    live = thought.gathered.context.live
    assert live is not None
    read = live.classification
    yield c.Classified(
        category=read.category,
        probability=read.probability,
        model=read.model,
        urgency=read.urgency,
        language=read.language,
    )
    if conclusion.suggests:
        yield c.NoteAdded(text=_suggestion(thought))
    if conclusion.to_person:
        yield _escalated(tx, thought, conclusion.reason, desk)
    if conclusion.ending is Ending.CLOSED:
        yield c.StatusChanged(status=StatusCategory.RESOLVED, label=StatusCategory.RESOLVED.value)


def _suggestion(thought: Thought) -> str:
    """For the person: what was written, why it was not sent, what it rests on."""
    cited = [thought.gathered.context.passages[place].source for place in thought.advice.draft.citations]
    found = "; ".join(f"{finding.check}: {finding.detail}" for finding in thought.verdict.findings)
    parts = [f"Draft, not sent: {thought.advice.draft.message}", f"Not sent because: {found}"]
    return "\n\n".join([*parts, f"It rests on: {', '.join(cited)}"] if cited else parts)


def _escalated(tx: db.Tx, thought: Thought, reason: str, desk: AgentDesk) -> c.Escalated:
    context = thought.gathered.context
    assert context.live is not None
    read = context.live.classification
    matter = routing.matter_of(thought.gathered.ticket, read.category, read.language, read.urgency)
    routed = routing.route(matter, desk.tickets.rules.content, tickets.load(tx))
    return c.Escalated(
        reason=reason,
        owner=routed.owner,
        owner_id=routed.owner_id,
        summary=f"{summarise(context.conversation, context.standing, context.now)} {thought.advice.decision.because}",
        because=routed.because,
    )


def _made(thought: Thought, desk: AgentDesk) -> Made:
    seen = thought.gathered
    assert seen.ticket.newest_turn is not None
    return Made(
        ticket=seen.ticket.id,
        event=seen.ticket.newest_turn,
        position=seen.context.profile.position,
        context=seen.context,
        advice=thought.advice,
        policy=desk.policy,
        verdict=thought.verdict,
        guard=desk.rules,
        reader=Asker(role=CUSTOMER, jurisdiction=seen.jurisdiction, clearances=desk.library.clearances().version),
        library=str(seen.library),
        embedder=desk.library.embedder.model,
        experiment=desk.policy.experiment,
    )


def _count(thought: Thought, conclusion: Conclusion) -> None:
    observe.add(observe.AI_ANSWERS, ending=conclusion.ending)
    if conclusion.to_person:
        observe.add(observe.ESCALATIONS, reason=conclusion.reason)
    observe.measure(observe.CONFIDENCE, thought.verdict.confidence)
