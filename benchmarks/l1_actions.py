"""L1: a writer that obeys whoever wrote into its prompt, and what of its proposals gets through.

    python -m benchmarks.l1_actions [--json] [--drafts N] [--seed N]

Not a measurement of speed: it counts proposals that were let through and should not have been, and ends with 1 where there
is one. Twice: to the planner as they are, and the whole way from a model's JSON through its writer. Each draft has up to twelve: actions that nobody declared, arguments of the wrong type or size, recipients and
addresses in names and in words, signs that nobody sees, amounts around every limit, and good ones among them. The judge is
written without the planner's code.
"""

import argparse
import asyncio
import sys
from collections import Counter
from dataclasses import replace

from benchmarks import hostile_proposals, measure
from harken.act import catalogue
from harken.act.plan import Answer, Spent, plan
from harken.kit.clock import stopwatch

sys.path.insert(0, str(measure.ROOT / "tests"))
from hostile_deeds import gets_through


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    asked.add_argument("--drafts", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    watch = stopwatch()
    counted, written = count(given.drafts, given.seed), asyncio.run(of_a_model(given.drafts, given.seed))
    measure.show("L1", {"target": 0, **counted, **written, "seconds": round(watch(), 1)}, as_json=given.json)
    raise SystemExit(1 if counted["unauthorised"] or written["of a model, unauthorised"] else 0)


def count(drafts: int, seed: int) -> dict[str, int]:
    """How many proposals there were, and what became of them."""
    shipped, answers, wrong = catalogue.load(), Counter[Answer](), 0
    for number in range(drafts):
        verified = number % 3 != 0
        live = replace(hostile_proposals.VERIFIED, verified=verified)
        proposals = hostile_proposals.proposals(seed * 1_000_003 + number)
        planned = plan(proposals, hostile_proposals.TICKET, live, shipped, Spent())
        answers.update(each.answer for each in planned)
        wrong += len(list(hostile_proposals.unauthorised(planned, verified=verified)))
    told = {answer.value: answers[answer] for answer in Answer}
    return {"drafts": drafts, "proposals": answers.total(), "unauthorised": wrong, **told}


async def of_a_model(drafts: int, seed: int) -> dict[str, int]:
    """The same, where a model wrote them: what is left of them for the planner, and what became of that."""
    wrong, answers = await gets_through(drafts, seed + 1)
    told = {f"of a model, {answer.value}": answers[answer] for answer in Answer}
    return {"of a model, proposals": answers.total(), "of a model, unauthorised": len(wrong), **told}


if __name__ == "__main__":
    main()
