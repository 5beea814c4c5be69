"""L1: a writer that obeys whoever wrote into its prompt, and what of its proposals gets through.

    python -m benchmarks.l1_actions [--json] [--drafts N] [--seed N]

Not a measurement of speed: it counts proposals that were let through and should not have been, and ends with 1 where there
is one. Each draft has up to twelve: actions that nobody declared, arguments of the wrong type or size, recipients and
addresses in names and in words, signs that nobody sees, amounts around every limit, and good ones among them. The judge is
written without the planner's code.
"""

import argparse
from collections import Counter
from dataclasses import replace

from benchmarks import hostile_proposals, measure
from harken.act import catalogue
from harken.act.plan import Answer, Spent, plan
from harken.kit.clock import stopwatch


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    asked.add_argument("--drafts", type=int, default=10_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    watch = stopwatch()
    counted = count(given.drafts, given.seed)
    measure.show("L1", {"target": 0, **counted, "seconds": round(watch(), 1)}, as_json=given.json)
    raise SystemExit(1 if counted["unauthorised"] else 0)


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


if __name__ == "__main__":
    main()
