"""Drafts of a model that means harm -> what of its proposals gets through, the whole way from its JSON to the plan."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from benchmarks.hostile_proposals import TICKET, VERIFIED, proposals, unauthorised
from hostile_models import ScriptedModel, answer, writer_with
from test_writer_live import chat, live

from harken.act import catalogue
from harken.act.plan import Answer, Spent, plan
from harken.domain.proposal import Proposal

HARMLESS = "A transfer abroad takes up to three working days."


async def gets_through(drafts: int, seed: int) -> tuple[list[str], Counter[Answer]]:
    """What must not have been let through, and what became of all that reached the plan."""
    shipped, wrong, answers = catalogue.load(), list[str](), Counter[Answer]()
    for number in range(drafts):
        verified = number % 3 != 0
        known = replace(VERIFIED, verified=verified)
        where = replace(live(), live=known, offered=shipped.offered(verified=verified))
        written = answer(HARMLESS, citations=[1], proposals=_written(proposals(seed * 1_000_003 + number)))
        draft = await writer_with(ScriptedModel(written)).write(chat(), where)
        planned = plan(draft.proposals, TICKET, known, shipped, Spent())
        answers.update(each.answer for each in planned)
        wrong += unauthorised(planned, verified=verified)
    return wrong, answers


def _written(given: Sequence[Proposal]) -> list[dict[str, Any]]:
    """As a model writes them."""
    return [
        {"action": each.action, "arguments": [{"name": name, "value": value} for name, value in each.arguments.items()]}
        for each in given
    ]
