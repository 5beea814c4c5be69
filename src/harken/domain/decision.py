"""What to weigh (Context) and what was chosen (Decision)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from harken.domain.classification import Classification
from harken.domain.conversation import Conversation, Standing
from harken.domain.ids import ConversationId, CustomerId, DecisionId
from harken.domain.passage import Passage
from harken.domain.profile import Profile, Value
from harken.domain.proposal import Offered, Proposal


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
class Back:
    """When people are at work again, and by whose clock customers are told so."""

    at: datetime  #: UTC
    zone: str  #: IANA


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What is known of a ticket while somebody waits for its answer. A batch has none of it."""

    classification: Classification
    turns: int  #: the customer's, since the ticket was opened or last reopened
    verified: bool  #: the channel or a token says that they are who they say
    tier: str = ""  #: subscription tier, where a source told us
    jurisdiction: str = ""  #: whose law holds for them: ISO 3166, `DE` or `US-CA`; empty: nobody knows
    ahead: bool = False  #: what they pay for puts what they ask before others'
    back: Back | None = None  #: when people are at work again; None: they are now
    vulnerable: bool = False
    minor: bool = False
    restricted: str = ""  #: a topic that policy keeps from every model, for example `sanctions`
    budget_left: bool = True  #: for language models: theirs, the day's, the month's
    model_up: bool = True  #: False where one is configured and none answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a decision may look at. If it is not here, it was not used."""

    now: datetime
    customer: CustomerId
    conversation: Conversation
    standing: Standing
    profile: Profile
    passages: tuple[Passage, ...] = ()
    live: Live | None = None
    readable: str = (
        ""  #: whose eyes and which library the passages were found with, as a digest; empty: answers are not shared
    )
    offered: tuple[Offered, ...] = ()  #: what a model may propose for this customer; nothing else is listened to
    classified_with: "tuple[Exchange, ...]" = ()  #: with models that were asked what it is about; none: nobody was
    translated_with: "tuple[Exchange, ...]" = ()  #: with models that put the passages into the customer's language


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
class Exchange:
    """One question to a language model and what came back: the part of an answer that nobody can work out again."""

    model: str  #: `<provider>:<model>`
    asked: str  #: SHA-256 of the prompt, hexadecimal
    answered: str = ""  #: what it wrote, as JSON, before anything was checked or revealed; empty where it gave nothing
    failure: str = ""  #: why it gave nothing; empty where it answered
    usage: Mapping[str, int | float] = field(default_factory=dict)  #: empty where nobody knew what it cost
    notes: tuple[str, ...] = ()  #: what was said of the answer, such as a setting that the model refuses
    settings: Mapping[str, str | int] = field(default_factory=dict)  #: what shaped the prompt beside the context


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a language model said where no draft was wanted, and how it was asked."""

    texts: tuple[str, ...] = ()
    exchanges: tuple[Exchange, ...] = ()  #: none: nobody was asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A decision in words."""

    message: str
    reasoning: str  #: the audited reason, cited facts included, with an added explanation where a model wrote one
    mode: str  #: `offline` or `<provider>:<model>`
    usage: Mapping[str, int | float] = field(default_factory=dict)  #: tokens, cost_usd
    notes: tuple[str, ...] = ()  #: why a fallback was used, what a check changed
    citations: tuple[int, ...] = ()  #: places in `Context.passages` that the message rests on
    confidence: float | None = None  #: the writer's own, 0 to 1; None where nobody asked
    proposals: tuple[Proposal, ...] = ()
    exchanges: tuple[Exchange, ...] = ()  #: with language models, in order; none where the offline writer was first


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A decision and its draft: one row of the CSV, one answer of the API."""

    decision: Decision
    draft: Draft
