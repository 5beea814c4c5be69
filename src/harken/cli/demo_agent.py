"""The made-up bank's handbook and its dozen tickets: taken in, answered, sealed, verified and made again."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from textwrap import fill, indent
from typing import Any

import click
import orjson

from harken.cli import ask
from harken.flow import adding, asking, auditing, replaying, sealing
from harken.flow.adding import Wish
from harken.flow.auditing import Verified
from harken.flow.desk import Desk
from harken.flow.ending import Answered
from harken.flow.ports import Progress
from harken.flow.replaying import Tally

WIDTH = 100
HANDBOOK, QUESTIONS = "demo_knowledge", "demo_questions.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the demo says of the agent."""

    documents: int
    answered: list[Answered]
    audit: Verified
    replayed: Tally


def file(name: str) -> Path:
    """What lies beside this module."""
    return Path(str(resources.files(__package__).joinpath(name)))


def add_handbook(desk: Desk, progress: Progress) -> int:
    """How many documents there are."""
    assert desk.library is not None, "on PostgreSQL there is a library"
    return adding.add([file(HANDBOOK)], Wish(), desk.library, progress).documents


def questions() -> list[dict[str, Any]]:
    """Of all that are labelled, those that the demo asks."""
    lines = file(QUESTIONS).read_text("utf-8").splitlines()
    return [row for row in map(orjson.loads, lines) if row.get("demo")]


def run(desk: Desk, progress: Progress) -> Shown:
    assert desk.agent is not None
    assert desk.open_audit is not None
    assert desk.open_replay is not None
    documents = add_handbook(desk, progress)
    answered = asyncio.run(_answered(desk, progress))
    sealing.seal_all(desk.open_audit())
    return Shown(
        documents=documents,
        answered=answered,
        audit=auditing.verify(desk.open_audit()),
        replayed=asyncio.run(replaying.replay_all(None, desk.open_replay(), progress)),
    )


async def _answered(desk: Desk, progress: Progress) -> list[Answered]:
    assert desk.agent is not None
    asked = questions()
    progress.step("answering", len(asked))
    answers = []
    for row in asked:
        answers.append(await asking.ask(row["text"], row["customer"], desk.agent))
        progress.advance(1)
    return answers


def told(shown: Shown) -> dict[str, Any]:
    """For `harken demo --json`."""
    return {
        "documents": shown.documents,
        "tickets": [ask.told(each) for each in shown.answered],
        "endings": dict(_endings(shown)),
        "audit": shown.audit,
        "replay": shown.replayed,
    }


def _endings(shown: Shown) -> Counter[str]:
    return Counter(each.conclusion.ending.value for each in shown.answered)


def show(shown: Shown) -> None:
    told_ = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in _endings(shown).most_common())
    click.echo(
        f"\n{len(shown.answered)} tickets, answered from the bank's handbook of {shown.documents} pages: {told_}."
    )
    seen: set[str] = set()
    for each in shown.answered:
        ending = each.conclusion.ending.value
        if ending not in seen:
            seen.add(ending)
            _show_one(each)
    audit, replayed = shown.audit, shown.replayed
    verified = "nothing was changed" if audit.ok else "; ".join(audit.problems)
    click.echo(f"\nAudit: {audit.sealed:,} of {audit.events:,} events are sealed, {verified}.")
    click.echo(f"Replay: {replayed.match} of {replayed.replayed} answers came out the same when made again.")


def _show_one(answered: Answered) -> None:
    thought = answered.thought
    asked = thought.gathered.context.conversation.turns[-1].text
    click.echo(f"\n  {answered.conclusion.ending.value.replace('_', ' ')} ({answered.conclusion.reason})")
    for who, text in (("Customer", asked), ("Told", answered.message or "(nothing)")):
        click.echo(indent(fill(f"{who}: {text}", WIDTH, subsequent_indent="  "), "   | "))
