"""Nothing that an answer was made of is left out of its record: every field there is, found by itself, changes the manifest."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

from journey import NOW
from replay_cases import contexts, made_of

from harken.audit import codec
from harken.audit.records import parts
from harken.decide import policy as policies
from harken.domain.classification import Classification
from harken.domain.decision import Back, Exchange
from harken.domain.proposal import Offered, Proposal
from harken.domain.verdict import Finding, Outcome
from harken.flow import recording
from harken.flow.recording import Made

Field = tuple[str, str]
"""A class and one of its fields."""


def classes(kind: Any, found: dict[str, type]) -> dict[str, type]:
    """Every dataclass that values of this type are made of, by what they declare."""
    if isinstance(kind, type) and is_dataclass(kind) and kind.__name__ not in found:
        found[kind.__name__] = kind
        for hint in get_type_hints(kind).values():
            classes(hint, found)
    for inner in get_args(kind):
        classes(inner, found)
    return found


def others(value: Any) -> Iterator[tuple[tuple[Field, ...], Any]]:
    """Values that differ in one place, each with every field on the way to it."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            for inner, changed in others(getattr(value, field.name)):
                yield ((type(value).__name__, field.name), *inner), replace(value, **{field.name: changed})
    elif isinstance(value, tuple | Mapping):
        yield from within(value)
    else:
        yield from (((), changed) for changed in plain(value))


def within(value: Any) -> Iterator[tuple[tuple[Field, ...], Any]]:
    named = value.items() if isinstance(value, Mapping) else enumerate(value)
    for name, each in named:
        for inner, changed in others(each):
            more = (
                {**value, name: changed} if isinstance(value, Mapping) else (*value[:name], changed, *value[name + 1 :])
            )
            yield inner, more


def plain(value: Any) -> Iterator[Any]:
    """Another value of the same type; of nothing there is none."""
    match value:
        case None:
            return
        case bool():
            yield not value
        case Enum():
            yield next(each for each in type(value) if each is not value)
        case str():
            yield f"{value}x"
        case int() | float():
            yield value + 1
        case datetime():
            yield value + timedelta(microseconds=1)
        case _:
            raise TypeError(f"Say here what differs from a {type(value).__name__}.")


ASKED = Exchange(
    model="m",
    asked="00" * 32,
    answered="{}",
    failure="late",
    usage={"n": 1},
    notes=("n",),
    settings={"history_tokens": 9},
)


def whole() -> Made:
    """An answer of which no field is empty."""
    context = next(each for each in contexts() if each.live and len(each.conversation.turns) > 2)
    made = made_of(context, policies.load(), 2)
    decision, draft, verdict, live = made.advice.decision, made.advice.draft, made.verdict, context.live
    assert verdict
    assert live
    return replace(
        made,
        advice=replace(
            made.advice,
            decision=replace(decision, candidates=tuple(replace(each, score=0.5) for each in decision.candidates),
                             features={"messages_7d": 2}, cited={"waited_h": 1.5}),
            draft=replace(
                draft, notes=("a note",), usage={"tokens": 3}, citations=(0,), confidence=0.5,
                proposals=(filled(Proposal(action="refund", arguments={"amount": 3})),),
                exchanges=(ASKED,),
            ),
        ),
        verdict=replace(verdict, findings=(Finding(check="c", detail="d", outcome=Outcome.HOLD, rule="r"),), reasons=("why",)),
        context=replace(
            context,
            readable="r1",
            profile=filled(context.profile),
            offered=(Offered("refund", "Pay money back", {"type": "object"}),),
            classified_with=(ASKED,),
            translated_with=(ASKED,),
            passages=tuple(filled(each) for each in context.passages),
            conversation=filled(context.conversation),
            standing=replace(context.standing, evidence=("e1",), since=NOW),
            live=filled(replace(live, classification=filled(live.classification), back=Back(at=NOW, zone="Europe/Berlin"))),
        ),
    )  # fmt: skip


def filled(value: Any, **more: Any) -> Any:
    """What is nothing in it, or empty, gets a value of its declared type; what is there stays."""
    hints = get_type_hints(type(value))
    changes = {}
    for field in fields(value):
        now = getattr(value, field.name)
        if is_dataclass(now):
            changes[field.name] = filled(now)
        elif isinstance(now, tuple) and now and is_dataclass(now[0]):
            changes[field.name] = tuple(filled(each) for each in now)
        elif now is None or now in ("", (), {}, frozenset()):
            changes[field.name] = some(hints[field.name])
    return replace(value, **changes | more)


SOME = {str: "some", int: 7, float: 0.5, bool: True, datetime: NOW}


def some(hint: Any) -> Any:
    """A value of a declared type."""
    kinds = [each for each in get_args(hint) if each not in (type(None), ...)]
    outer = get_origin(hint)
    if outer is tuple:
        return (some(kinds[0]),)
    if isinstance(outer, type) and issubclass(outer, Mapping):
        return {some(kinds[0]): some(kinds[1])}
    if kinds:
        return some(kinds[0])
    kind = getattr(hint, "__supertype__", hint)
    return SOME[kind] if kind in SOME else next(iter(kind))


def manifest(made: Made) -> Any:
    whole = recording._parts(made)
    written = dict(parts.texts(whole))
    return parts.manifest(whole, written, "c", lambda text: hashlib.sha256(text.encode()).hexdigest())


def test_every_field_of_what_was_looked_at_and_made_changes_the_manifest() -> None:
    """Found by what the classes declare: a field that is added tomorrow is in it, or this fails."""
    made = whole()
    before, seen, unseen = manifest(made), set[Field](), set[Field]()
    for name in ("context", "advice", "verdict", "reader"):
        for where, changed in others(getattr(made, name)):
            if seen.issuperset(where):
                continue  # each field once is enough
            seen.update(where)
            if manifest(replace(made, **{name: changed})) == before:
                unseen.update(where)

    hints = get_type_hints(Made)
    known = {}
    for name in ("context", "advice", "verdict", "reader"):
        classes(hints[name], known)
    declared = {(kind.__name__, field.name) for kind in known.values() for field in fields(kind)}
    assert unseen == set()
    assert declared - seen == set(), "give these a value in `whole`, so that it is seen whether they count"
    assert {"Turn", "Passage", "Classification", "Exchange", "Finding", "Facts"} <= known.keys()
    assert len(declared) > 80


def test_every_field_of_an_answer_is_kept() -> None:
    """`Made` is taken apart by hand: a field that somebody forgets there is found here."""
    made = whole()
    before, forgotten = manifest(made), []
    for field in fields(Made):
        value = getattr(made, field.name)
        match value:
            case str() | int():
                changed = next(plain(value))
            case Mapping():
                changed = {**value, "more": NOW}
            case _ if hasattr(value, "text"):
                changed = Other(value.version, value.text + "# another\n")
            case _:
                changed = next(other for _, other in others(value))
        if manifest(replace(made, **{field.name: changed})) == before:
            forgotten.append(field.name)

    assert forgotten == []


class Other:
    """A policy or rules of the same version and another text."""

    def __init__(self, version: str, text: str) -> None:
        self.version, self.text = version, text


def test_whatever_is_in_the_parts_comes_back() -> None:
    """Written and read again, each part is the same: no field is lost on the way, or becomes another type."""
    kept = recording._parts(whole())
    for value in (kept.around, kept.context, kept.decision, kept.draft, kept.verdict):
        assert codec.decode(type(value), codec.encode(value)) == value
    assert isinstance(kept.context.live.classification, Classification)  # type: ignore[union-attr]
