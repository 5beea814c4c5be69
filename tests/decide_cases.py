"""A few words -> Context: turns, a profile and a moment, for the tests of deciding."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from harken.conversations import facts, status, topics
from harken.domain.conversation import Conversation, Turn
from harken.domain.decision import Context
from harken.domain.event import Channel, Reading, Signal
from harken.domain.ids import ConversationId, CustomerId, EventId, IdentityId, ThreadId
from harken.domain.profile import Profile
from harken.intake.read import read
from harken.kit import spans
from harken.kit.words import split

NOON_IN_NEW_YORK = datetime(2026, 3, 17, 15, tzinfo=UTC)
SPELLED = {"says", "mood", "urgency", "topic"}
ADA = IdentityId("twitter:ada")


def says(*names: str) -> int:
    """Signal names in lower case."""
    return sum(int(Signal[name.upper()]) for name in names)


def turn(spec: Mapping[str, Any], now: datetime, place: int) -> Turn:
    """`from`, `hours_ago`; optional `channel`, and `text`, which is read as it is in the product.

    Instead of the text, or beside it, a reading may be spelled out: `says`, `mood` (-1 to 1), `urgency`, `topic`.
    """
    theirs = spec["from"] == "customer"
    return Turn(
        id=EventId(f"twitter:{place}"),
        at=now - timedelta(hours=spec["hours_ago"]),
        from_customer=theirs,
        author="ada" if theirs else "acme",
        channel=Channel(spec.get("channel", "twitter")),
        reading=spelled(spec) if "text" not in spec or SPELLED & spec.keys() else heard(spec["text"], theirs),
        text=spec.get("text", ""),
    )


def heard(text: str, from_customer: bool) -> Reading:
    """What the product reads in a message."""
    plain = spans.clean(text, spans.find_spans(text))
    said = split(plain)
    found = read(plain, said, from_customer=from_customer)
    hits = topics.topic_hits(said) if from_customer else {}
    return replace(found, evidence={**found.evidence, **hits})


def spelled(spec: Mapping[str, Any]) -> Reading:
    topic = spec.get("topic")
    mood = spec.get("mood")
    return Reading(
        language="en",
        sentiment=None if mood is None else round(mood * 1000),
        urgency=spec.get("urgency", 0),
        signals=says(*spec.get("says", ())),
        evidence={f"topic:{topic}": ("word",)} if topic else {},
    )


def context_of(
    turns: Sequence[Mapping[str, Any]], now: datetime = NOON_IN_NEW_YORK, conversation: str = "1", **profile: Any
) -> Context:
    spoken = tuple(turn(spec, now, place) for place, spec in enumerate(turns, start=1))
    known = facts.facts_of(spoken)
    channel = next((said.channel for said in reversed(spoken) if said.from_customer), spoken[-1].channel)
    return Context(
        now=now,
        customer=CustomerId("ada"),
        conversation=Conversation(
            id=ConversationId(f"twitter:{conversation}/{ADA}/acme"),
            thread=ThreadId(f"twitter:{conversation}"),
            identity=ADA,
            brand="acme",
            channel=channel,
            facts=known,
            turns=spoken,
        ),
        standing=status.standing(known, now),
        profile=Profile(
            customer=CustomerId("ada"),
            identities=(ADA,),
            as_of=now,
            definitions="0123456789abcdef",
            **{"features": {}, **profile},
        ),
    )


def asked(hours_ago: float = 2, **more: Any) -> dict[str, Any]:
    """The customer asks."""
    return {"from": "customer", "hours_ago": hours_ago, "says": ["question"], **more}


def replied(hours_ago: float = 1, **more: Any) -> dict[str, Any]:
    """We answer."""
    return {"from": "brand", "hours_ago": hours_ago, "says": ["offers_fix"], **more}
