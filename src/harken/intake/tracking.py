"""One event as a source sends it (Segment's types and our own) -> what the log keeps of it, or the reason why nothing.

Nothing here waits or looks anything up: the moment it came and the blind for identifiers are handed in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harken.domain.event import Channel, Kind
from harken.domain.link import Link
from harken.intake import canonical, enrichment, fields, identifiers
from harken.intake.fields import Fields, InvalidEventError, Row
from harken.intake.identifiers import Blind, mapping
from harken.intake.quality import Reason

OLDEST_US = 631_152_000_000_000
"""1990: clocks that were never set say 1970 or 1980."""

AHEAD_US = 5 * 60 * 1_000_000
"""A clock this far ahead is only inexact; the event happened when it came."""

MESSAGE = "message"
"""The one type of two kinds: its direction says which."""

TYPES = frozenset({MESSAGE, *(kind.value for kind in Kind if kind not in (Kind.MESSAGE_RECEIVED, Kind.MESSAGE_SENT))})

_DIRECTIONS = {"inbound": Kind.MESSAGE_RECEIVED, "outbound": Kind.MESSAGE_SENT}
_CHANNELS = {
    Kind.PAGE: Channel.WEB,
    Kind.SCREEN: Channel.APP,
    Kind.TRACK: Channel.APP,
    Kind.LOGIN: Channel.APP,
    Kind.SUPPORT_CALL: Channel.PHONE,
    Kind.BRANCH_VISIT: Channel.BRANCH,
}
_OF_THE_SENDING = frozenset({"sentAt", "writeKey", "_metadata"})
"""What changes when the same event is sent again, and the source's secret."""

_PERSONAL = ("properties", "traits", "context")
_NAMES = ("event", "name", "groupId")
_SPOKEN = frozenset({Kind.MESSAGE_RECEIVED, Kind.MESSAGE_SENT, Kind.ISSUE_RESOLVED})
"""What belongs to a conversation."""

_SPOKEN_TEXTS = ("text", "in_reply_to", "thread", "brand", "author")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What the log keeps of one event."""

    row: Row  #: the columns of `normalise.EVENTS` but `line`
    links: tuple[Link, ...]  #: what it says of identifiers
    content: str  #: the personal rest as canonical JSON, to be sealed; empty where there is none
    same_as: bytes  #: equal for a redelivery, different for another event of the same id


def tracked(body: Mapping[str, Any], *, source: str, received_us: int, blind: Blind, vouches: bool = True) -> Tracked:
    """`received_us`: when it came, microseconds since 1970 UTC. Raises InvalidEventError."""
    canonical.check(body)
    properties, context = mapping(body, "properties"), mapping(body, "context")
    kind = _kind(body, properties)
    texts = _texts(kind, body, properties)
    row = fields.event_row(
        kind,
        fields.required(body, "messageId"),
        _channel(kind, properties, context),
        _at(body, received_us),
        texts,
        source,
    )
    _demand(kind, body)
    said = _said_of(kind, body, properties)
    return Tracked(
        row=row | {"attributes": enrichment.attributes(kind, said, context, vouches=vouches)},
        links=identifiers.links(kind, body, row["identity"], blind),
        content=_content(body, kind),
        same_as=same_as(body),
    )


def same_as(body: Mapping[str, Any]) -> bytes:
    """Equal for a redelivery, different for another event of the same id."""
    return canonical.text({name: value for name, value in body.items() if name not in _OF_THE_SENDING}).encode()


def _kind(body: Fields, properties: Fields) -> Kind:
    type_ = fields.one_of(body, "type", TYPES, Reason.UNKNOWN_KIND)
    if type_ != MESSAGE:
        return Kind(type_)
    return _DIRECTIONS[fields.one_of(properties, "direction", frozenset(_DIRECTIONS), Reason.WRONG_TYPE)]


def _texts(kind: Kind, body: Fields, properties: Fields) -> dict[str, str | None]:
    given = {name: None for name in fields.OPTIONAL_TEXTS} | {"identity": _identity(kind, body, properties)}
    if kind in _SPOKEN:
        given |= {name: _without_nul(fields.text(properties, name)) for name in _SPOKEN_TEXTS}
    return given


def _without_nul(text: str | None) -> str | None:
    """No store takes the character, and nobody wrote it."""
    return text.replace("\0", "") or None if text else None


def _identity(kind: Kind, body: Fields, properties: Fields) -> str | None:
    if identity := fields.text(body, "identity"):
        return fields.prefixed(identity, "customer")
    if user := fields.text(body, "userId"):
        return identifiers.owned(user, "customer")
    if device := fields.text(body, "anonymousId"):
        return identifiers.owned(device, "device")
    return fields.text(properties, "one") if kind is Kind.UNMERGE else None


def _said_of(kind: Kind, body: Fields, properties: Fields) -> Fields:
    return mapping(body, "traits") if kind is Kind.IDENTIFY else properties


def _channel(kind: Kind, properties: Fields, context: Fields) -> str:
    """A consent's own channel is the one agreed to, not the one it came by. A message must say its own."""
    if kind in _DIRECTIONS.values():
        return fields.one_of(properties, "channel", fields.CHANNELS, Reason.WRONG_TYPE)
    for given in (context,) if kind is Kind.CONSENT else (properties, context):
        if (channel := fields.text(given, "channel")) in fields.CHANNELS:
            return channel
    return _CHANNELS.get(kind, Channel.SYSTEM).value


def _at(body: Fields, received_us: int) -> int:
    """When it happened by our clock: what the sender's clock was wrong by when it sent, it was wrong by before."""
    said = _moment(body, "timestamp")
    if said is None:
        said = _moment(body, "originalTimestamp")
    sent = _moment(body, "sentAt")
    at = received_us if said is None else said if sent is None else received_us - (sent - said)
    if at > received_us + AHEAD_US:
        raise InvalidEventError(Reason.TIME_IN_FUTURE)
    if at < OLDEST_US:
        raise InvalidEventError(Reason.TIME_TOO_OLD)
    return min(at, received_us)


def _moment(body: Fields, name: str) -> int | None:
    value = body.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidEventError(Reason.WRONG_TYPE)
    return fields.moment(value)


def _demand(kind: Kind, body: Fields) -> None:
    """A track without its name and a group without its id say nothing."""
    needed = {Kind.TRACK: "event", Kind.GROUP: "groupId"}.get(kind)
    if needed is not None:
        fields.required(body, needed)


def _content(body: Fields, kind: Kind) -> str:
    """The words of a message have a column of their own, which is sealed as well."""
    rest: dict[str, Any] = {name: dict(mapping(body, name)) for name in _PERSONAL}
    if kind in _SPOKEN:
        rest["properties"].pop("text", None)
    rest |= {name: fields.text(body, name) for name in _NAMES}
    kept = {name: value for name, value in rest.items() if value}
    return canonical.text(kept) if kept else ""
