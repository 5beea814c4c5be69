"""The speaking rule and the case -> one sentence with the facts it rests on, and those facts as a mapping."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from harken.decide.case import Case, Known, Said, Talk, Waiting
from harken.decide.stages import Rule
from harken.domain.profile import Value

YEARS_FROM_DAYS = 730
FEATURE = "feature."  #: how own rules name a value of the profile


def _paths() -> Mapping[str, Callable[[Case], Any]]:
    groups = {"talk": Talk._fields, "said": Said._fields, "known": Known._fields, "live": Waiting._fields}
    paths = {name: f"{group}.{name}" for group, names in groups.items() for name in names}
    return MappingProxyType({name: attrgetter(path) for name, path in (paths | {"situation": "situation"}).items()})


FIELDS: Mapping[str, Callable[[Case], Any]] = _paths()
"""Every field of a case that a rule may name -> how to read it."""


def value_of(name: str, case: Case) -> Value:
    if name.startswith(FEATURE):
        return case.features.get(name.removeprefix(FEATURE))
    value: Value = FIELDS[name](case)
    return value


def cited(rule: Rule, case: Case) -> dict[str, Value]:
    """What the rule looked at, then the week's messages and the mood where they are known."""
    facts = {name: value_of(name, case) for name in rule.cites}
    if case.known.messages_7d:
        facts["messages_7d"] = case.known.messages_7d
    if case.said.sentiment is not None:
        facts["sentiment"] = case.said.sentiment
    return facts


def sentence(rule: Rule, facts: Mapping[str, Value]) -> str:
    """`The customer waits ... (answer-where-they-asked); waited 2 h; last sentiment -0.62.`"""
    told = [f"{rule.because.rstrip('.')} ({rule.name})"]
    told += [phrase for name, value in facts.items() if (phrase := _phrase(name, value))]
    return "; ".join(told) + "."


def duration(hours: float) -> str:
    """`25 min`, `26 h`, `4 days`, `6 years`: two figures are enough to judge by."""
    minutes = round(hours * 60)
    if minutes < 60:
        return f"{minutes} min" if minutes else "less than a minute"
    if hours < 47.5:
        return f"{hours:.0f} h"
    days = hours / 24
    return f"{days:.0f} days" if days < YEARS_FROM_DAYS else f"{days / 365:.0f} years"


def _many(number: Any, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


PHRASES: Mapping[str, Callable[[Any], str]] = {
    "waited_h": lambda v: f"waited {duration(v)}",
    "silent_h": lambda v: f"silent for {duration(v)}",
    "customer_h": lambda v: f"wrote {duration(v)} ago",
    "unanswered": lambda v: _many(v, "unanswered message"),
    "our_words": lambda v: f"{_many(v, 'message')} of ours unanswered",
    "turns": lambda v: _many(v, "turn"),
    "reopened": lambda v: f"reopened {v} times",
    "urgency": lambda v: f"urgency {v} of 3",
    "topic": lambda v: f"topic {v}",
    "status": lambda v: f"status {v}",
    "contacts_24h": lambda v: f"{_many(v, 'contact')} in 24 hours",
    "contacts_7d": lambda v: f"{_many(v, 'contact')} in 7 days",
    "messages_7d": lambda v: f"{_many(v, 'message')} in 7 days",
    "sentiment": lambda v: "" if v is None else f"last sentiment {v:+.2f}",
    "ticket_turns": lambda v: _many(v, "message") + " of theirs in this ticket",
    "category": lambda v: f"category {v}",
    "restricted": lambda v: f"topic {v}",
    "regulatory_p": lambda v: f"probability {v:.2f}",
    "wants_person_p": lambda v: f"probability {v:.2f}",
    "thanked": lambda v: "",
    "regulatory": lambda v: "",
    "wants_person": lambda v: "",
}  # an empty phrase: `because` says it already


def _phrase(name: str, value: Value) -> str:
    phrase = PHRASES.get(name)
    return phrase(value) if phrase else f"{name.removeprefix(FEATURE)} {value}"
