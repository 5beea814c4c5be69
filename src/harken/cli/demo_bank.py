"""A seed -> two weeks of a made-up bank's interactions, as `events` JSON Lines.

Kestrel Bank does not exist. Its customers live small scripts (`demo_words/*.toml`) with variations of words, waits and
endings; beside them run logins, card payments and consents. Some rows are spoilt on purpose, so that the quality report
has something to show. Chance and time are inputs: the same seed and start give the same bytes.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from random import Random  # noqa: TID251  the seed is the caller's
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]
"""One line of the file; the keys are described in docs/reference.md under "Format `events`"."""

FIRST_CUSTOMER = 1001
STORIES_A_CUSTOMER = {0: 8, 1: 40, 2: 30, 3: 15, 4: 7}
LANGUAGES = {"en": 82, "de": 7, "es": 6, "fr": 5}
HOMES = {"twitter": 30, "chat": 22, "app": 18, "email": 16, "phone": 10, "branch": 4}
HOURS = (1, 1, 0, 0, 0, 1, 4, 9, 14, 16, 15, 13, 15, 14, 12, 12, 13, 15, 16, 14, 11, 8, 5, 2)
"""How many customers write in each hour of the day, UTC."""
WEEKDAYS = (20, 19, 18, 18, 17, 8, 5)
OPENS, CLOSES = (8, 8, 8, 8, 8, 9, None), (20, 20, 20, 20, 20, 17, None)
"""The bank's working hours, Monday first; closed on Sundays."""
WAYS = 12
"""How a story goes: 12 can be divided by 2, 3 and 4, so lists of those lengths stay in step."""
KINDS = {"customer": "message_received", "bank": "message_sent", "close": "issue_resolved"}
EVERY_SO_OFTEN = {"login": 3, "transaction": 3, "payment": 1}
"""At most so many of each, and a customer, in two weeks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    speaker: str  #: customer, bank or close
    say: Sequence[str]
    after_m: Sequence[int]  #: minutes after the turn before, from and to
    go: float  #: the chance that the story goes on with this turn
    channel: str | None  #: None: where the story is
    fresh: bool  #: a message of its own, not a reply
    follows: bool  #: what is said goes with what opened the story


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    name: str
    weight: int
    language: str
    channels: Sequence[str]
    turns: Sequence[Turn]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    number: int
    language: str
    home: str  #: the channel they like best
    words: Mapping[str, str]  #: what their messages may mention: first, mail, card, ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """The two weeks as they are being made up."""

    dice: Random
    people: Mapping[str, Any]
    start: datetime
    days: int

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)


def generate(seed: int, *, customers: int = 320, days: int = 14, start: datetime) -> Iterator[Row]:
    """The rows in the order of the file: by time, but for a few that come late or twice."""
    bank = Bank(dice=Random(seed), people=_toml("people.toml"), start=start.astimezone(UTC), days=days)
    stories = tuple(_stories("stories.toml", "abroad.toml"))
    rows: list[Row] = []
    for number in range(FIRST_CUSTOMER, FIRST_CUSTOMER + customers):
        person = _person(bank, number)
        for nth, story in enumerate(_lived_by(bank, person, stories)):
            rows += _live(bank, person, story, nth)
        rows += _account_life(bank, person)
    rows.sort(key=lambda row: (row["happened_at"], row["id"]))
    yield from _spoil(bank, rows)


def write(path: Path, seed: int, *, customers: int = 320, days: int = 14, start: datetime) -> int:
    """Write the file and say how many lines it has."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        for row in generate(seed, customers=customers, days=days, start=start):
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files(__package__) / "demo_words" / name).read_text("utf-8"))


def _stories(*names: str) -> Iterator[Story]:
    for story in (story for name in names for story in _toml(name)["story"]):
        turns = tuple(
            Turn(
                speaker=turn["from"],
                say=turn["say"],
                after_m=turn.get("after_m", (0, 0)),
                go=turn.get("go", 1.0),
                channel=turn.get("channel"),
                fresh=turn.get("fresh", False),
                follows=turn.get("follows", False),
            )
            for turn in story["turns"]
        )
        yield Story(
            name=story["name"],
            weight=story["weight"],
            language=story.get("language", "en"),
            channels=story["channels"],
            turns=turns,
        )


def _pick(dice: Random, weights: Mapping[Any, int]) -> Any:
    return dice.choices(list(weights), weights=list(weights.values()))[0]


def _person(bank: Bank, number: int) -> Person:
    dice, people = bank.dice, bank.people
    first, family = dice.choice(people["given"]), dice.choice(people["family"])
    words = {
        "first": first,
        "mail": f"{first}.{family}@example.com".lower(),
        "last4": f"{dice.randrange(10_000):04d}",
        "card": dice.choice(people["cards"]),
        "iban": dice.choice(people["ibans"]),
        "phone": dice.choice(people["phones"]),
    }
    return Person(number=number, language=_pick(dice, LANGUAGES), home=_pick(dice, HOMES), words=words)


def _lived_by(bank: Bank, person: Person, stories: Sequence[Story]) -> Iterator[Story]:
    """No story twice. Most people write where they like it best, so stories that happen there are likelier."""
    told = [story for story in stories if story.language == person.language]
    for _ in range(min(_pick(bank.dice, STORIES_A_CUSTOMER), len(told))):
        story = bank.dice.choices(told, [s.weight * (4 if person.home in s.channels else 1) for s in told])[0]
        told.remove(story)
        yield story


def _live(bank: Bank, person: Person, story: Story, nth: int) -> Iterator[Row]:
    """One customer lives one story: the turns that happen before the two weeks are over."""
    dice = bank.dice
    home = person.home if person.home in story.channels else dice.choice(story.channels)
    agent = dice.choice(bank.people["agents"])
    words = _words(bank, person, agent)
    way = dice.randrange(WAYS)
    now, before = _some_time(bank), None
    for number, turn in enumerate(story.turns):
        if dice.random() > turn.go:
            return
        now = _when(bank, turn, now)
        if now >= bank.end:
            return
        channel = turn.channel or home
        row = _row(bank, person, f"{channel}:{person.number}-{nth + 1}.{number + 1}", KINDS[turn.speaker])
        row |= {"channel": channel, "happened_at": _iso(now), "text": _said(dice, turn, way).format_map(words)}
        _address(bank, row, agent)
        if before and not turn.fresh:
            row["in_reply_to"] = before
        before = row["id"]
        yield row


def _said(dice: Random, turn: Turn, way: int) -> str:
    return turn.say[way % len(turn.say)] if turn.follows else dice.choice(turn.say)


def _words(bank: Bank, person: Person, agent: str) -> dict[str, str]:
    dice, people = bank.dice, bank.people
    return {
        **person.words,
        "agent": agent,
        "amount": f"{dice.randrange(6, 900)}.{dice.choice(('00', '20', '49', '95', '99'))}",
        "merchant": dice.choice(people["merchants"]),
        "place": dice.choice(people["places"]),
        "ref": f"KB-{dice.randrange(100_000, 999_999)}",
    }


def _address(bank: Bank, row: Row, agent: str) -> None:
    """On Twitter customers name the bank; elsewhere we sign with a name and not with `^`."""
    brand = bank.people["brand"]
    if row["kind"] == KINDS["customer"]:
        if row["channel"] == "twitter" and f"@{brand}" not in row["text"]:
            row["text"] = f"@{brand} {row['text']}"
        return
    row |= {"author": brand, "attributes": {"agent": agent.lower()}}
    if row["channel"] != "twitter":
        row["text"] = row["text"].replace("^", "– ")


def _account_life(bank: Bank, person: Person) -> Iterator[Row]:
    """Logins, card payments, money sent and consents: no words, but they make a profile."""
    dice = bank.dice
    for kind, most in EVERY_SO_OFTEN.items():
        for nth in range(dice.randint(0, most)):
            row = _row(bank, person, f"{kind}:{person.number}-{nth + 1}", kind)
            yield row | {"channel": "app", "happened_at": _iso(_some_time(bank)), "attributes": _attributes(bank, kind)}
    if dice.random() < 0.5:
        # Consents were given when the account was opened: on the first day, before anything else.
        for channel in ("phone", "email"):
            row = _row(bank, person, f"consent:{person.number}-{channel}", "consent")
            granted = {"channel": channel, "granted": dice.random() < 0.75}
            yield row | {"channel": "app", "happened_at": _iso(bank.start), "attributes": granted}


def _attributes(bank: Bank, kind: str) -> dict[str, str | int | bool]:
    dice, people = bank.dice, bank.people
    if kind == "login":
        return {"device": dice.choice(people["devices"]), "success": dice.random() < 0.93}
    amount: dict[str, str | int | bool] = {"amount_minor": dice.randrange(180, 90_000), "currency": "GBP"}
    if kind == "payment":
        return amount | {"status": dice.choice(("done", "done", "done", "pending"))}
    return amount | {"merchant": dice.choice(people["merchants"])}


def _row(bank: Bank, person: Person, event_id: str, kind: str) -> Row:
    return {
        "id": event_id,
        "kind": kind,
        "customer": str(person.number),
        "author": str(person.number),
        "brand": bank.people["brand"],
        "channel": "",
        "happened_at": "",
        "text": "",
    }


def _some_time(bank: Bank) -> datetime:
    """A moment when customers write: quiet nights, quieter weekends."""
    days = [bank.start + timedelta(days=day) for day in range(bank.days)]
    day = bank.dice.choices(days, weights=[WEEKDAYS[day.weekday()] for day in days])[0]
    hour = bank.dice.choices(range(24), weights=HOURS)[0]
    return day + timedelta(hours=hour, seconds=bank.dice.randrange(3600))


def _when(bank: Bank, turn: Turn, before: datetime) -> datetime:
    """The turn's moment: its wait after the turn before, moved to working hours or to the morning."""
    low, high = turn.after_m
    now = before + timedelta(seconds=bank.dice.randint(low * 60, high * 60))
    if turn.speaker == "customer":
        return now if now.hour >= 6 or now == before else now + timedelta(hours=7)
    while not _open(now):
        now = now.replace(minute=bank.dice.randrange(60)) + timedelta(hours=1)
    return now


def _open(now: datetime) -> bool:
    opens, closes = OPENS[now.weekday()], CLOSES[now.weekday()]
    return opens is not None and closes is not None and opens <= now.hour < closes


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _spoil(bank: Bank, rows: Sequence[Row]) -> Iterable[Row]:
    """Plant what real exports contain: lines twice, lines late, and lines nobody can use."""
    if not rows:
        return ()
    dice, dirt = bank.dice, bank.people["dirt"]
    spoilt = list(rows)
    for _ in range(dirt["late"]):
        row = spoilt.pop(dice.randrange(len(spoilt)))
        spoilt.append(row)
    spoilt += [dice.choice(rows) for _ in range(dirt["twice"])]
    said = [row for row in rows if row["kind"] == KINDS["customer"]] or rows
    spoilt += [{**dice.choice(said), "text": f"{dice.choice(said)['text']} (edited)"} for _ in range(dirt["changed"])]
    for number, damage in enumerate(_damages(bank, dirt)):
        row = {**dice.choice(said), "id": f"{said[0]['channel']}:spoilt-{number + 1}", **damage}
        row.pop("in_reply_to", None)
        spoilt.insert(dice.randrange(len(spoilt)), row)
    return spoilt


def _damages(bank: Bank, dirt: Mapping[str, Any]) -> Iterator[Row]:
    yield from ({"text": text} for text in dirt["mojibake"])
    yield from ({"happened_at": time} for time in dirt["unreadable_time"])
    yield from ({"kind": kind} for kind in dirt["unknown_kind"])
    yield from ({"text": "  "} for _ in range(dirt["empty_text"]))
    yield from ({"happened_at": _iso(bank.end + timedelta(days=20_000))} for _ in range(dirt["far_future"]))
    yield from ({"id": ""} for _ in range(dirt["no_id"]))
