"""A ticket -> everything that its answer may look at: who asks, what was said, what they are about, what they may read.

Nothing here waits for a model, and no transaction is open between the parts: what changed meanwhile is found when the answer
is kept.
"""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from harken.classify import circumstances
from harken.classify.circumstances import Flag
from harken.conversations.status import standing
from harken.domain.classification import Classification
from harken.domain.conversation import Conversation
from harken.domain.decision import Back, Context, Live
from harken.domain.event import Reading
from harken.domain.ids import CustomerId, IdentityId, customer_of
from harken.domain.passage import Passage
from harken.domain.profile import Profile
from harken.domain.ticket import Ticket, TicketId
from harken.flow import advising, searching
from harken.flow.agent_desk import AgentDesk
from harken.flow.dossier import Moment, silence_of
from harken.flow.readying import asked, withheld
from harken.flow.searching import Found, Limits
from harken.flow.ticket_turns import conversation_of
from harken.guard.before import Allowed, may_ask
from harken.kit import observe
from harken.knowledge.access import CUSTOMER, Reader
from harken.knowledge.found import Hit
from harken.tickets import store as tickets
from harken.tickets.desk_rules import DeskRules
from harken.tickets.fold import TURNS_BEFORE, ai_may_answer
from harken.tickets.priority import ahead

READABLE_DIGITS = 32


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
        live = _live(ticket, conversation, profile, desk)
    context = Context(
        now=now,
        customer=profile.customer,
        conversation=conversation,
        standing=standing(conversation.facts, now, silence_of(desk.policy)),
        profile=profile,
        live=live,
        offered=desk.act.catalogue.offered(verified=live.verified) if desk.asks_models else (),
    )
    return _with_passages(ticket, context, desk)


def profile_of(ticket: Ticket, now: datetime, desk: AgentDesk) -> Profile:
    """Everything we know of the customer as of now, whatever names they go by."""
    people = desk.warehouse.people(CustomerId(ticket.customer))
    identities = next((found for found in people.values() if ticket.customer in found), [IdentityId(ticket.customer)])
    moment = Moment(at=now, position=desk.warehouse.newest().position)
    reader = advising.Reader(desk.warehouse, desk.act.master, moment, silence_of(desk.policy))
    return reader.profile_of(customer_of(ticket.customer), identities)


def _live(ticket: Ticket, conversation: Conversation, profile: Profile, desk: AgentDesk) -> Live:
    text, newest = asked(conversation), [turn for turn in conversation.turns if turn.from_customer][-1]
    flags = circumstances.flags(circumstances.circumstances(text))
    before, rules = ticket.attributes.get(TURNS_BEFORE), desk.tickets.rules
    return Live(
        classification=_classified(text, newest.reading, desk),
        turns=ticket.turns - (before if isinstance(before, int) else 0),
        verified=ticket.attributes.get("verified") is True,
        tier=str(ticket.attributes.get("tier") or profile.features.get("tier") or ""),
        ahead=ahead(str(ticket.attributes.get("tier")), ticket.priority, rules.content.priority),
        jurisdiction=str(
            ticket.attributes.get("jurisdiction") or rules.jurisdiction_of(profile.features.get("country"))
        ),
        back=_back(ticket, profile.as_of, rules),
        vulnerable=Flag.VULNERABLE in flags,
        minor=Flag.MINOR in flags,
        restricted=Flag.RESTRICTED.value if Flag.RESTRICTED in flags else "",
    )


def _back(ticket: Ticket, now: datetime, rules: DeskRules) -> Back | None:
    """What a customer who is handed over may be told of when somebody is there."""
    week = rules.week_of(ticket.priority)
    opens = week.next_open(now)
    return None if opens <= now else Back(at=opens.astimezone(UTC), zone=week.zone.key)


def _classified(text: str, reading: Reading, desk: AgentDesk) -> Classification:
    return desk.classifier.classify(text, reading)


def _with_passages(ticket: Ticket, context: Context, desk: AgentDesk) -> Gathered:
    """As the customer reads: what policy keeps from models is not even searched for."""
    allowed = may_ask(context, desk.rules)
    live, question = context.live, asked(context.conversation).strip()
    assert live is not None
    jurisdiction = live.jurisdiction
    if not isinstance(allowed, Allowed):
        kept = withheld(context, allowed)
        return Gathered(ticket=ticket, context=kept, library=0, jurisdiction=jurisdiction)
    if not question:
        return Gathered(ticket=ticket, context=context, library=0, jurisdiction=jurisdiction)
    reader = desk.library.clearances().reader(CUSTOMER, jurisdiction or None)
    limits = Limits(results=min(desk.passages, allowed.passages), as_of=context.now)
    found = searching.search(question, reader, desk.library, limits)
    passages = tuple(_passage(hit) for hit in found.hits)
    searched = replace(context, passages=passages, readable=_readable(reader, found, desk))
    return Gathered(ticket=ticket, context=searched, library=found.version, jurisdiction=jurisdiction)


def _readable(reader: Reader, found: Found, desk: AgentDesk) -> str:
    """Whose eyes, and which library they looked at: customers in whom nothing of this differs may share answers."""
    eyes = [reader.role, reader.visibility, [*reader.classes], reader.risk, [*reader.jurisdictions]]
    told = json.dumps([eyes, desk.library.clearances().version, found.version])
    return hashlib.sha256(told.encode()).hexdigest()[:READABLE_DIGITS]


def _passage(hit: Hit) -> Passage:
    there = hit.passage
    return Passage(
        id=f"{there.document_id}@{there.version}#{there.ordinal}",
        text=there.text,
        source=there.title,
        score=hit.score,
        language=there.language or "",
    )
