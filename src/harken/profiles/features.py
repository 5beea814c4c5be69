"""What we keep of a customer: every feature declared once, over the columns of an event and nothing else.

The live fold, the batch plan and the reference pages all read these two tables. Standard library and the nouns
only, so that any engine can carry them.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from harken.domain.event import Kind
from harken.domain.profile import Value
from harken.profiles import aggregates as a
from harken.profiles.aggregates import Aggregate

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
DAY_TILES_FROM_US = 12 * DAY_US  #: windows this long or longer use day tiles, shorter ones hour tiles
LAYOUT = 2  #: raise it when the form of the state or a derived column changes: states are then rebuilt

RECEIVED = {"kind": Kind.MESSAGE_RECEIVED.value}
PAYMENT = {"kind": Kind.PAYMENT.value}
LOGIN = {"kind": Kind.LOGIN.value}
TRANSACTION = {"kind": Kind.TRANSACTION.value}
DISPUTE = {"kind": Kind.DISPUTE.value}
CREDIT = {"kind": Kind.CREDIT_DECISION.value}
RISK = {"kind": Kind.RISK_SIGNAL.value}
CALL = {"kind": Kind.SUPPORT_CALL.value}
IDENTIFY = {"kind": Kind.IDENTIFY.value}
VISIT = {"kind": Kind.BRANCH_VISIT.value}
CONTACT = {"kind": "contact"}  #: rows made of a conversation's facts: one for each time we spoke
CASE = {"kind": "case"}  #: one for each conversation, at its last turn
REPLY = {"kind": "reply"}  #: one for each answered wait, at the last turn of its conversation


@dataclass(frozen=True, slots=True)
class Feature:
    """A window is [floor(T - window, hop), T): its tail is rounded down to the hop, its head is exact at T."""

    name: str
    aggregate: Aggregate
    column: str
    why: str  #: one line that a support lead understands
    where: Mapping[str, str | int] = field(default_factory=dict)  #: column == value, all of them
    window: str | None = None  #: "24h", "7d"; None: ever

    @property
    def window_us(self) -> int | None:
        unit = {"h": HOUR_US, "d": DAY_US}
        return None if self.window is None else int(self.window[:-1]) * unit[self.window[-1]]

    @property
    def hop_us(self) -> int | None:
        window = self.window_us
        return None if window is None else DAY_US if window >= DAY_TILES_FROM_US else HOUR_US


def _messages(signal: str) -> dict[str, str | int]:
    return {**RECEIVED, signal: 1}


EVENT_FEATURES = (
    Feature("events", a.COUNT, "at", "How much we know of them at all."),
    Feature("first_seen_at", a.LOWEST, "at", "How long they have been with us."),
    Feature("last_seen_at", a.HIGHEST, "at", "The newest thing we know."),
    Feature("zone", a.LAST, "zone", "Their time zone, where a source told us: quiet hours follow it."),
    Feature("tier", a.LAST, "tier", "The subscription they pay for, where a source told us.", IDENTIFY),
    Feature("country", a.LAST, "country", "Where they live, where a source told us: ISO 3166.", IDENTIFY),
    Feature("messages", a.COUNT, "at", "How often they ever wrote.", RECEIVED),
    Feature("messages_24h", a.COUNT, "at", "A burst of messages is a person who waits.", RECEIVED, "24h"),
    Feature("messages_7d", a.COUNT, "at", "How busy their week with us was.", RECEIVED, "7d"),
    Feature("messages_30d", a.COUNT, "at", "A regular, or somebody new to support.", RECEIVED, "30d"),
    Feature("last_message_at", a.HIGHEST, "at", "When they last wrote.", RECEIVED),
    Feature("last_channel", a.LAST, "channel", "Where they wrote last: the place they look for an answer.", RECEIVED),
    Feature("preferred_channel_90d", a.MODE, "channel", "Where they usually write.", RECEIVED, "90d"),
    Feature("active_hour_90d", a.MODE, "hour", "The UTC hour in which they usually write.", RECEIVED, "90d"),
    Feature("language", a.MODE, "language", "The language they usually write.", RECEIVED),
    Feature("last_brand", a.LAST, "addressed_to", "The brand they named last.", RECEIVED),
    Feature("brands_90d", a.DISTINCT, "addressed_to", "How many of our brands they need.", RECEIVED, "90d"),
    Feature("last_sentiment", a.LAST, "sentiment", "The mood of their last message, -1000 to 1000.", RECEIVED),
    Feature("sentiment_30d", a.MEAN, "sentiment", "Their usual mood of late, -1000 to 1000.", RECEIVED, "30d"),
    Feature("worst_sentiment_7d", a.LOWEST, "sentiment", "How bad this week got, -1000 to 1000.", RECEIVED, "7d"),
    Feature("negative_7d", a.COUNT, "at", "Unhappy messages this week.", _messages("negative"), "7d"),
    Feature("urgent_7d", a.COUNT, "at", "Messages that could not wait.", _messages("urgent"), "7d"),
    Feature("angry_30d", a.COUNT, "at", "Angry messages: take care with tone.", _messages("angry"), "30d"),
    Feature("questions_30d", a.COUNT, "at", "Questions they asked.", _messages("question"), "30d"),
    Feature("still_broken_30d", a.COUNT, "at", "Times our fix did not hold.", _messages("still_broken"), "30d"),
    Feature("wants_person_30d", a.COUNT, "at", "Times they asked for a person.", _messages("wants_person"), "30d"),
    Feature("thanks_90d", a.COUNT, "at", "Times they thanked us.", _messages("thanks"), "90d"),
    Feature("regulatory_90d", a.COUNT, "at", "Talk of lawyers or regulators.", _messages("regulatory"), "90d"),
    Feature("payments_30d", a.COUNT, "at", "Payments this month.", PAYMENT, "30d"),
    Feature("payment_amount_7d", a.TOTAL, "amount_minor", "Paid this week, in minor units.", PAYMENT, "7d"),
    Feature("payment_amount_30d", a.TOTAL, "amount_minor", "Paid this month, in minor units.", PAYMENT, "30d"),
    Feature("payment_amount_90d", a.TOTAL, "amount_minor", "Paid this quarter, in minor units.", PAYMENT, "90d"),
    Feature("payment_p90_90d", a.P90, "amount_minor", "Nine in ten payments were at most this.", PAYMENT, "90d"),
    Feature("transactions_30d", a.COUNT, "at", "How much they use us.", TRANSACTION, "30d"),
    Feature("last_product", a.LAST, "product", "The kind of product they used last.", TRANSACTION),
    Feature("usual_product_90d", a.MODE, "product", "The kind of product they use most.", TRANSACTION, "90d"),
    Feature("failed_logins_24h", a.COUNT, "at", "Perhaps locked out just now.", {**LOGIN, "success": 0}, "24h"),
    Feature("logins_30d", a.COUNT, "at", "How often they came in this month.", {**LOGIN, "success": 1}, "30d"),
    Feature("last_login_at", a.HIGHEST, "at", "When they last came in.", {**LOGIN, "success": 1}),
    Feature("pages_30d", a.COUNT, "at", "Pages of ours they looked at.", {"kind": Kind.PAGE.value}, "30d"),
    Feature("screens_30d", a.COUNT, "at", "Screens of our app they looked at.", {"kind": Kind.SCREEN.value}, "30d"),
    Feature("disputes_90d", a.COUNT, "at", "Disputes told and moved on this quarter.", DISPUTE, "90d"),
    Feature("last_dispute_at", a.HIGHEST, "at", "When a dispute of theirs last moved.", DISPUTE),
    Feature("last_dispute_status", a.LAST, "dispute_status", "Where their last dispute stands.", DISPUTE),
    Feature("last_credit_decision_at", a.HIGHEST, "at", "When we last decided on credit for them.", CREDIT),
    Feature("last_credit_decision", a.LAST, "outcome", "What that decision was.", CREDIT),
    Feature("risk", a.LAST, "risk", "The risk that was last signalled, 0 to 1000.", RISK),
    Feature("risk_highest_30d", a.HIGHEST, "risk", "The highest risk signalled this month, 0 to 1000.", RISK, "30d"),
    Feature("support_calls_30d", a.COUNT, "at", "Calls with our people this month.", CALL, "30d"),
    Feature("last_support_call_at", a.HIGHEST, "at", "When they last spoke with our people.", CALL),
    Feature("branch_visits_90d", a.COUNT, "at", "Visits to a branch this quarter.", VISIT, "90d"),
    Feature("last_branch_visit_at", a.HIGHEST, "at", "When they last came to a branch.", VISIT),
    *(
        Feature(
            f"consent_{channel}",
            a.LAST,
            "granted",
            f"Whether they agreed to hear from us by {channel}; empty: nobody told us.",
            {"kind": Kind.CONSENT.value, "consent_to": channel},
        )
        for channel in ("email", "phone", "chat", "twitter")
    ),
)

CONVERSATION_FEATURES = (
    Feature("open_conversations", a.COUNT, "at", "Issues that wait for us.", {**CASE, "status": "open"}),
    Feature("pending_conversations", a.COUNT, "at", "Issues that wait for them.", {**CASE, "status": "pending"}),
    Feature("longest_wait_s", a.HIGHEST, "waiting_s", "How long the oldest unanswered message has waited.", CASE),
    Feature("conversations_90d", a.COUNT, "at", "Issues this quarter.", CASE, "90d"),
    Feature("resolved_90d", a.TOTAL, "resolved", "Issues this quarter that ended well.", CASE, "90d"),
    Feature(
        "resolution_rate_90d", a.MEAN, "resolved", "The share of this quarter's issues that is solved.", CASE, "90d"
    ),
    Feature("reopened_90d", a.TOTAL, "reopened", "Times an issue came back after it seemed solved.", CASE, "90d"),
    Feature("reply_s_mean_30d", a.MEAN, "reply_s", "How long we usually keep them waiting.", REPLY, "30d"),
    Feature("reply_s_p90_30d", a.P90, "reply_s", "Nine in ten waits were at most this long.", REPLY, "30d"),
    Feature("contacts_24h", a.COUNT, "at", "How often we spoke to them in a day: caps count it.", CONTACT, "24h"),
    Feature("contacts_7d", a.COUNT, "at", "How often we spoke to them in a week: caps count it.", CONTACT, "7d"),
    Feature("last_contact_at", a.HIGHEST, "at", "When we last spoke to them.", CONTACT),
)


@dataclass(frozen=True, slots=True)
class Derived:
    """A value of other features of the same moment: it needs no state, and no engine computes it."""

    name: str
    of: tuple[str, ...]
    how: Callable[..., Value]
    what: str  #: the formula in words
    why: str


def _engagement(pages: int, screens: int, logins: int, messages: int, payments: int) -> int:
    return pages + screens + 2 * logins + 3 * messages + 3 * payments


def _shift(week: int, quarter: int) -> float | None:
    """One division of integers, so that every engine agrees."""
    return week * 90 / (quarter * 7) if quarter > 0 else None


def _latest(*moments: int | None) -> int | None:
    return max((moment for moment in moments if moment is not None), default=None)


DERIVED_FEATURES = (
    Derived(
        "engagement_30d",
        ("pages_30d", "screens_30d", "logins_30d", "messages_30d", "payments_30d"),
        _engagement,
        "pages + screens + 2 logins + 3 messages + 3 payments",
        "How alive the relation is: an offer to somebody who is gone is noise.",
    ),
    Derived(
        "spending_shift",
        ("payment_amount_7d", "payment_amount_90d"),
        _shift,
        "this week's payments as a multiple of the quarter's usual week",
        "Money that suddenly moves otherwise is a need, or a fraud.",
    ),
    Derived(
        "last_support_contact_at",
        ("last_contact_at", "last_support_call_at", "last_branch_visit_at"),
        _latest,
        "the latest of our last word, the last call and the last visit",
        "When anybody of ours last dealt with them, whatever the channel.",
    ),
)

FEATURES = EVENT_FEATURES + CONVERSATION_FEATURES
NAMES = (*(feature.name for feature in FEATURES), *(feature.name for feature in DERIVED_FEATURES))


def derived(values: Mapping[str, Value]) -> dict[str, Value]:
    """The derived features, from every other feature of the moment."""
    return {feature.name: feature.how(*(values[name] for name in feature.of)) for feature in DERIVED_FEATURES}


@cache
def definitions_hash() -> str:
    """16 hexadecimal digits that change with any feature (its reason aside) and are the same in every process."""
    return hash_of(FEATURES)


def hash_of(features: tuple[Feature, ...]) -> str:
    rows = [[f.name, f.aggregate.name, f.column, dict(sorted(f.where.items())), f.window] for f in features]
    return hashlib.sha256(json.dumps([LAYOUT, rows]).encode()).hexdigest()[:16]
