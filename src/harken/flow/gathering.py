"""A ticket -> everything that its answer may look at: who asks, what was said, what they are about, what they may read.

Nothing here waits for a model, and no transaction is open between the parts: what changed meanwhile is found when the answer
is kept.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from harken.conversations.status import standing
from harken.domain.classification import Classification
from harken.domain.conversation import Conversation
from harken.domain.decision import Context, Live
from harken.domain.event import Reading
from harken.domain.ids import CustomerId, IdentityId, customer_of
from harken.domain.passage import Passage
from harken.domain.profile import Profile
from harken.domain.ticket import Ticket, TicketId
from harken.flow import searching
from harken.flow.advising import Reader
from harken.flow.agent_desk import AgentDesk
from harken.flow.dossier import Moment, silence_of
from harken.flow.searching import Limits
from harken.flow.ticket_turns import conversation_of
from harken.guard.before import Allowed, may_ask
from harken.kit import circumstances, observe
from harken.kit.circumstances import Flag
from harken.knowledge.access import CUSTOMER
from harken.knowledge.found import Hit
from harken.tickets import store as tickets
from harken.tickets.fold import TURNS_BEFORE, ai_may_answer

MOST_CHARACTERS = 4_000
"""Of what they asked since our last word, from its end: more is not one question."""

FEW_WORDS = 4
"""So short a message means something only after the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    ticket: Ticket
    context: Context
    library: int  #: version of the knowledge that was searched; 0: none was
    jurisdiction: str


def gather(id_: TicketId, desk: AgentDesk) -> Gathered | None:
    """None where there is nothing to answer: somebody has it, nobody waits, or it is over."""
    with desk.tickets.live.database.statement() as tx:
        ticket = tickets.find(tx, id_, desk.tickets.ring)
    if ticket is None or not ai_may_answer(ticket) or ticket.waiting_since is None:
        return None
    with observe.span("context"):
        now = desk.tickets.live.clock()
        conversation = conversation_of(ticket, desk.tickets)
        profile = profile_of(ticket, now, desk)
    with observe.span("classify"):
        live = _live(ticket, conversation, desk)
    context = Context(
        now=now,
        customer=profile.customer,
        conversation=conversation,
        standing=standing(conversation.facts, now, silence_of(desk.policy)),
        profile=profile,
        live=live,
    )
    return _with_passages(ticket, context, desk)


def profile_of(ticket: Ticket, now: datetime, desk: AgentDesk) -> Profile:
    """Everything we know of the customer as of now, whatever names they go by."""
    people = desk.warehouse.people(CustomerId(ticket.customer))
    identities = next((found for found in people.values() if ticket.customer in found), [IdentityId(ticket.customer)])
    moment = Moment(at=now, position=desk.warehouse.newest().position)
    reader = Reader(desk.warehouse, desk.act.master, moment, silence_of(desk.policy))
    return reader.profile_of(customer_of(ticket.customer), identities)


def asked(conversation: Conversation) -> str:
    """What they said since our last word; with the question before it where that says next to nothing."""
    burst: list[str] = []
    for turn in reversed(conversation.turns):
        long_enough = sum(len(text.split()) for text in burst) >= FEW_WORDS
        if not turn.from_customer and (long_enough or not burst):
            break
        if turn.from_customer:
            burst.append(turn.text)
    return "\n".join(reversed(burst))[-MOST_CHARACTERS:]


def _live(ticket: Ticket, conversation: Conversation, desk: AgentDesk) -> Live:
    text, newest = asked(conversation), [turn for turn in conversation.turns if turn.from_customer][-1]
    found = circumstances.circumstances(text)
    flags = circumstances.flags(found)
    before = ticket.attributes.get(TURNS_BEFORE)
    return Live(
        classification=_classified(text, newest.reading, desk),
        turns=ticket.turns - (before if isinstance(before, int) else 0),
        verified=ticket.attributes.get("verified") is True,
        tier=str(ticket.attributes.get("tier") or ""),
        vulnerable=Flag.VULNERABLE in flags,
        minor=Flag.MINOR in flags,
        restricted=circumstances.restricted(found),
    )


def _classified(text: str, reading: Reading, desk: AgentDesk) -> Classification:
    return desk.classifier.classify(text, reading)


def _with_passages(ticket: Ticket, context: Context, desk: AgentDesk) -> Gathered:
    """As the customer reads: what policy keeps from models is not even searched for."""
    allowed = may_ask(context, desk.rules)
    jurisdiction = str(ticket.attributes.get("jurisdiction") or "")
    question = asked(context.conversation).strip()
    if not isinstance(allowed, Allowed):
        live = context.live
        assert live is not None
        kept = replace(context, live=replace(live, restricted=live.restricted or allowed.topic))
        return Gathered(ticket=ticket, context=kept, library=0, jurisdiction=jurisdiction)
    if not question:
        return Gathered(ticket=ticket, context=context, library=0, jurisdiction=jurisdiction)
    reader = desk.library.clearances().reader(CUSTOMER, jurisdiction or None)
    limits = Limits(results=min(desk.passages, allowed.passages), as_of=context.now)
    found = searching.search(question, reader, desk.library, limits)
    passages = tuple(_passage(hit) for hit in found.hits)
    return Gathered(
        ticket=ticket, context=replace(context, passages=passages), library=found.version, jurisdiction=jurisdiction
    )


def _passage(hit: Hit) -> Passage:
    there = hit.passage
    return Passage(
        id=f"{there.document_id}@{there.version}#{there.ordinal}", text=there.text, source=there.title, score=hit.score
    )
