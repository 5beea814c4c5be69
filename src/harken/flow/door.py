"""One event as a source sent it -> one that passed every check that looks at it alone, or a refusal with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from harken.errors import HarkenError
from harken.eventlog import upcasting
from harken.eventlog.plan import Plan, Source
from harken.eventlog.registry import Registry, Violation
from harken.eventlog.upcasting import NotUpcastError
from harken.flow.arriving import Arrival, Refusal
from harken.flow.dossier import microseconds
from harken.intake.fields import InvalidEventError
from harken.intake.quality import Reason
from harken.intake.tracking import same_as, tracked
from harken.privacy.keys import MasterKey

MAX_EVENT_BYTES = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What events are checked against."""

    master: MasterKey
    registry: Registry
    plan: Plan | None = None  #: None: whoever reaches the door may send everything


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One event as a source sent it, not looked at yet."""

    body: Any
    source: str
    received_at: datetime
    rules: Source | None = field(default=None, repr=False)  #: what this source may send


class NotTakenError(HarkenError):
    """This event is not taken."""

    def __init__(self, reason: Reason, detail: str = "", *, keep: bool = True) -> None:
        super().__init__(reason.value)
        self.reason, self.detail, self.keep = reason, detail, keep


def arrive(sent: Sent, door: Door) -> Arrival | Refusal:
    """Schema, plan, then what the log keeps of it."""
    try:
        body, original = _checked(sent, door.registry), sent.body
        found = tracked(
            body,
            source=sent.source,
            received_us=microseconds(sent.received_at),
            blind=lambda kind, value: door.master.fingerprint(kind, value.encode()).hex(),
            vouches=sent.rules is None or sent.rules.vouches,
        )
        # Of what was sent: a later step to a newer version must not make a redelivery another event.
        form = found.same_as if body is original else same_as(original)
        if len(form) > MAX_EVENT_BYTES:
            raise NotTakenError(Reason.OUT_OF_RANGE)
    except InvalidEventError as wrong:
        return refused(sent, wrong.reason)
    except NotTakenError as wrong:
        return refused(sent, wrong.reason, wrong.detail, keep=wrong.keep)
    return Arrival(row=found.row, links=found.links, content=found.content, same_as=form, received_at=sent.received_at)


def _checked(sent: Sent, registry: Registry) -> Mapping[str, Any]:
    """The body in its newest version."""
    body = sent.body
    if not isinstance(body, Mapping):
        raise NotTakenError(Reason.BROKEN_ROW)
    if broken := registry.violations(body.get("type"), body.get("version"), body):
        raise NotTakenError(_reason(broken[0]), _told(broken[0]))
    name = registry.name_of(body["type"], body)
    body = _planned(body, name, sent.rules, registry)
    try:
        return upcasting.newest(name, body.get("version"), body)
    except NotUpcastError as wrong:
        raise NotTakenError(Reason.SCHEMA_VIOLATION, _told(wrong.violation)) from wrong


def _reason(violation: Violation) -> Reason:
    unknown = violation == Violation("/type", "unknown")
    return Reason.UNKNOWN_KIND if unknown else Reason.SCHEMA_VIOLATION


def _told(violation: Violation) -> str:
    return f"{violation.path or '/'}: {violation.rule}"


def _planned(body: Mapping[str, Any], name: str, rules: Source | None, registry: Registry) -> Mapping[str, Any]:
    if rules is None:
        return body
    if not rules.allows(name):
        raise NotTakenError(Reason.NOT_IN_PLAN, name, keep=rules.unknown_types == "quarantine")
    unknown = () if rules.additional == "keep" else registry.undeclared(body["type"], body.get("version"), body)
    if unknown and rules.additional == "refuse":
        raise NotTakenError(Reason.NOT_IN_PLAN, unknown[0])
    return _without(body, unknown) if unknown else body


def _without(body: Mapping[str, Any], pointers: tuple[str, ...]) -> Mapping[str, Any]:
    parts = {part: dict(body[part]) for part in ("properties", "traits") if isinstance(body.get(part), Mapping)}
    dropped = set(pointers)
    for part, values in parts.items():
        for name in list(values):
            if f"/{part}/{name.replace('~', '~0').replace('/', '~1')}" in dropped:
                del values[name]
    return {**body, **parts}


def refused(sent: Sent, reason: Reason, detail: str = "", *, keep: bool = True) -> Refusal:
    given = sent.body.get("messageId") if isinstance(sent.body, Mapping) else None
    return Refusal(
        id=given[:200] if isinstance(given, str) else "",
        source=sent.source,
        reason=reason.value,
        detail=detail,
        keep=keep,
        raw=orjson.dumps(sent.body),
        received_at=sent.received_at,
    )


def unreadable(raw: bytes, source: str, received_at: datetime) -> Refusal:
    """Bytes in which there is no event."""
    return Refusal(id="", source=source, reason=Reason.BROKEN_ROW.value, raw=raw, received_at=received_at)
