"""Case and action -> the moment to act: when this customer reads, in hours that are permitted, sooner if it presses."""

import zlib
from datetime import UTC, datetime

from harken.decide import candidates
from harken.decide.case import HOUR_S, Case, case_of
from harken.decide.hours import Reach, Slots
from harken.decide.policy import Policy
from harken.domain.decision import Action, Context, OutChannel
from harken.domain.event import Urgency

STEP_S = 300  #: within a later hour people are spread over steps of this length, so that not all hear at the full hour


def send_at(action: Action, context: Context, policy: Policy) -> datetime:
    """UTC, never before `context.now`; for a step without contact the moment to look again."""
    case = case_at(context, policy)
    return moment(action, candidates.channel_for(action, case), case, context, policy)


def moment(action: Action, channel: OutChannel, case: Case, context: Context, policy: Policy) -> datetime:
    """`send_at` for a case and a channel that are already worked out."""
    if action is Action.WAIT or channel is OutChannel.NONE:
        return _later(look_again_s(action, case), context)
    reach = candidates.REACH[channel]
    offset = 0 if _at_once(action, reach, case, policy) else _offset(reach, case, context, policy)
    if offset == 0:
        return context.now.astimezone(UTC)
    spread_s = zlib.crc32(context.conversation.id.encode()) % (HOUR_S // STEP_S) * STEP_S
    return _later((case.now_s // HOUR_S + offset) * HOUR_S + spread_s, context)


def case_at(context: Context, policy: Policy) -> Case:
    """The context as the rules read it; whether a call is possible at all depends on the policy's hours."""
    call = policy.calendar.slots(Reach.CALL, context.profile.zone, int(context.now.timestamp()))
    return case_of(context, policy.limits, call_possible=bool(call.offsets))


def look_again_s(action: Action, case: Case) -> int:
    """When the next thing falls due: our answer, the reminder, the close, or the end of a cap."""
    limits, facts = case.limits, case.facts
    if action is Action.PROPOSE_CLOSE or case.situation in ("resolved", "thanked"):
        due_s = facts.last_at + _seconds(limits.close_after_h)
    elif case.talk.waiting:
        due_s = (facts.unanswered_since or facts.last_at) + _seconds(limits.answer_within_h)
    else:
        due_s = max(_next_nudge_s(case), _caps_end_s(case))
    return due_s if due_s > case.now_s else case.now_s + _seconds(limits.look_again_after_h)


def _next_nudge_s(case: Case) -> int:
    limits, said_s = case.limits, case.facts.last_at
    remind = case.talk.asked and case.talk.our_words < limits.our_words_unanswered
    return said_s + _seconds(limits.remind_after_h if remind else limits.close_after_h)


def _caps_end_s(case: Case) -> int:
    """A cap ends when the oldest word of ours that fills it is a day, or a week, old; as far as this talk shows."""
    ends_s = 0
    for heard, cap, hours in (
        (case.known.contacts_24h, case.limits.contacts_per_day, 24),
        (case.known.contacts_7d, case.limits.contacts_per_week, 7 * 24),
    ):
        if heard >= cap and case.facts.brand_at:
            filling = case.facts.brand_at[-max(1, min(cap, len(case.facts.brand_at)))]
            ends_s = max(ends_s, filling + hours * HOUR_S)
    return ends_s


def _at_once(action: Action, reach: Reach, case: Case, policy: Policy) -> bool:
    """Nobody is rung up at night, however urgent; a message to somebody who wrote just now wakes nobody."""
    if reach is Reach.CALL:
        return False
    if case.said.urgent:
        return True
    fresh = case.talk.waiting and case.talk.customer_h <= policy.timing.answer_at_once_h
    return fresh and action in (Action.ANSWER, Action.ASK_DETAILS) and reach is Reach.MESSAGE


def _offset(reach: Reach, case: Case, context: Context, policy: Policy) -> int:
    """Hours from now. Staff begin as soon as they are in; a customer is met when they are likely to read."""
    slots = policy.calendar.slots(reach, case.known.zone, case.now_s)
    if not slots.offsets:  # their zone leaves none: for a call our people's hours, for a message those of the markets
        slots = policy.calendar.slots(Reach.STAFF if reach is Reach.CALL else reach, None, case.now_s)
    if not slots.offsets or reach is Reach.STAFF:
        return slots.offsets[0] if slots.offsets else 0  # none only where a shift of clocks closes the last hour
    return _best(slots, case, context, policy)


def _best(slots: Slots, case: Case, context: Context, policy: Policy) -> int:
    """Argmax over the permitted hours of how likely the customer reads then, discounted by the delay."""
    hours, prior, weight = context.profile.hours, slots.prior, policy.timing.prior_messages
    half_life_h = policy.timing.half_life_waiting_h if case.situation == "waiting" else policy.timing.half_life_nudge_h
    if case.said.urgency >= Urgency.SOON:
        half_life_h /= 2
    now_hour = case.now_s // HOUR_S
    most = max(hours) + weight * max(prior)
    best, best_offset = -1.0, slots.offsets[0]
    for offset in slots.offsets:
        discount = 2.0 ** (-offset / half_life_h)
        if most * discount <= best:
            break  # no later hour can win any more
        place = (now_hour + offset) % 24
        worth = (hours[place] + weight * prior[place]) * discount
        if worth > best:
            best, best_offset = worth, offset
    return best_offset


def _later(moment_s: int, context: Context) -> datetime:
    return max(datetime.fromtimestamp(moment_s, UTC), context.now.astimezone(UTC))


def _seconds(hours: float) -> int:
    return round(hours * HOUR_S)
