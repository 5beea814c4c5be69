"""Context -> Case: what the rules read, worked out once per decision.

The field names of Talk, Said, Known and Waiting are also the words of an organisation's own rules.
"""

from collections.abc import Mapping
from typing import NamedTuple

from harken.decide.policy_file import Limits, Situation
from harken.domain.conversation import Conversation, Facts, Standing, Status
from harken.domain.decision import Context, Live
from harken.domain.event import Channel, Signal
from harken.domain.profile import Profile, Value

HOUR_S = 3600
LONG_EXCHANGES = 2
ONE_WORD_S = HOUR_S  # turns of ours this close together are one word to the customer ("1/2", "2/2")

# Plain integers: the operators of an IntFlag cost a microsecond each.
GRATEFUL, PRAISE, FIXED = int(Signal.THANKS), int(Signal.PRAISE), int(Signal.CONFIRMS_FIX)
ANGRY, WANTS_PERSON, REGULATORY = int(Signal.ANGRY), int(Signal.WANTS_PERSON), int(Signal.REGULATORY)
STILL_BROKEN, QUESTION = int(Signal.STILL_BROKEN), int(Signal.QUESTION)
UNSETTLED = ANGRY | WANTS_PERSON | REGULATORY | STILL_BROKEN | QUESTION
ASKS = int(Signal.ASKS_DETAILS | Signal.MOVES_PRIVATE)

# Rules of the status that say more than the status does.
WROTE_IN_PRIVATE, ACKNOWLEDGED, SMALL_TALK = "wrote-in-private", "customer-acknowledged", "small-talk"

NO_TOPICS = frozenset({"general_inquiry", "praise_and_feedback"})


class Talk(NamedTuple):
    """Whose turn it is and since when. Hours are counted back from the decision's moment."""

    status: Status
    standing: str  #: the rule that gave the status
    channel: Channel  #: where the customer wrote last
    brand: str
    language: str
    topic: str
    waiting: bool  #: the customer spoke last and waits for us
    unanswered: int  #: their messages since our last word
    waited_h: float  #: since the first of those
    silent_h: float  #: since the last word, where it is their turn
    customer_h: float  #: since their last message; 0 where they never wrote
    our_words: int  #: ours since their last message
    asked: bool  #: we asked for something and they have not answered
    details_given: bool  #: we asked and they answered
    turns: int
    exchanges: int  #: times they wrote and we answered
    customer_turns: int
    brand_turns: int
    reopened: int


class Said(NamedTuple):
    """What the customer's open messages say; those since our last word, or the last one."""

    urgency: int
    urgent: bool  #: nobody should sleep over it
    fraud: bool
    sentiment: float | None  #: of their last message, -1 to 1
    unhappy: bool
    angry: bool
    wants_person: bool
    regulatory: bool
    regulatory_ever: bool  #: in any of their messages
    still_broken: bool
    question: bool
    thanked: bool  #: a thank-you, praise or a confirmed fix, and nothing left open
    settling: bool  #: their last message thanked us, praised or confirmed a fix, and asked nothing
    in_private: bool  #: they say that they wrote where we cannot see it
    acknowledged: bool  #: their last word was an "ok" to ours
    small_talk: bool  #: they ask nothing and name no problem
    issue: bool  #: they asked, complained or were unhappy about something at any time


class Known(NamedTuple):
    """What the profile adds."""

    messages_7d: int
    contacts_24h: int
    contacts_7d: int
    phone_consent: bool | None  #: None: no source told us
    email_consent: bool | None
    phone_known: bool
    email_known: bool
    zone: str | None


class Waiting(NamedTuple):
    """What is known of somebody who waits for a live answer. A batch has none of it, and these values for it."""

    category: str = ""
    ticket_turns: int = 0  #: messages of theirs since the ticket was opened or last reopened
    verified: bool = True
    tier: str = ""
    vulnerable: bool = False
    minor: bool = False
    restricted: str = ""  #: the topic that policy keeps from every model
    regulatory_p: float = 0.0  #: probability
    wants_person_p: float = 0.0  #: probability
    budget_left: bool = True
    model_up: bool = True


NOBODY_WAITS = Waiting()


class Case(NamedTuple):
    """A context as a support lead would describe it."""

    limits: Limits
    now_s: int  #: seconds since 1970 UTC
    situation: Situation
    talk: Talk
    said: Said
    known: Known
    live: Waiting
    facts: Facts
    features: Mapping[str, Value]
    call_possible: bool  #: an hour exists in which we work and the customer may be called

    @property
    def is_long(self) -> bool:
        """Both sides have written much; one of them alone writing six messages is no long conversation."""
        return self.talk.turns >= self.limits.long_conversation_turns and self.talk.exchanges >= LONG_EXCHANGES

    @property
    def nudge_due(self) -> bool:
        """It is their turn, and they have been silent long enough for a reminder or a closing word."""
        due_h = self.limits.remind_after_h if self.talk.asked else self.limits.close_after_h
        return not self.talk.waiting and self.talk.silent_h >= due_h


def case_of(context: Context, limits: Limits, *, call_possible: bool = True) -> Case:
    now_s = int(context.now.timestamp())
    facts = context.conversation.facts
    talk = _talk(context.conversation, context.standing, now_s)
    said = _said(facts, talk, limits)
    return Case(
        limits=limits,
        now_s=now_s,
        situation=_situation(talk, said, limits),
        talk=talk,
        said=said,
        known=_known(context.profile),
        live=_waiting(context.live) if context.live else NOBODY_WAITS,
        facts=facts,
        features=context.profile.features,
        call_possible=call_possible,
    )


def _talk(conversation: Conversation, standing: Standing, now_s: int) -> Talk:
    facts = conversation.facts
    # Thanked for a question of ours that is still open, they spoke last and yet it is their turn.
    waiting = facts.customer_spoke_last and facts.unanswered > 0 and standing.status is Status.OPEN
    we_asked = int(facts.last_brand_signals) & ASKS != 0
    return Talk(
        status=standing.status,
        standing=standing.rule,
        channel=conversation.channel,
        brand=conversation.brand,
        language=facts.language,
        topic=facts.topic,
        waiting=waiting,
        unanswered=facts.unanswered,
        waited_h=_hours(now_s, facts.unanswered_since) if waiting else 0.0,
        silent_h=0.0 if waiting else _hours(now_s, facts.last_at),
        customer_h=_hours(now_s, facts.last_customer_at),
        our_words=_our_words(facts),
        asked=we_asked and not waiting,
        details_given=we_asked and waiting,
        turns=facts.customer_turns + facts.brand_turns,
        exchanges=len(facts.reply_s),
        customer_turns=facts.customer_turns,
        brand_turns=facts.brand_turns,
        reopened=facts.reopened,
    )


def _said(facts: Facts, talk: Talk, limits: Limits) -> Said:
    last = int(facts.last_customer_signals)
    unanswered = int(facts.unanswered_signals) if talk.waiting else last
    urgency = facts.urgency if talk.waiting else 0
    fraud = talk.waiting and facts.topic in limits.fraud_topics
    urgent = fraud or (talk.waiting and urgency >= limits.urgent_from)
    sentiment = None if facts.last_sentiment is None else facts.last_sentiment / 1000
    sour = sentiment is not None and sentiment <= limits.negative_sentiment
    in_private = talk.waiting and talk.standing == WROTE_IN_PRIVATE
    return Said(
        urgency=urgency,
        urgent=urgent,
        fraud=fraud,
        sentiment=sentiment,
        unhappy=sour or last & ANGRY != 0,
        angry=unanswered & ANGRY != 0,
        # Whoever asked for a person and then told us when and where still wants one.
        wants_person=(unanswered | (int(facts.all_customer_signals) if talk.details_given else 0)) & WANTS_PERSON != 0,
        regulatory=unanswered & REGULATORY != 0,
        regulatory_ever=int(facts.all_customer_signals) & REGULATORY != 0,
        still_broken=unanswered & STILL_BROKEN != 0,
        question=unanswered & QUESTION != 0,
        thanked=talk.waiting
        and not urgent
        and not sour
        and not in_private
        and _settled(facts, last, unanswered, limits),
        settling=last & (GRATEFUL | FIXED | PRAISE) != 0 and last & UNSETTLED == 0,
        in_private=in_private,
        acknowledged=talk.standing == ACKNOWLEDGED,
        small_talk=talk.standing == SMALL_TALK,
        issue=_issue(facts, limits),
    )


def _settled(facts: Facts, last: int, unanswered: int, limits: Limits) -> bool:
    """A confirmed fix settles all before it; "thanks in advance" nothing; praise about money may hide a request."""
    if last & UNSETTLED:
        return False
    if last & FIXED:
        return True
    if unanswered & UNSETTLED:
        return False
    if last & GRATEFUL and facts.brand_turns:
        return True
    pleased = facts.last_sentiment is None or facts.last_sentiment > 0
    return bool(last & PRAISE) and pleased and facts.urgency == 0 and facts.topic not in limits.private_topics


def _issue(facts: Facts, limits: Limits) -> bool:
    """A sour joke about nothing in particular is none."""
    worst = facts.worst_sentiment
    sour = worst is not None and worst / 1000 <= limits.negative_sentiment and facts.topic not in NO_TOPICS
    return sour or int(facts.all_customer_signals) & UNSETTLED != 0 or facts.topic in limits.private_topics


def _situation(talk: Talk, said: Said, limits: Limits) -> Situation:
    if talk.status is Status.RESOLVED:
        return "resolved"
    if said.thanked:
        return "thanked"
    if talk.waiting:
        return "dormant" if talk.customer_h >= limits.dormant_after_h else "waiting"
    return "asked" if talk.asked else "answered"


def _known(profile: Profile) -> Known:
    features, consents, reachable = profile.features, profile.consents or {}, profile.reachable
    return Known(
        messages_7d=_whole(features.get("messages_7d")),
        contacts_24h=_whole(features.get("contacts_24h")),
        contacts_7d=_whole(features.get("contacts_7d")),
        phone_consent=consents.get("phone"),
        email_consent=consents.get("email"),
        phone_known="phone" in reachable,
        email_known="email" in reachable,
        zone=profile.zone,
    )


def _waiting(live: Live) -> Waiting:
    return Waiting(
        category=live.classification.category,
        ticket_turns=live.turns,
        verified=live.verified,
        tier=live.tier,
        vulnerable=live.vulnerable,
        minor=live.minor,
        restricted=live.restricted,
        regulatory_p=live.classification.regulatory,
        wants_person_p=live.classification.wants_person,
        budget_left=live.budget_left,
        model_up=live.model_up,
    )


def _our_words(facts: Facts) -> int:
    since, words, later = facts.last_customer_at or 0, 0, None
    for at in reversed(facts.brand_at):
        if at <= since:
            break
        if later is None or later - at > ONE_WORD_S:
            words += 1
        later = at
    return words


def _hours(now_s: int, then_s: int | None) -> float:
    """Never negative: an event dated after the moment counts as happening now."""
    return 0.0 if then_s is None else max(0, now_s - then_s) / HOUR_S


def _whole(value: Value) -> int:
    return int(value) if isinstance(value, int | float) else 0
