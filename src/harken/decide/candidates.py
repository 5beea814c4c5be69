"""Case -> how each action of the closed set would reach the customer, and where the issue would stand after it."""

from collections.abc import Mapping

from harken.decide.case import Case
from harken.decide.hours import Reach
from harken.domain.decision import Action, IssueStatus, OutChannel
from harken.domain.event import Channel

AFTER: Mapping[Action, IssueStatus] = {
    Action.ANSWER: IssueStatus.PENDING_CUSTOMER,
    Action.ASK_DETAILS: IssueStatus.PENDING_CUSTOMER,
    Action.CALL_BACK: IssueStatus.PENDING_CUSTOMER,
    Action.FOLLOW_UP_EMAIL: IssueStatus.PENDING_CUSTOMER,
    Action.HAND_TO_PERSON: IssueStatus.ESCALATED,
    Action.PROPOSE_CLOSE: IssueStatus.RESOLVED,
    Action.WAIT: IssueStatus.WAITING,
}

ALWAYS: Mapping[Action, OutChannel] = {
    Action.CALL_BACK: OutChannel.PHONE,
    Action.FOLLOW_UP_EMAIL: OutChannel.EMAIL,
    Action.HAND_TO_PERSON: OutChannel.PERSON,
    Action.WAIT: OutChannel.NONE,
}

WHERE_THEY_ASKED: Mapping[Channel, OutChannel] = {
    Channel.TWITTER: OutChannel.TWITTER_DM,
    Channel.EMAIL: OutChannel.EMAIL,
    Channel.CHAT: OutChannel.CHAT,
    Channel.PHONE: OutChannel.PHONE,
    Channel.APP: OutChannel.EMAIL,
    Channel.BRANCH: OutChannel.EMAIL,
    Channel.WEB: OutChannel.CHAT,
    Channel.SYSTEM: OutChannel.EMAIL,
}

REACH: Mapping[OutChannel, Reach] = {
    OutChannel.TWITTER_DM: Reach.MESSAGE,
    OutChannel.EMAIL: Reach.MESSAGE,
    OutChannel.CHAT: Reach.MESSAGE,
    OutChannel.PHONE: Reach.CALL,
    OutChannel.PERSON: Reach.STAFF,
}


def channel_for(action: Action, case: Case) -> OutChannel:
    always = ALWAYS.get(action)
    if always is not None:
        return always
    if action is Action.PROPOSE_CLOSE:
        return _closing(case)
    channel = WHERE_THEY_ASKED[case.talk.channel]
    if channel is OutChannel.PHONE and not (case.call_possible and case.known.phone_consent is not False):
        channel = OutChannel.EMAIL
    return channel if channel is not OutChannel.EMAIL or may_mail(case) else OutChannel.PERSON


def may_mail(case: Case) -> bool:
    """They wrote by e-mail, or we have an address (or may assume one) and nobody told us not to use it."""
    if case.talk.channel is Channel.EMAIL:
        return True
    return case.known.email_consent is not False and (case.known.email_known or case.limits.assume_reachable)


def _closing(case: Case) -> OutChannel:
    """Without a word after thanks; nobody is called, nor kept at work, only to say that we close."""
    if case.said.thanked:
        return OutChannel.NONE
    channel = WHERE_THEY_ASKED[case.talk.channel]
    if channel is OutChannel.PHONE:
        channel = OutChannel.EMAIL
    return channel if channel is not OutChannel.EMAIL or may_mail(case) else OutChannel.NONE
