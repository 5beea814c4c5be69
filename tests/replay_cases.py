"""Answers of many kinds, each with all that it was made of, and a guard of few words that any process can run."""

import asyncio
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from decide_cases import context_of
from hostile_models import ObedientModel, ScriptedModel, writer_with
from journey import MASTER
from test_scenarios import NOON_IN_NEW_YORK, SCENARIOS

from harken.adapters.writers import OfflineWriter, recorded
from harken.adapters.writers.asking import NoReplyError
from harken.audit.records.parts import Asker
from harken.bootstrap import auditing
from harken.decide import policy as policies
from harken.decide.policy import Policy
from harken.decide.ports import Writer
from harken.domain.classification import Classification
from harken.domain.decision import Advice, Context, Draft, Live
from harken.domain.passage import Passage
from harken.domain.verdict import Finding, Outcome, Verdict, strictest
from harken.flow import recording, replaying
from harken.flow.recording import Made, RecordId
from harken.flow.replay_desk import ReplayDesk
from harken.flow.replaying import Replayed
from harken.flow.think import think
from harken.kit import db
from harken.privacy.keys import MasterKey
from harken.settings import Settings

LARGE = 2**60 + 1
"""More than a float holds: such sums do occur in features."""


@dataclass(frozen=True)
class Rules:
    version: str
    text: str


RULES = Rules("r1", "most = 120\n")


def judge(advice: Advice, context: Context, rules: str) -> Verdict:
    """Long messages wait for a person; so does what nobody is sure of."""
    most: int = tomllib.loads(rules)["most"]
    sure = context.live.classification.probability if context.live else 1.0
    findings = [Finding(check="length", detail="too long", outcome=Outcome.HOLD)] * (len(advice.draft.message) > most)
    findings += [Finding(check="sure", detail="unsure", outcome=Outcome.SUGGEST)] * (sure < 0.75)
    outcome = strictest([each.outcome for each in findings])
    return Verdict(outcome=outcome, findings=tuple(findings), our_confidence=sure, rules="r1", reasons=("sure",))


@cache
def contexts() -> list[Context]:
    return list(_contexts())


def _contexts() -> Iterator[Context]:
    """Every scenario as it stands, two hours later, and as a live question with what was found for it."""
    for place, path in enumerate(SCENARIOS):
        scenario = tomllib.loads(path.read_text("utf-8"))
        context = context_of(scenario["turn"], scenario.get("as_of", NOON_IN_NEW_YORK), **scenario.get("profile", {}))
        yield context
        yield replace(context, now=context.now + timedelta(hours=2))
        yield replace(
            context,
            now=context.now + timedelta(microseconds=place + 1),
            live=Live(
                classification=Classification(
                    category="billing_inquiry", probability=0.1 * (place % 10), model="m1", others={"bug_report": 1 / 3}
                ),
                turns=place,
                verified=bool(place % 2),
            ),
            passages=(Passage(id=f"p{place}", text="Cards → Limits", source="handbook", score=0.1 + 0.2),),
            profile=replace(context.profile, features={**context.profile.features, "cents": LARGE, "share": 1.0}),
        )


def made_of(context: Context, policy: Policy, place: int = 0) -> Made:
    """As it is thought; every third draft is a model's, every sixth one that failed and left it to the offline writer."""
    writer = _writer(place)
    advice = asyncio.run(think(context, policy, writer))
    return Made(
        ticket=f"ticket-{place}",
        event=context.conversation.turns[-1].id,
        position=place,
        context=context,
        advice=advice,
        policy=policy,
        verdict=judge(advice, context, RULES.text),
        guard=RULES,
        reader=Asker(role="customer", jurisdiction="DE", clearances="c1"),
        library="l7",
        embedder="wordllama-256",
        experiment="tone/b",
        clock={"asked": context.now - timedelta(seconds=1)},
    )


def _writer(place: int) -> Writer:
    if place % 3 != 2:
        return OfflineWriter()
    if place % 6 == 5:
        return writer_with(ScriptedModel(NoReplyError("timeout", down=True, usage=None)))
    return writer_with(ObedientModel())


def all_made(folder: Path, least: int = 0) -> Iterator[Made]:
    """Under the default policy, and every fifth under a policy of somebody's own. For more than there are, again, and later."""
    own = folder / "policy.toml"
    own.write_text("[limits]\nlong_conversation_turns = 3\n")
    usual, theirs = policies.load(), policies.load(own)
    for again in range(max(1, -(-least // len(contexts())))):
        for place, context in enumerate(contexts()):
            later = replace(context, now=context.now + timedelta(seconds=97 * again))
            yield made_of(later, theirs if (place + again) % 5 == 4 else usual, place + again)


def _as_it_was(draft: Draft, rules: str | None) -> Writer:
    """The rules of these tests are no file of the guard that ships."""
    return recorded.writer(draft.exchanges)


@contextmanager
def replay_on(url: str, master: MasterKey = MASTER) -> Iterator[ReplayDesk]:
    desk = auditing.replay_desk_of(Settings(_env_file=None), url, master)
    try:
        yield replace(desk, judge=judge, writer=_as_it_was)
    finally:
        desk.database.close()


class Keeper:
    """Whoever answers: a database as it is served, and the master key."""

    def __init__(self, url: str) -> None:
        self.database = db.Database(url, size=1)
        self.master = MASTER

    def keep(self, made: Made) -> RecordId:
        with self.database.transaction() as tx:
            return recording.keep(tx, made, self)


@pytest.fixture(name="keeper")
def keeper_of_answers(store_url: str) -> Iterator[Keeper]:
    kept = Keeper(store_url)
    yield kept
    kept.database.close()


def again(url: str, record: RecordId, **changes: Any) -> Replayed:
    with replay_on(url) as desk, desk.database.transaction() as tx:
        return asyncio.run(replaying.replay(tx, record, replace(desk, **changes)))


@cache
def usual(*, modelled: bool = False) -> Made:
    """A live question with passages that gets an answer; worded offline, or by a model."""
    policy = policies.load()
    lively = [context for context in contexts() if context.live]
    made = (made_of(context, policy, 2) for context in lively)
    place = next(at for at, each in enumerate(made) if each.advice.draft.mode != "offline")
    return made_of(lively[place], policy, 2 if modelled else 0)


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every plain value inside a manifest."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from leaves(inner, (*path, place))
    else:
        yield path, value
