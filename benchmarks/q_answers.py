"""How good the answers are on pages and questions that are not ours, by the command that people use.

    python -m benchmarks.q_answers --data FOLDER [--json] [--questions 200]

`--data`: a folder with `stackfaq/stackExchange-FAQ.json` (a page an answer, titled with its question) and `banking77/train.csv`.
Asked: questions rephrased by people, one of each thread in turn, right where the reply names a page of that thread; and, one in
four, questions to a bank, on which the library has nothing: right where they are not answered. `harken evaluate` does the rest,
in a store that is thrown away. The yardstick is the same library in docs/quality.md, where the
answers are judged apart from the service.
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import measure
from benchmarks.q1_retrieval import NOBODY_ANSWERED

ABROAD_EVERY = 4
TITLE_CHARACTERS = 40
"""A reply may cut a long title short."""


def main() -> None:
    asked = measure.options(__doc__, customers=0)
    asked.add_argument("--questions", type=int, default=200)
    given = asked.parse_args()
    if given.data is None or not given.data.is_dir():
        raise SystemExit("This one needs public sets of questions: --data FOLDER; see its docstring.")
    with measure.folder() as scratch:
        pages, labels = scratch / "pages", scratch / "questions.jsonl"
        pages.mkdir()
        rows = list(labelled(given.data, pages, given.questions))
        labels.write_text("".join(json.dumps(row) + "\n" for row in rows))
        told = measure.run(
            [sys.executable, "-m", "harken", "evaluate", str(labels), "--knowledge", str(pages), "--json"],
            scratch / "home",
        )
        measure.wait_until_stopped(next((scratch / "home" / "evaluate").iterdir()))
    figures = json.loads(told.out)
    figures.pop("unexpected")
    measure.show("answers elsewhere", {**figures, "seconds": round(told.wall_s)}, as_json=given.json)


def labelled(folder: Path, pages: Path, count: int) -> Iterator[dict[str, Any]]:
    """Writes the pages; the questions with what is right of each."""
    threads = json.loads((folder / "stackfaq/stackExchange-FAQ.json").read_text("utf-8"))["root"]["qapair"]
    for number, thread in enumerate(threads):
        for place, answer in enumerate(_several(thread["answer"])):
            body = f"# {_line(thread['question'])}\n\n{answer.strip()}\n"
            (pages / f"{number}-{place}.md").write_text(body)
    strangers = iter(_of_a_bank(folder))
    for number in range(count):
        if number % ABROAD_EVERY == ABROAD_EVERY - 1:
            yield {"id": f"bank-{number}", "text": next(strangers), "expected": "unanswered"}
            continue
        thread = threads[number % len(threads)]
        ways = [each for each in _several(thread["rephr"]) if each.strip() not in ("", NOBODY_ANSWERED)]
        title = _line(thread["question"])[:TITLE_CHARACTERS]
        text = ways[number // len(threads) % len(ways)]
        yield {"id": f"faq-{number}", "text": text, "expected": "sent", "says": [title]}


def _several(given: Any) -> list[str]:
    return [each for each in (given if isinstance(given, list) else [given]) if each]


def _line(text: str) -> str:
    return " ".join(text.split())


def _of_a_bank(folder: Path) -> list[str]:
    """Each of another kind than the one before."""
    with (folder / "banking77/train.csv").open(encoding="utf-8", newline="") as file:
        kinds: dict[str, list[str]] = {}
        for row in csv.DictReader(file):
            kinds.setdefault(row["category"], []).append(row["text"])
    return [texts[place] for place in range(3) for texts in kinds.values()]


if __name__ == "__main__":
    main()
