"""One event's words -> what we read in them, and the words sealed with their subject's key. Batch and live both call it."""

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from harken.conversations.topics import topic_hits
from harken.domain.event import Kind, Reading
from harken.intake.read import read
from harken.kit import spans, words
from harken.privacy.ring import KeyRing
from harken.privacy.sealing import Body

_MESSAGES = frozenset({Kind.MESSAGE_RECEIVED.value, Kind.MESSAGE_SENT.value})


class Kept(NamedTuple):
    """What the log keeps of an event's words."""

    body: bytes | None = None  #: sealed
    language: str = "und"
    sentiment: int | None = None
    urgency: int = 0
    signals: int = 0
    evidence: str | None = None


class Subject(NamedTuple):
    name: str
    wrapped: bytes  #: its key


def kept(id_: str, kind: str, text: str, subject: Subject, ring: KeyRing, *, with_mood: bool) -> Kept:
    """`with_mood`: language and sentiment too, not only what the words signal."""
    if not text:
        return Kept()
    places = spans.find_spans(text)
    body = ring.seal(*subject, id_, Body(text, places))
    if kind not in _MESSAGES:
        return Kept(body)
    from_customer = kind == Kind.MESSAGE_RECEIVED
    reading, said = understood(text, places, from_customer=from_customer, with_mood=with_mood)
    evidence = dict(reading.evidence)
    if from_customer:
        evidence |= topic_hits(said)
    return Kept(
        body,
        reading.language,
        reading.sentiment,
        reading.urgency,
        reading.signals,
        orjson.dumps(evidence).decode() if evidence else None,
    )


def understood(
    text: str, places: Iterable[spans.Place], *, from_customer: bool, with_mood: bool
) -> tuple[Reading, list[str]]:
    """What a message says without the links and mentions at `places`, and its words."""
    plain = spans.clean(text, places)
    said = words.split(plain)
    return read(plain, said, from_customer=from_customer, with_mood=with_mood), said


def warm_up() -> None:
    """Lexicons and the language model, which the first message would wait two seconds for."""
    for from_customer in (True, False):
        read("ready", words.split("ready"), from_customer=from_customer, with_mood=True)
    topic_hits(words.split("ready"))
