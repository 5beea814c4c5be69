"""One good event of every type, as a source would send it, and what the platform makes of it."""

from typing import Any

from harken.intake.tracking import Tracked, tracked

RECEIVED_US = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z

PROPERTIES: dict[str, dict[str, Any]] = {
    "track": {"plan": "gold", "steps": [1, 2, {"a": None}]},
    "page": {"url": "https://example.org/", "title": "Start"},
    "screen": {"title": "Cards"},
    "identify": {},
    "group": {},
    "alias": {},
    "message": {"direction": "inbound", "channel": "chat", "text": "My card is gone"},
    "transaction": {"amount_minor": 1250, "currency": "EUR", "merchant_category": "5411"},
    "payment": {"amount_minor": 995, "currency": "GBP"},
    "login": {"success": True},
    "policy_update": {"policy": "P-7", "change": "renewed"},
    "profile_update": {"fields": ["address"]},
    "support_call": {"duration_s": 240, "reason": "card"},
    "branch_visit": {"branch": "Main Street"},
    "dispute": {"status": "opened", "amount_minor": 500, "currency": "EUR"},
    "credit_decision": {"outcome": "declined"},
    "risk_signal": {"score": 0.73},
    "consent": {"channel": "email", "granted": False},
    "unmerge": {"one": "customer:ada", "other": "twitter:115712"},
    "issue_resolved": {"in_reply_to": "m0"},
}

BESIDES: dict[str, dict[str, Any]] = {
    "track": {"event": "Plan chosen"},
    "page": {"name": "Home"},
    "screen": {"name": "Cards"},
    "identify": {"anonymousId": "a-1", "traits": {"email": "Ada@Example.org", "plan": "gold"}},
    "group": {"groupId": "g-1", "traits": {"email": "office@example.org"}},
    "alias": {"previousId": "old-ada"},
    "profile_update": {"traits": {"phone": "+44 20 7946 0958"}},
}


def wire(type_: str, **changed: Any) -> dict[str, Any]:
    """A body of this type; a field changed to None is left out."""
    body = {
        "type": type_,
        "messageId": "m1",
        "userId": "ada",
        "timestamp": "2027-01-15T07:00:00.000Z",
        "context": {"library": {"name": "analytics.js", "version": "2.0"}, "locale": "en-GB"},
        "properties": PROPERTIES[type_],
        **BESIDES.get(type_, {}),
        **changed,
    }
    return {name: value for name, value in body.items() if value is not None}


def saying(type_: str, **properties: Any) -> dict[str, Any]:
    """The same with some properties changed; None leaves one out."""
    changed = {**PROPERTIES[type_], **properties}
    return wire(type_, properties={name: value for name, value in changed.items() if value is not None})


def of(body: dict[str, Any]) -> Tracked:
    return tracked(body, source="web", received_us=RECEIVED_US, blind=lambda kind, value: f"<{kind}|{value}>")
