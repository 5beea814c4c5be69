"""What the store holds of a customer -> everything a decision may look at, as of a moment."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from harken.conversations.cases import Row
from harken.conversations.facts import facts_of_rows
from harken.conversations.pressing import Judged
from harken.conversations.status import Silence, standing
from harken.decide.policy import Policy
from harken.domain.conversation import Conversation, Facts
from harken.domain.event import Channel
from harken.domain.ids import ConversationId, CustomerId, IdentityId, ThreadId
from harken.domain.profile import Profile, Value
from harken.profiles import fold, read
from harken.profiles.conversations import from_conversations
from harken.profiles.features import definitions_hash, derived

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TUPLES = ("reply_s", "brand_at", "topic_evidence")
CHANNELS: Mapping[str, Channel] = {channel.value: channel for channel in Channel}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """As of when, and up to which log position. An event at the moment itself has happened."""

    at: datetime
    position: int

    @property
    def us(self) -> int:
        return microseconds(self.at)


def silence_of(policy: Policy) -> Silence:
    """How long a silence must be to mean something, as the organisation's policy says."""
    limits = policy.limits
    return Silence(
        resolves_after_s=round(limits.silence_resolves_after_h * 3600),
        abandoned_after_s=round(limits.abandoned_after_h * 3600),
        lapsed_after_s=round(limits.lapsed_after_h * 3600),
    )


def microseconds(at: datetime) -> int:
    """Since 1970 UTC."""
    return (at - _EPOCH) // _MICROSECOND


def conversation_of(row: Mapping[str, Any], facts: dict[str, Any]) -> Conversation:
    """A stored row and its facts, without the turns."""
    return Conversation(
        id=ConversationId(row["id"]),
        thread=ThreadId(row["thread"]),
        identity=IdentityId(row["identity"]) if row["identity"] else None,
        brand=row["brand"],
        channel=CHANNELS[row["channel"]],
        facts=facts_from(facts),
    )


def facts_from(values: dict[str, Any]) -> Facts:
    """Stored facts, as JSON has them."""
    for name in _TUPLES:
        values[name] = tuple(values[name])
    values["evidence"] = {name: tuple(words) for name, words in values["evidence"].items()}
    return Facts(**values)


def as_of(conversation: Conversation, moment: Moment, turns: Callable[[], Iterable[Row]]) -> Conversation | None:
    """The conversation where nothing of it is later than the moment, else as it stood; `turns` are fetched if need be."""
    if conversation.facts.last_at * 1_000_000 <= moment.us:
        return conversation
    if conversation.facts.opened_at * 1_000_000 > moment.us:
        return None
    return as_it_stood(conversation, sorted(turns(), key=attrgetter("at", "id")), moment)


def as_it_stood(conversation: Conversation, turns: Iterable[Row], moment: Moment) -> Conversation | None:
    """The conversation as of an earlier moment, from its turns; None when it had not begun."""
    then = [turn for turn in turns if turn.at <= moment.us]
    if not then:
        return None
    return Conversation(
        id=conversation.id,
        thread=conversation.thread,
        identity=conversation.identity,
        brand=conversation.brand,
        channel=conversation.channel,
        facts=facts_of_rows(then, conversation.facts.bystander_since),
    )


def judged(conversations: Iterable[Conversation], moment: Moment, silence: Silence) -> list[Judged]:
    return [(conversation, standing(conversation.facts, moment.at, silence)) for conversation in conversations]


def profile_of(
    customer: CustomerId,
    states: Mapping[str, fold.State],
    conversations: Sequence[Judged],
    moment: Moment,
) -> Profile:
    """Event features from the states, conversation features from the conversations, both as of the moment."""
    until = moment.us + 1
    parts = list(states.values())
    features: dict[str, Value] = read.read(parts, until)
    features.update(from_conversations([(c.facts, s) for c, s in conversations], until))
    features.update(derived(features))
    zone = features.get("zone")
    return Profile(
        customer=customer,
        identities=tuple(IdentityId(identity) for identity in states),
        as_of=moment.at,
        features=features,
        hours=read.hours(parts, until),
        definitions=definitions_hash(),
        position=moment.position,
        zone=zone if isinstance(zone, str) else None,
        consents=read.consents(features),
    )


def states_at(
    states: Mapping[str, fold.State], moment: Moment, log: Mapping[str, Sequence[Mapping[str, Any]]]
) -> dict[str, fold.State]:
    """Stored states where they answer for the moment; folded from the log's rows where it cuts a tile."""
    until = moment.us + 1
    return {
        identity: state if fold.covers(state, until) else read.state_of(log.get(identity, ()), until)
        for identity, state in states.items()
    }


def uncovered(states: Mapping[str, fold.State], moment: Moment) -> list[IdentityId]:
    """Identities whose stored state is newer than the moment: the log must be asked."""
    until = moment.us + 1
    return [IdentityId(identity) for identity, state in states.items() if not fold.covers(state, until)]
