"""A conversation and its standing -> two or three sentences for the person, or the model, that takes over.

Only facts and quotes of the cleaned turns: the same words every time, nothing guessed.
"""

from datetime import datetime

from harken.conversations.status import how_long
from harken.conversations.topics import PREFIX
from harken.domain.conversation import Conversation, Standing, Status, Turn
from harken.domain.event import Signal

QUOTE_LENGTH = 140
"""Characters of a quote at most, the dots included."""

_SPOKEN = {
    "billing_and_charges": "billing and charges",
    "payments_and_transfers": "payments and transfers",
    "card_and_account_access": "card or account access",
    "fraud_and_security": "fraud and security",
    "delivery_and_orders": "a delivery or an order",
    "refunds_and_cancellation": "a refund or a cancellation",
    "technical_problem": "a technical problem",
    "outage_and_connection": "an outage or the connection",
    "booking_and_travel": "a booking or a journey",
    "product_and_stock": "products and stock",
    "complaint_about_service": "the quality of the service",
    "praise_and_feedback": "what they like or would change",
}


def summarise(conversation: Conversation, standing: Standing, now: datetime) -> str:
    """Who wrote when about what; what we answered; where it stands and how long they wait."""
    parts = (_what(conversation), _reply(conversation), _where(conversation, standing, now))
    return " ".join(part for part in parts if part)


def _what(conversation: Conversation) -> str:
    turn = _telling(conversation)
    if turn is None:
        return f"We wrote first, on {_moment(conversation.turns[0].at)}." if conversation.turns else "We wrote first."
    to = f" to {conversation.brand}" if conversation.brand else ""
    spoken = _SPOKEN.get(conversation.facts.topic)
    about = f" about {spoken}" if spoken else ""
    count = conversation.facts.customer_turns
    more = f" (one of {count} messages)" if count > 1 else ""
    return f"On {_moment(turn.at)} the customer wrote{to}{about}{more}{_quoted(turn.text)}"


def _telling(conversation: Conversation) -> Turn | None:
    """The customer's first message that asks something or is about the topic, else their first."""
    key = PREFIX + conversation.facts.topic
    theirs = [turn for turn in conversation.turns if turn.from_customer]
    telling = (turn for turn in theirs if turn.reading.signals & Signal.QUESTION or key in turn.reading.evidence)
    return next(telling, theirs[0] if theirs else None)


def _reply(conversation: Conversation) -> str:
    facts = conversation.facts
    ours = [turn for turn in conversation.turns if not turn.from_customer and not turn.closes]
    if not ours:
        return "Nobody has answered." if facts.closed_at is None and facts.customer_turns else ""
    after = f" after {how_long(facts.first_reply_s)}" if facts.first_reply_s is not None else ""
    last = ", last with" if len(ours) > 1 else ""
    times = f" {len(ours)} times{', first' if after else ''}" if len(ours) > 1 else ""
    verb = "answered" if facts.customer_turns else "wrote"
    return f"We {verb}{times}{after}{last}{_quoted(ours[-1].text)}"


def _where(conversation: Conversation, standing: Standing, now: datetime) -> str:
    facts = conversation.facts
    state = f"{standing.status.value.capitalize()}: {standing.because}"
    if standing.status is Status.OPEN and facts.unanswered > 1 and facts.unanswered_since is not None:
        waited = how_long(max(0, int(now.timestamp()) - facts.unanswered_since))
        return f"{state} {facts.unanswered} of their messages wait, the first for {waited}."
    return state


def _quoted(text: str) -> str:
    """A quote on one line, cut between words, closed by a full stop; quotation marks inside cannot end it early."""
    words = " ".join(text.split()).replace("“", '"').replace("”", '"')
    if not words:
        return "."
    if len(words) > QUOTE_LENGTH:
        head = words[: QUOTE_LENGTH - 1]
        words = (head.rpartition(" ")[0] or head).rstrip(" ,.;:") + "…"
    return f": “{words}”" + ("" if words[-1] in ".!?…" else ".")


def _moment(at: datetime) -> str:
    return f"{at.day} {at:%b %Y} at {at:%H:%M} UTC"
