"""Case -> what is not allowed, not possible or beside the point: the first two stages of the table in rules.py."""

from collections.abc import Sequence

from harken.decide.stages import NUDGES, Rule, no, only
from harken.domain.conversation import Status
from harken.domain.decision import Action, Stage

ALLOWED: Sequence[Rule] = (
    # Eligibility: allowed and possible.
    Rule(
        name="no-phone-without-consent",
        stage=Stage.ELIGIBILITY,
        drops=no(Action.CALL_BACK),
        when=lambda c: c.known.phone_consent is False,
        because="The customer has not agreed to be called.",
    ),
    Rule(
        name="no-phone-as-first-contact",
        stage=Stage.ELIGIBILITY,
        drops=no(Action.CALL_BACK),
        when=lambda c: c.known.phone_consent is None and c.talk.brand_turns == 0,
        because="Nobody has told us whether they may be called, so our first word is not a call.",
    ),
    Rule(
        name="no-number-to-call",
        stage=Stage.ELIGIBILITY,
        drops=no(Action.CALL_BACK),
        when=lambda c: not c.limits.assume_reachable and not c.known.phone_known,
        because="We have no number to call.",
    ),
    Rule(
        name="no-hour-to-call",
        stage=Stage.ELIGIBILITY,
        drops=no(Action.CALL_BACK),
        when=lambda c: not c.call_possible,
        because="Our working hours never meet the hours in which this customer may be called.",
    ),
    Rule(
        name="no-email-without-consent",
        stage=Stage.ELIGIBILITY,
        drops=no(Action.FOLLOW_UP_EMAIL),
        when=lambda c: c.known.email_consent is False,
        because="The customer has not agreed to e-mail.",
    ),
    Rule(
        name="no-address-to-write-to",
        stage=Stage.ELIGIBILITY,
        drops=no(Action.FOLLOW_UP_EMAIL),
        when=lambda c: not c.limits.assume_reachable and not c.known.email_known,
        because="We have no e-mail address.",
    ),
    # Applicability: fits the situation.
    Rule(
        name="already-resolved",
        stage=Stage.APPLICABILITY,
        drops=only(Action.WAIT),
        prefers=Action.WAIT,
        when=lambda c: c.talk.status is Status.RESOLVED,
        because="The issue is resolved.",
        cites=("status",),
    ),
    Rule(
        name="small-talk-is-left-alone",
        stage=Stage.APPLICABILITY,
        drops=only(Action.WAIT),
        prefers=Action.WAIT,
        when=lambda c: c.said.small_talk,
        because="Their message asks nothing and names no problem: no reply, no follow-up.",
        cites=("customer_h",),
    ),
    Rule(
        name="kind-words-need-no-closing",
        stage=Stage.APPLICABILITY,
        drops=no(Action.PROPOSE_CLOSE, Action.FOLLOW_UP_EMAIL),
        when=lambda c: c.said.acknowledged or (not c.talk.waiting and c.said.settling),
        because="They thanked, praised or acknowledged: there is nothing to add or to close.",
    ),
    Rule(
        name="no-issue-no-closing-word",
        stage=Stage.APPLICABILITY,
        drops=no(Action.PROPOSE_CLOSE, Action.FOLLOW_UP_EMAIL),
        when=lambda c: not c.talk.waiting and not c.talk.asked and not c.said.issue,
        because="They never named an issue, so there is none to close or to ask after.",
    ),
    Rule(
        name="thanks-need-no-follow-up",
        stage=Stage.APPLICABILITY,
        drops=only(Action.PROPOSE_CLOSE, Action.WAIT),
        prefers=Action.PROPOSE_CLOSE,
        when=lambda c: c.said.thanked,
        because="The customer's last word was thanks, praise or a confirmed fix.",
        cites=("thanked", "customer_h"),
    ),
    Rule(
        name="our-word-was-last",
        stage=Stage.APPLICABILITY,
        drops=no(Action.ANSWER, Action.CALL_BACK, Action.HAND_TO_PERSON),
        when=lambda c: not c.talk.waiting,
        because="It is their turn: there is nothing to answer yet.",
    ),
    Rule(
        name="nothing-asked-nothing-to-remind",
        stage=Stage.APPLICABILITY,
        drops=no(Action.ASK_DETAILS),
        when=lambda c: not c.talk.waiting and not c.talk.asked,
        because="We answered without a question, so there is nothing to remind them of.",
    ),
    Rule(
        name="reminder-not-due",
        stage=Stage.APPLICABILITY,
        drops=NUDGES,
        when=lambda c: c.talk.asked and c.talk.silent_h < c.limits.remind_after_h,
        because="They have had little time to answer our question.",
    ),
    Rule(
        name="details-were-given",
        stage=Stage.APPLICABILITY,
        drops=no(Action.ASK_DETAILS),
        when=lambda c: c.talk.details_given,
        because="We asked and they answered; asking again would go in circles.",
    ),
    Rule(
        name="no-follow-up-while-fresh",
        stage=Stage.APPLICABILITY,
        drops=no(Action.FOLLOW_UP_EMAIL),
        when=lambda c: c.talk.waiting and c.talk.customer_h < c.limits.dormant_after_h,
        because="They wrote recently: an answer where they asked is better than an e-mail.",
    ),
    Rule(
        name="no-follow-up-on-an-answer",
        stage=Stage.APPLICABILITY,
        drops=no(Action.FOLLOW_UP_EMAIL),
        when=lambda c: not c.talk.waiting and not (c.said.unhappy and c.talk.silent_h >= c.limits.close_after_h),
        because="We answered; only an unhappy silence is worth an e-mail.",
    ),
    Rule(
        name="short-conversation-needs-no-call",
        stage=Stage.APPLICABILITY,
        drops=no(Action.CALL_BACK),
        when=lambda c: not c.is_long,
        because="The conversation is still short enough for writing.",
    ),
    Rule(
        name="too-long-ago-to-call",
        stage=Stage.APPLICABILITY,
        drops=no(Action.CALL_BACK),
        when=lambda c: c.talk.customer_h > c.limits.call_within_h,
        because="They wrote so long ago that a call would come out of the blue.",
    ),
    Rule(
        name="open-question-stays-open",
        stage=Stage.APPLICABILITY,
        drops=no(Action.PROPOSE_CLOSE),
        when=lambda c: c.talk.waiting and not c.said.thanked,
        because="The customer waits for us: we do not close on them.",
    ),
    Rule(
        name="too-early-to-close",
        stage=Stage.APPLICABILITY,
        drops=no(Action.PROPOSE_CLOSE),
        when=lambda c: not c.talk.waiting and c.talk.silent_h < c.limits.close_after_h,
        because="Their silence is too short to mean that all is well.",
    ),
    Rule(
        name="remind-before-closing",
        stage=Stage.APPLICABILITY,
        drops=no(Action.PROPOSE_CLOSE),
        when=lambda c: c.talk.asked and c.talk.our_words < c.limits.our_words_unanswered,
        because="A question of ours gets its reminder before we propose to close.",
    ),
)
