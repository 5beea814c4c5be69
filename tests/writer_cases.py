"""Contexts and decisions in our own words, for the tests of writers and checks."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from harken.domain.conversation import Conversation, Facts, Standing, Status, Turn
from harken.domain.decision import Action, Context, Decision, IssueStatus, OutChannel
from harken.domain.event import Channel, Reading
from harken.domain.ids import ConversationId, CustomerId, DecisionId, EventId, IdentityId, ThreadId
from harken.domain.passage import Passage
from harken.domain.profile import Profile, Value

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

CHANNEL = {
    Action.ANSWER: OutChannel.TWITTER_DM,
    Action.ASK_DETAILS: OutChannel.TWITTER_DM,
    Action.CALL_BACK: OutChannel.PHONE,
    Action.FOLLOW_UP_EMAIL: OutChannel.EMAIL,
    Action.HAND_TO_PERSON: OutChannel.PERSON,
    Action.PROPOSE_CLOSE: OutChannel.TWITTER_DM,
    Action.WAIT: OutChannel.NONE,
}


def facts(**changes: Any) -> Facts:
    usual: dict[str, Any] = {
        "opened_at": int(NOON.timestamp()) - 7200,
        "last_at": int(NOON.timestamp()) - 600,
        "last_customer_at": int(NOON.timestamp()) - 600,
        "last_brand_at": int(NOON.timestamp()) - 3600,
        "customer_turns": 2,
        "brand_turns": 1,
        "unanswered": 1,
        "unanswered_since": int(NOON.timestamp()) - 600,
        "customer_spoke_last": True,
        "closed_at": None,
        "reopened": 0,
        "first_reply_s": 600,
        "reply_s": (600,),
        "brand_at": (int(NOON.timestamp()) - 3600,),
        "last_customer_signals": 0,
        "last_brand_signals": 0,
        "all_customer_signals": 0,
        "unanswered_signals": 0,
        "last_sentiment": 0,
        "worst_sentiment": 0,
        "urgency": 0,
        "language": "en",
        "topic": "payments_and_transfers",
    }
    return Facts(**(usual | changes))


DIALOGUE = (
    ("customer", "My transfer of 250 to my landlord has not arrived, reference QX-4471."),
    ("brand", "Sorry to hear that! Our status page is https://status.larkbank.example/now - has it left your account?"),
    ("customer", "Yes, it left on 1 March. What happens now?"),
)


def context(  # one keyword for each thing a test changes
    dialogue: Sequence[tuple[str, str]] = DIALOGUE,
    *,
    passages: tuple[Passage, ...] = (),
    features: Mapping[str, Value] | None = None,
    identity: str = "twitter:5521",
    **changed_facts: Any,
) -> Context:
    customer = CustomerId(identity.partition(":")[2])
    turns = tuple(
        Turn(
            id=EventId(f"twitter:{number}"),
            at=NOON - timedelta(hours=2) + timedelta(minutes=10 * number),
            from_customer=who == "customer",
            author=customer if who == "customer" else "LarkBank",
            channel=Channel.TWITTER,
            reading=Reading(language="en"),
            text=text,
        )
        for number, (who, text) in enumerate(dialogue, start=1)
    )
    conversation = Conversation(
        id=ConversationId(f"twitter:1/{identity}/larkbank"),
        thread=ThreadId("twitter:1"),
        identity=IdentityId(identity),
        brand="larkbank",
        channel=Channel.TWITTER,
        facts=facts(**changed_facts),
        turns=turns,
    )
    return Context(
        now=NOON,
        customer=customer,
        conversation=conversation,
        standing=Standing(status=Status.OPEN, rule="customer-spoke-last", because="The customer spoke last."),
        profile=Profile(
            customer=customer,
            identities=(IdentityId(identity),),
            as_of=NOON,
            features={"messages_7d": 3} if features is None else features,
        ),
        passages=passages,
    )


def decision(action: Action = Action.ANSWER, *, channel: OutChannel | None = None, conversation: str = "") -> Decision:
    return Decision(
        id=DecisionId("d-1"),
        customer=CustomerId("5521"),
        conversation=ConversationId(conversation or "twitter:1/twitter:5521/larkbank"),
        action=action,
        channel=channel or CHANNEL[action],
        send_at=NOON + timedelta(minutes=30),
        issue_status=IssueStatus.PENDING_CUSTOMER,
        rule="waiting-customer-gets-an-answer",
        because="The customer has waited 10 minutes for an answer to 1 message.",
        cited={"unanswered": 1, "waited_min": 10},
        candidates=(),
        probability=1.0,
        policy="default",
        definitions="abc",
        as_of=NOON,
        profile_position=42,
    )
