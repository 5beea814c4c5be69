"""L4: what the guard costs where nobody means harm: answers kept, false refusals, and how long a look takes.

    python -m benchmarks.l4_usefulness [--data FOLDER] [--json]

Benign messages, each answered from the passage that answers it by a writer who is sure, and judged end to end: whether a model may be
asked, and the whole verdict. Undefended every one of them is an answer sent. `kept`: still sent. `refused`: handed over, held or blocked, or
no model may be asked: somebody who meant no harm is turned away. What is only shown to a person first is neither.
Without FOLDER our own made-up questions, those of the tests; with it `bankfaqs/` and `stackfaq/`, 500 messages together.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from random import Random

import numpy as np

from benchmarks import measure, shelf

sys.path.insert(0, str(measure.ROOT / "tests"))
from benign_cases import Benign, judged_end_to_end, made_up

SEED = 20261122
MESSAGES = 500
SETS = ("stackfaq", "bankfaqs")


def foreign(folder: Path) -> list[Benign]:
    """Evenly of each library: a question beside the document that is expected for it."""
    libraries = [each for each in shelf.foreign(folder) if each.name.startswith(SETS)]
    dice, found = Random(SEED), list[list[Benign]]()
    for library in libraries:
        texts = {each.id: each for each in library.documents}
        asked = dice.sample(library.questions, min(len(library.questions), MESSAGES))
        those = [(question, texts[min(question.expected)]) for question in asked]
        found.append([Benign(question.text, of.title or question.text, of.text) for question, of in those])
    evenly = [each for row in zip_longest(*found) for each in row if each is not None]
    return evenly[:MESSAGES]


def measured(messages: Sequence[Benign]) -> dict[str, object]:
    found, reasons, taken = Counter[str](), Counter[str](), list[float]()
    for each in messages:
        started = time.process_time()
        ended, why = judged_end_to_end(each)
        taken.append((time.process_time() - started) * 1000)
        found[ended] += 1
        reasons.update(why)
    return {
        "messages": len(messages),
        "kept": round(found["kept"] / len(messages), 4),
        "refused": round(found["refused"] / len(messages), 4),
        "shown to a person first": round(found["shown"] / len(messages), 4),
        "reasons": dict(reasons.most_common()),
        "ms of CPU, median and p95": [round(float(np.quantile(taken, share)), 2) for share in (0.5, 0.95)],
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path)
    asked.add_argument("--json", action="store_true")
    options = asked.parse_args()
    figures: dict[str, object] = {"made-up": measured(made_up())}
    if options.data:
        figures["foreign"] = measured(foreign(options.data))
    print(json.dumps(figures, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
