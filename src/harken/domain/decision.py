"""What to weigh (Context) and what was chosen (Decision)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from harken.domain.conversation import Conversation, Standing
from harken.domain.ids import ConversationId, CustomerId, DecisionId
from harken.domain.passage import Passage
from harken.domain.profile import Profile, Value


class Action(StrEnum):
    """Everything that could be done next. A closed set: nothing else is ever chosen."""

    ANSWER = "answer"  #: reply where they asked
    ASK_DETAILS = "ask_details"  #: reply with a question
    CALL_BACK = "call_back"
    FOLLOW_UP_EMAIL = "follow_up_email"
    HAND_TO_PERSON = "hand_to_person"
    PROPOSE_CLOSE = "propose_close"
    WAIT = "wait"


class OutChannel(StrEnum):
    """How the next step reaches the customer; the names of the CSV and the API."""

    TWITTER_DM = "twitter_dm_reply"
    EMAIL = "email_reply"
    PHONE = "scheduling_phone_call"
    CHAT = "chat_reply"
    PERSON = "human_agent"
    NONE = "no_contact"


class IssueStatus(StrEnum):
    """Where the issue is expected to stand after the action."""

    PENDING_CUSTOMER = "pending_customer_response"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    WAITING = "waiting"


class Stage(StrEnum):
    ELIGIBILITY = "eligibility"  #: allowed and possible
    APPLICABILITY = "applicability"  #: fits the situation
    SUITABILITY = "suitability"  #: good for this customer
    CONTACT_POLICY = "contact_policy"  #: caps, cool-downs
    ARBITRATION = "arbitration"  #: ranked by score


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a decision may look at. If it is not here, it was not used."""

    now: datetime
    customer: CustomerId
    conversation: Conversation
    standing: Standing
    profile: Profile
    passages: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One action that was weighed, and the rule that kept or dropped it."""

    action: Action
    kept: bool
    stage: Stage
    rule: str
    because: str
    score: float | None = None  #: None when dropped before arbitration


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The next best action, the rule that chose it and all that was weighed. No words yet."""

    id: DecisionId
    customer: CustomerId
    conversation: ConversationId
    action: Action
    channel: OutChannel
    send_at: datetime  #: UTC; for WAIT and PROPOSE_CLOSE without a word the moment to look again
    issue_status: IssueStatus
    rule: str
    because: str  #: one sentence that cites the facts used
    cited: Mapping[str, Value]  #: the facts and feature values that the rule looked at
    candidates: tuple[Candidate, ...]
    probability: float  #: of this choice; 1 unless exploration is on
    policy: str  #: version of the policy
    definitions: str  #: hash of the feature definitions
    as_of: datetime
    profile_position: int
    features: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A decision in words."""

    message: str
    reasoning: str  #: the audited reason, cited facts included, with an added explanation where a model wrote one
    mode: str  #: `offline` or `<provider>:<model>`
    usage: Mapping[str, int | float] = field(default_factory=dict)  #: tokens, cost_usd
    notes: tuple[str, ...] = ()  #: why a fallback was used, what a check changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A decision and its draft: one row of the CSV, one answer of the API."""

    decision: Decision
    draft: Draft
