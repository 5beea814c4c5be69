"""Events as sources send them, made up by a seed, and what must follow from them: counted here, in plain Python."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

Body = dict[str, Any]
Values = dict[str, Any]

NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
DAYS = 60
SOURCE = "soak"
EPOCH, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
NOW_US = (NOW - EPOCH) // MICROSECOND
DAY_US = 86_400_000_000
CHANNELS, BRANDS, PRODUCTS = (
    ("email", "chat", "phone", "twitter"),
    ("Bank", "Cards", "Loans"),
    ("card", "loan", "savings"),
)
TEXTS = (
    "My card was declined, this is urgent!",
    "Where is my statement?",
    "Thanks, that worked.",
    "Still not working.",
)
NAMES = (
    *("events", "first_seen_at", "last_seen_at", "messages", "last_channel", "last_brand", "brands_90d"),
    *("payment_amount_90d", "payments_30d", "pages_30d", "branch_visits_90d", "last_branch_visit_at"),
    *("consent_email", "risk"),
)
"""The features that the oracle knows."""


def made_up(size: int, customers: int, chance: Random) -> Iterator[Body]:
    """Each with an id of its own, moments spread over `DAYS`, a few of them equal."""
    kinds = {"message": 40, "answer": 15, "payment": 12, "transaction": 8, "page": 8, "login": 4, "consent": 3, "risk_signal": 3,
             "branch_visit": 2, "identify": 3, "alias": 1, "unmerge": 1}  # fmt: skip
    chosen = chance.choices(list(kinds), list(kinds.values()), k=size)
    last: dict[int, str] = {}
    for number, kind in enumerate(chosen):
        who = chance.randrange(customers)
        at = NOW - timedelta(minutes=chance.randrange(1, DAYS * 24 * 60))
        body: Body = {
            "messageId": f"m{number}",
            "userId": f"c{who}",
            "timestamp": at.isoformat(),
            **_said(kind, who, last, chance),
        }
        if kind == "page":
            body["anonymousId"] = f"d{who}"
            del body["userId"]
        if kind == "message":
            last[who] = body["messageId"]
        yield body


def _said(kind: str, who: int, last: Mapping[int, str], chance: Random) -> Body:
    """An account has one device and, every second one, a neighbour that may be the same customer: no conflicts here."""
    if kind in ("message", "answer"):
        properties: Body = {"direction": "inbound" if kind == "message" else "outbound", "channel": chance.choice(CHANNELS),
                            "text": chance.choice(TEXTS), "brand": chance.choice(BRANDS)}  # fmt: skip
        if who in last and (kind == "answer" or chance.random() < 0.5):
            properties["in_reply_to"] = last[who]
        return {"type": "message", "properties": properties}
    even = who - who % 2
    more: Mapping[str, Body] = {
        "payment": {"version": 2, "properties": {"amount_minor": chance.randrange(1, 90_000), "currency": "EUR"}},
        "transaction": {"properties": {"amount_minor": 100, "currency": "EUR", "product": chance.choice(PRODUCTS)}},
        "login": {"properties": {"success": True}},
        "consent": {"properties": {"channel": "email", "granted": chance.random() < 0.5}},
        "risk_signal": {"properties": {"score": chance.randrange(1001), "scale": 1000}},
        "identify": {"anonymousId": f"d{who}"},
        "alias": {"previousId": f"c{even}", "userId": f"c{even + 1}"},
        "unmerge": {"properties": _parted(who, even, chance)},
    }
    return {"type": kind, **more.get(kind, {})}


def _parted(who: int, even: int, chance: Random) -> Body:
    if chance.random() < 0.5:
        return {"one": f"customer:c{even}", "other": f"customer:c{even + 1}"}
    return {"one": f"customer:c{who}", "other": f"device:d{who}"}


class Oracle:
    """What the profiles must say as of `NOW`, by identity, and whose each identity must be."""

    def __init__(self, bodies: Iterable[Body]) -> None:
        self.ids: set[str] = set()
        self.values: dict[str, Values] = {}
        self._latest: dict[tuple[str, str], tuple[int, Any]] = {}
        self._brands: dict[str, set[str]] = {}
        self._words: dict[tuple[str, str], tuple[int, bool, str]] = {}
        for body in bodies:
            self._add(body)
        for (who, name), (_, value) in self._latest.items():
            self.values[who][name] = value
        for who, brands in self._brands.items():
            self.values[who]["brands_90d"] = len(brands)

    def _add(self, body: Body) -> None:
        id_ = f"{SOURCE}:{body['messageId']}"
        self.ids.add(id_)
        at = (datetime.fromisoformat(body["timestamp"]) - EPOCH) // MICROSECOND
        who = f"customer:{body['userId']}" if "userId" in body else f"device:{body['anonymousId']}"
        values = self.values.setdefault(who, {})
        self._count(values, "events")
        values["first_seen_at"] = min(values.get("first_seen_at", at // 1_000_000), at // 1_000_000)
        values["last_seen_at"] = max(values.get("last_seen_at", 0), at // 1_000_000)
        self._of_its_kind(body["type"], body.get("properties", {}), who, at)
        self._said_of_identifiers(body, at, id_)

    def _of_its_kind(self, kind: str, properties: Body, who: str, at: int) -> None:
        values, recent = self.values[who], at >= (NOW_US + 1 - 30 * DAY_US) // DAY_US * DAY_US
        if kind == "message" and properties["direction"] == "inbound":
            self._count(values, "messages")
            self._last(who, "last_channel", at, properties["channel"])
            self._last(who, "last_brand", at, properties["brand"].lower())
            self._brands.setdefault(who, set()).add(properties["brand"].lower())
        elif kind == "payment":
            self._count(values, "payment_amount_90d", properties["amount_minor"])
            self._count(values, "payments_30d", int(recent))
        elif kind == "page":
            self._count(values, "pages_30d", int(recent))
        elif kind == "branch_visit":
            self._count(values, "branch_visits_90d")
            values["last_branch_visit_at"] = max(values.get("last_branch_visit_at", 0), at // 1_000_000)
        elif kind == "consent":
            self._last(who, "consent_email", at, properties["granted"])
        elif kind == "risk_signal":
            self._last(who, "risk", at, properties["score"])

    def _said_of_identifiers(self, body: Body, at: int, id_: str) -> None:
        said = {
            "identify": lambda: (f"customer:{body['userId']}", f"device:{body['anonymousId']}"),
            "alias": lambda: (f"customer:{body['previousId']}", f"customer:{body['userId']}"),
            "unmerge": lambda: (body["properties"]["one"], body["properties"]["other"]),
        }
        if body["type"] in said:
            pair, word = said[body["type"]](), (at, body["type"] == "unmerge", id_)
            self._words[pair] = max(word, self._words.get(pair, word))

    @staticmethod
    def _count(values: Values, name: str, by: int = 1) -> None:
        values[name] = values.get(name, 0) + by

    def _last(self, who: str, name: str, at: int, value: Any) -> None:
        """Of two of one moment the greater, whatever came first."""
        self._latest[who, name] = max((at, value), self._latest.get((who, name), (at, value)))

    def members(self) -> dict[str, str]:
        """Identity -> customer, of those who are not alone."""
        joined = {pair for pair, (_, parted, _) in self._words.items() if not parted}
        of = {other: one for one, other in joined if other.startswith("customer:")}
        found = of | {one: one for one in of.values()}
        for one, device in joined:
            if device.startswith("device:"):
                found[one] = found[device] = of.get(one, one)
        return found
