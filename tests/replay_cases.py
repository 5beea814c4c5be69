"""Answers of many kinds, each with all that it was made of, and a guard of few words that any process can run."""

import asyncio
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from decide_cases import context_of
from journey import MASTER
from test_scenarios import NOON_IN_NEW_YORK, SCENARIOS

from harken.audit.records.parts import Asker
from harken.bootstrap import auditing
from harken.decide import policy as policies
from harken.decide.policy import Policy
from harken.domain.classification import Classification
from harken.domain.decision import Advice, Context, Exchange, Live
from harken.domain.passage import Passage
from harken.domain.proposal import Proposal
from harken.domain.verdict import Finding, Outcome, Verdict, strictest
from harken.flow.recording import Made
from harken.flow.replay_desk import ReplayDesk
from harken.flow.think import think
from harken.privacy.keys import MasterKey

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


def contexts() -> Iterator[Context]:
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
            passages=(Passage(id=f"p{place}", text="Cards → Limits \ud83d", source="handbook", score=0.1 + 0.2),),
            profile=replace(context.profile, features={**context.profile.features, "cents": LARGE, "share": 1.0}),
        )


def made_of(context: Context, policy: Policy, place: int = 0) -> Made:
    """As it is thought; every third draft is a model's."""
    from harken.adapters.writers import OfflineWriter  # noqa: PLC0415  as the wiring does

    advice = asyncio.run(think(context, policy, OfflineWriter()))
    if place % 3 == 2:
        exchange = Exchange(
            model="anthropic:m", asked="ab" * 32, answered='{"message": "Hello."}', usage={"usd": 0.001}
        )
        draft = replace(
            advice.draft,
            message="Hello.",
            mode="anthropic:m",
            exchanges=(exchange,),
            proposals=(Proposal(action="tag", arguments={"tag": "card", "n": 2}),),
            confidence=0.9,
        )
        advice = replace(advice, draft=draft)
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


def all_made(folder: Path) -> Iterator[Made]:
    """Under the default policy, and every fifth under a policy of somebody's own."""
    own = folder / "policy.toml"
    own.write_text("[limits]\nlong_conversation_turns = 3\n")
    usual, theirs = policies.load(), policies.load(own)
    for place, context in enumerate(contexts()):
        yield made_of(context, theirs if place % 5 == 4 else usual, place)


@contextmanager
def replay_on(url: str, master: MasterKey = MASTER) -> Iterator[ReplayDesk]:
    desk = auditing.replay_desk_of(url, master)
    try:
        yield replace(desk, judge=judge)
    finally:
        desk.database.close()
