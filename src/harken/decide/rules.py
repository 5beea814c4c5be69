"""Case -> what may not be done and what speaks for itself: the rules of the desk, stage by stage.

Read this table to a support lead: if they disagree, it is wrong. Its top stands in rules_live.py, its first two stages in rules_allowed.py.
An organisation switches rows off by name and adds its own in its policy file; the thresholds (`c.limits`) are there too.
"""

from collections.abc import Sequence

from harken.decide.rules_allowed import ALLOWED
from harken.decide.rules_live import ESCALATIONS
from harken.decide.stages import CONTACTS, NUDGES, Rule, no, only
from harken.domain.decision import Action, Stage
from harken.domain.event import Channel, Urgency

RULES: Sequence[Rule] = (
    *ESCALATIONS,
    *ALLOWED,
    # Suitability: good for this customer.
    Rule(
        name="fraud-goes-to-a-person",
        stage=Stage.SUITABILITY,
        drops=only(Action.HAND_TO_PERSON),
        prefers=Action.HAND_TO_PERSON,
        when=lambda c: c.said.fraud,
        because="The message is about fraud: a person takes it at once.",
        cites=("topic", "urgency", "waited_h"),
    ),
    Rule(
        name="urgent-goes-to-a-person",
        stage=Stage.SUITABILITY,
        drops=only(Action.HAND_TO_PERSON),
        prefers=Action.HAND_TO_PERSON,
        when=lambda c: c.said.urgent,
        because="The customer says it is urgent: a person takes it at once.",
        cites=("urgency", "waited_h"),
    ),
    Rule(
        name="regulator-word-goes-to-a-person",
        stage=Stage.SUITABILITY,
        drops=only(Action.HAND_TO_PERSON),
        prefers=Action.HAND_TO_PERSON,
        when=lambda c: c.talk.waiting and c.said.regulatory,
        because="The customer speaks of a regulator, an ombudsman or a lawyer.",
        cites=("regulatory", "waited_h"),
    ),
    Rule(
        name="asked-for-a-person",
        stage=Stage.SUITABILITY,
        drops=only(Action.HAND_TO_PERSON),
        prefers=Action.HAND_TO_PERSON,
        when=lambda c: c.talk.waiting and c.said.wants_person,
        because="The customer asks for a person.",
        cites=("wants_person", "waited_h"),
    ),
    Rule(
        name="reopened-goes-to-a-person",
        stage=Stage.SUITABILITY,
        drops=only(Action.HAND_TO_PERSON),
        prefers=Action.HAND_TO_PERSON,
        when=lambda c: c.talk.waiting and not c.said.thanked and c.talk.reopened >= c.limits.reopened,
        because="The issue keeps coming back: the same answer once more will not do.",
        cites=("reopened", "waited_h"),
    ),
    Rule(
        name="private-goes-to-a-person",
        stage=Stage.SUITABILITY,
        drops=only(Action.HAND_TO_PERSON),
        prefers=Action.HAND_TO_PERSON,
        when=lambda c: c.said.in_private and c.situation == "waiting",
        because="They say that they wrote to us in private: a person looks there and answers.",
        cites=("waited_h",),
    ),
    Rule(
        name="angry-is-not-told-to-wait",
        stage=Stage.SUITABILITY,
        drops=no(Action.WAIT, Action.PROPOSE_CLOSE),
        when=lambda c: c.talk.waiting and (c.said.angry or c.said.unhappy or c.said.urgency >= Urgency.SOON),
        because="An unhappy or pressing message is not left lying.",
    ),
    Rule(
        name="unhappy-is-not-closed",
        stage=Stage.SUITABILITY,
        drops=no(Action.PROPOSE_CLOSE),
        when=lambda c: c.said.unhappy or (c.said.regulatory_ever and not c.said.thanked),
        because="Their last word was unhappy: proposing to close would make it worse.",
    ),
    Rule(
        name="no-third-nudge",
        stage=Stage.SUITABILITY,
        drops=NUDGES,
        when=lambda c: not c.talk.waiting and c.talk.our_words >= c.limits.our_words_unanswered,
        because="They left our question and our reminder unanswered; a third would be pestering.",
    ),
    Rule(
        name="private-details-in-private",
        stage=Stage.SUITABILITY,
        drops=no(Action.ANSWER),
        prefers=Action.ASK_DETAILS,
        when=lambda c: (
            c.talk.channel is Channel.TWITTER
            and c.talk.waiting
            and c.talk.brand_turns == 0
            and c.talk.topic in c.limits.private_topics
        ),
        because="It needs details of their account, which we ask for in private.",
        cites=("topic", "waited_h"),
    ),
    # Contact policy: caps and cool-downs. A customer who waits for an answer is exempt.
    Rule(
        name="daily-contact-cap",
        stage=Stage.CONTACT_POLICY,
        drops=CONTACTS,
        prefers=Action.WAIT,
        when=lambda c: c.nudge_due and c.known.contacts_24h >= c.limits.contacts_per_day,
        because="They have heard from us often enough today.",
        cites=("contacts_24h", "silent_h"),
    ),
    Rule(
        name="weekly-contact-cap",
        stage=Stage.CONTACT_POLICY,
        drops=CONTACTS,
        prefers=Action.WAIT,
        when=lambda c: c.nudge_due and c.known.contacts_7d >= c.limits.contacts_per_week,
        because="They have heard from us often enough this week.",
        cites=("contacts_7d", "silent_h"),
    ),
    Rule(
        name="cool-down",
        stage=Stage.CONTACT_POLICY,
        drops=CONTACTS,
        when=lambda c: not c.talk.waiting and c.talk.silent_h < c.limits.cool_down_h,
        because="We wrote a moment ago.",
    ),
    # Arbitration: what speaks for an action. The first that speaks for the chosen one gives the reason.
    Rule(
        name="long-conversation-gets-a-call",
        stage=Stage.ARBITRATION,
        prefers=Action.CALL_BACK,
        when=lambda c: c.talk.waiting and c.is_long and not c.said.settling,
        because="Much was written and nothing settled: a call is quicker for both sides.",
        cites=("turns", "waited_h"),
    ),
    Rule(
        name="dormant-issue-gets-an-email",
        stage=Stage.ARBITRATION,
        prefers=Action.FOLLOW_UP_EMAIL,
        when=lambda c: c.situation == "dormant",
        because="The customer was left waiting and has gone; an e-mail reaches them later too.",
        cites=("waited_h", "unanswered"),
    ),
    Rule(
        name="remind-once",
        stage=Stage.ARBITRATION,
        prefers=Action.ASK_DETAILS,
        when=lambda c: c.talk.asked and c.talk.silent_h >= c.limits.remind_after_h,
        because="We asked, and it has not come: one reminder.",
        cites=("silent_h", "our_words"),
    ),
    Rule(
        name="check-in-rather-than-close",
        stage=Stage.ARBITRATION,
        prefers=Action.FOLLOW_UP_EMAIL,
        when=lambda c: not c.talk.waiting and c.said.unhappy,
        because="We answered an unhappy customer and heard nothing: ask once whether it is solved.",
        cites=("silent_h", "sentiment"),
    ),
    Rule(
        name="silence-proposes-a-close",
        stage=Stage.ARBITRATION,
        prefers=Action.PROPOSE_CLOSE,
        when=lambda c: not c.talk.waiting and c.talk.silent_h >= c.limits.close_after_h,
        because="Silence since our last word: propose to close, and leave the door open.",
        cites=("silent_h", "our_words"),
    ),
    Rule(
        name="still-their-turn",
        stage=Stage.ARBITRATION,
        prefers=Action.WAIT,
        when=lambda c: not c.talk.waiting,
        because="It is the customer's turn.",
        cites=("silent_h", "our_words"),
    ),
    Rule(
        name="answer-where-they-asked",
        stage=Stage.ARBITRATION,
        prefers=Action.ANSWER,
        when=lambda c: c.talk.waiting,
        because="The customer waits for an answer and gets it where they asked.",
        cites=("waited_h", "unanswered"),
    ),
)
