"""What the first ticket would wait for -> loaded beforehand: a made-up question goes the way of a real one, and nothing is kept.

No language model is asked, and no customer is in it.
"""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Final

from harken.conversations.cases import Row
from harken.conversations.facts import facts_of_rows
from harken.domain.conversation import Conversation, Turn
from harken.domain.event import Channel, Kind
from harken.domain.ids import ConversationId, CustomerId, EventId, IdentityId, ThreadId
from harken.domain.profile import Profile
from harken.domain.ticket import Owner, OwnerType, Priority, StatusCategory, Ticket, TicketId
from harken.errors import HarkenError
from harken.flow import answering, gathering
from harken.flow.agent_desk import AgentDesk
from harken.flow.dossier import microseconds
from harken.guard import form
from harken.intake import read
from harken.kit import spoken, words
from harken.kit.clock import stopwatch
from harken.kit.log import logger

QUESTION: Final = "How do I change the limit of my card, and what does it cost?"
NOBODY: Final = IdentityId("harken:warm-up")

log = logger(__name__)


def warm(desk: AgentDesk) -> None:
    """What goes wrong here goes wrong again with the first ticket, where somebody hears of it."""
    elapsed, now = stopwatch(), desk.tickets.live.clock()
    try:
        conversation = _conversation(now)
        profile = Profile(customer=CustomerId(NOBODY), identities=(), as_of=now, features={})
        seen = gathering.gathered(_ticket(now), conversation, profile, desk)
        asyncio.run(answering.consider(seen, replace(desk, writer=desk.plain)))
        spoken.likeliest(QUESTION, form.LANGUAGES)  # which a short reply to this question would not ask
    except HarkenError as wrong:
        log.warning("not_warm", why=str(wrong))
    else:
        log.info("warm", seconds=round(elapsed(), 1))


def _conversation(now: datetime) -> Conversation:
    seen = read.read(QUESTION, words.split(QUESTION), from_customer=True)
    row = Row(
        id=NOBODY,
        at=microseconds(now),
        kind=Kind.MESSAGE_RECEIVED.value,
        identity=None,
        author=NOBODY,
        channel=Channel.CHAT.value,
        in_reply_to=None,
        addressed_to=None,
        language=seen.language,
        sentiment=seen.sentiment,
        urgency=seen.urgency,
        signals=seen.signals,
        evidence=dict(seen.evidence),
    )
    turn = Turn(
        id=EventId(NOBODY),
        at=now,
        from_customer=True,
        author=NOBODY,
        channel=Channel.CHAT,
        reading=seen,
        text=QUESTION,
    )
    return Conversation(
        id=ConversationId(NOBODY),
        thread=ThreadId(NOBODY),
        identity=NOBODY,
        brand="",
        channel=Channel.CHAT,
        facts=facts_of_rows([row]),
        turns=(turn,),
    )


def _ticket(now: datetime) -> Ticket:
    return Ticket(
        id=TicketId(NOBODY),
        number=0,
        customer=NOBODY,
        subject="",
        channel=Channel.CHAT,
        brand="",
        status=StatusCategory.NEW,
        label="",
        priority=Priority.MEDIUM,
        owner=Owner(type=OwnerType.AI),
        opened_at=now,
        updated_at=now,
        version=0,
        turns=1,
        newest_turn=EventId(NOBODY),
        waiting_since=now,
        attributes={"verified": True},
    )
