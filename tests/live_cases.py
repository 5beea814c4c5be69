"""What the tests of live events share: made-up events in our own format, received one by one or in batches."""

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from journey import BRAND, MASTER, NOW, desk_on

from harken.domain.link import Link
from harken.eventlog import registry
from harken.flow.arriving import Arrival, Receipt
from harken.flow.desk import Desk, LiveDesk
from harken.flow.door import Door
from harken.flow.live import receive
from harken.flow.preparing import LINKS
from harken.intake import reading_events
from harken.kit import db
from harken.kit.clock import stopped_at
from harken.profiles import identity

Event = dict[str, Any]
SOURCE = "kb"
DOOR = Door(master=MASTER, registry=registry.load())
TOWN = 100
CHANNELS = ("email", "chat", "phone", "twitter", "app")
WORDS = (
    "My card was declined again, this is urgent!",
    "How do I change the limit of my card?",
    "Thanks, that worked.",
    "Still not working, I am furious. I want to speak to a person.",
    "Wo finde ich meinen Kontoauszug?",
    "ok",
)
OURS = (
    "Please look in the app under Cards, then Limits.",
    "Sorry about that. Which phone do you use?",
    "We have fixed it. Have a great day!",
)


def arrival(event: Event, *links: Link, now: datetime = NOW) -> Arrival:
    """As the door would hand it over."""
    line = orjson.dumps(event)
    row = reading_events.event(line.decode(), source=SOURCE, now_us=int(now.timestamp() * 1_000_000))
    return Arrival(row=row, links=links, same_as=line, received_at=now)


@contextmanager
def live_desk(url: str, *, now: datetime = NOW) -> Iterator[LiveDesk]:
    database = db.Database(url)
    try:
        yield LiveDesk(database=database, master=MASTER, clock=stopped_at(now), open_door=lambda: DOOR)
    finally:
        database.close()


@contextmanager
def whole_desk(url: str, home: Path, *, now: datetime = NOW) -> Iterator[Desk]:
    """A desk that takes in live, and answers."""
    with live_desk(url, now=now) as live, desk_on(url, home, now=now) as desk:
        yield replace(desk, live=live)


def receive_all(desk: LiveDesk, arrivals: Sequence[Arrival], size: int = 50) -> list[Receipt]:
    return [receipt for at in range(0, len(arrivals), size) for receipt in receive(arrivals[at : at + size], desk)]


def made_up(size: int, seed: int, customers: int = 12) -> list[Event]:
    """Messages that answer each other, across threads and customers, and everything else that happens to customers."""
    chance = random.Random(seed)
    events: list[Event] = []
    for number in range(size):
        customer = str(chance.randrange(customers))
        at = NOW - timedelta(hours=chance.randrange(1, 1200), minutes=chance.randrange(60))
        make = chance.choice((_message, _message, _message, _reply, _reply, _fact))
        events.append(make(chance, f"{SOURCE}:{number}", customer, at, events))
    return events


def _base(id_: str, customer: str, at: datetime, channel: str, **more: Any) -> Event:
    return {"id": id_, "customer": customer, "channel": channel, "happened_at": at.isoformat(), **more}


def _message(chance: random.Random, id_: str, customer: str, at: datetime, before: Sequence[Event]) -> Event:
    more: Event = {"kind": "message_received", "brand": BRAND, "text": chance.choice(WORDS)}
    if before and chance.random() < 0.4:
        more["in_reply_to"] = chance.choice(before)["id"]
    elif chance.random() < 0.1:
        more["in_reply_to"] = f"{SOURCE}:never-{chance.randrange(3)}"
    return _base(id_, customer, at, chance.choice(CHANNELS), **more)


def _reply(chance: random.Random, id_: str, customer: str, at: datetime, before: Sequence[Event]) -> Event:
    more: Event = {"kind": chance.choice(("message_sent",) * 5 + ("issue_resolved",)), "brand": BRAND}
    more["text"] = chance.choice(OURS)
    if before:
        more["in_reply_to"] = chance.choice(before)["id"]
    event = _base(id_, customer, at, chance.choice(CHANNELS), **more)
    if before and chance.random() < 0.5:
        del event["customer"]
    return event


def _fact(chance: random.Random, id_: str, customer: str, at: datetime, before: Sequence[Event]) -> Event:
    kinds: dict[str, Event] = {
        "payment": {"amount_minor": chance.randrange(1, 90_000)},
        "transaction": {"product": chance.choice(("card", "loan")), "zone": "Europe/Lisbon"},
        "login": {"success": chance.random() < 0.7},
        "consent": {"channel": chance.choice(("email", "phone")), "granted": chance.random() < 0.5},
        "dispute": {"status": chance.choice(("opened", "refused"))},
        "credit_decision": {"outcome": chance.choice(("approved", "declined"))},
        "risk_signal": {"risk": chance.randrange(1001)},
        "support_call": {},
        "branch_visit": {},
        "page": {},
    }
    kind = chance.choice(list(kinds))
    return _base(id_, customer, at, "system", kind=kind, attributes=kinds[kind])


def told(size: int, seed: int, customers: int = 12) -> list[Event]:
    """Who is who, as events say it: few names, so that words meet, part and come back, and some identifiers are shared."""
    chance = random.Random(seed)
    return [_told(chance, f"{SOURCE}:told-{number}", customers) for number in range(size)]


def _told(chance: random.Random, id_: str, customers: int) -> Event:
    """An account has devices of its own, an address now and then another's, and a second account now and then."""
    number = chance.randrange(customers)
    one = f"customer:{number}"
    kind = chance.choice(("identify", "identify", "identify", "profile_update", "alias", "unmerge"))
    near = f"customer:{(number + chance.choice((1, 3))) % customers}"
    own = f"{chance.choice(('device', 'email'))}:{number}.{chance.randrange(3)}"
    other = {"alias": near, "unmerge": chance.choice((near, own))}.get(kind) or chance.choice(
        (own, own, f"email:{near}")
    )
    word = {"alias": "alias", "unmerge": "part"}.get(kind, "tie")
    said = [Link(word, one, other)]
    if kind == "identify" and chance.random() < 0.3:
        said.append(Link("tie", other, f"phone:{number}"))
    at = NOW - timedelta(minutes=chance.randrange(1, 600))
    return _base(id_, str(number), at, "system", kind=kind, attributes={LINKS: identity.to_text(said)})


def towns(size: int, seed: int, customers: int = 8) -> list[Event]:
    """Towns of a hundred events that know nothing of one another, so that no thread grows with their number: messages on
    every channel, facts, visits of devices, and words on who is who."""
    return [event for number in range(size // TOWN) for event in _town(number, seed, customers)]


def _town(number: int, seed: int, customers: int) -> list[Event]:
    chance = random.Random(seed * 100_003 + number)
    talk, words = (
        made_up(TOWN * 3 // 4, chance.randrange(2**32), customers),
        told(TOWN // 4, chance.randrange(2**32), customers),
    )
    for event in talk:
        if event["channel"] == "system" and chance.random() < 0.3:
            event["identity"] = f"device:{event.pop('customer')}.{chance.randrange(3)}"
    text = orjson.dumps([*talk, *words]).decode()
    for prefix in ("customer:", "device:", "email:", "phone:", f"{SOURCE}:"):
        text = text.replace(prefix, f"{prefix}{number}-")
    events: list[Event] = orjson.loads(text)
    return [event | ({"customer": f"{number}-{event['customer']}"} if "customer" in event else {}) for event in events]


def shuffled(events: Iterable[Event], seed: int, *, twice: float = 0.05) -> list[Event]:
    """In no order, some of them twice."""
    chance = random.Random(seed)
    delivered = [event for event in events for _ in range(2 if chance.random() < twice else 1)]
    chance.shuffle(delivered)
    return delivered


def wire(event: Event) -> Event:
    """The same event as a source sends it live."""
    kind, properties = event["kind"], dict(event.get("attributes", {}))
    body: Event = {"messageId": event["id"], "timestamp": event["happened_at"], "properties": properties}
    if customer := event.get("customer"):
        body["userId"] = customer
    if kind in ("message_received", "message_sent", "issue_resolved"):
        names = ("channel", "text", "in_reply_to", "brand")
        properties.update({name: event[name] for name in names if name in event})
        properties["direction"] = "inbound" if kind == "message_received" else "outbound"
        return {**body, "type": "issue_resolved" if kind == "issue_resolved" else "message"}
    if kind == "risk_signal":
        properties.update({"score": properties.pop("risk"), "scale": 1000})
    if kind == "dispute":
        properties["status"] = {"refused": "rejected"}.get(properties["status"], properties["status"])
    if kind == "payment":
        body["version"] = 2
    if kind in ("payment", "transaction"):
        properties["currency"] = "EUR"
        properties.setdefault("amount_minor", 100)
    return {**body, "type": kind}
