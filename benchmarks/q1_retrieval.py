"""Q1: how well the search finds, by each embedder on this machine and each weight of meaning against words.

    python -m benchmarks.q1_retrieval --data FOLDER [--json] [--sets stackfaq bankfaqs bank]

`--data`: a folder with `stackfaq/stackExchange-FAQ.json` (questions rephrased by people; right is any answer of the question that
was rephrased), `bankfaqs/BankFAQs.csv` (the answers alone are searched with their own questions) and `tau2_banking/documents`
(searched with questions of ours, benchmarks/queries/bank.jsonl; the long ones apart, too). The yardstick, in the same run: words
alone (BM25) and meaning alone, the rows of weight 0 and 1. Documents go through the whole intake, as anybody's would.
"""

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import measure
from harken import bootstrap, settings
from harken.cli.printing import Quiet
from harken.flow import adding, embedding, evaluating
from harken.flow.evaluating import Question
from harken.flow.library_desk import LibraryDesk
from harken.kit.clock import stopwatch

OWN = Path(__file__).parent / "queries" / "bank.jsonl"
NOBODY_ANSWERED = "*"


def main() -> None:
    asked = measure.options(__doc__, customers=0)
    asked.add_argument("--sets", nargs="+", default=["stackfaq", "bankfaqs", "bank"], choices=sorted(SETS))
    given = asked.parse_args()
    if given.data is None or not given.data.is_dir():
        raise SystemExit("This one needs public sets of questions: --data FOLDER; see its docstring.")
    figures: dict[str, Any] = {"target hit@1 of stackfaq": "wordllama .80, minilm .95"}
    for name in given.sets:
        with measure.folder() as scratch:
            figures |= measured(name, given.data, scratch, given.home)
            measure.wait_until_stopped(scratch / "home")
    measure.show("Q1", figures, as_json=given.json)


def measured(name: str, folder: Path, scratch: Path, models: Path | None) -> dict[str, Any]:
    """`models`: a HARKEN_HOME that has fetched ones."""
    documents = scratch / "documents"
    documents.mkdir()
    kinds = SETS[name](folder, documents)
    home = scratch / "home"
    home.mkdir(mode=0o755)
    if models and (models / "models").exists():
        (home / "models").symlink_to((models / "models").absolute())
    told = settings.load().model_copy(update={"home": home})
    figures: dict[str, Any] = {}
    with bootstrap.desk_of(told) as desk:
        assert desk.library is not None
        watch = stopwatch()
        added = adding.add([documents], adding.Wish(), desk.library, Quiet())
        figures[f"{name}: documents, passages, seconds to add"] = (added.documents, added.passages, round(watch(), 1))
        for kind, questions in kinds.items():
            figures |= {f"{name} {kind}, {key}": value for key, value in _compared(questions, desk.library)}
    return figures


def _compared(questions: Sequence[Question], desk: LibraryDesk) -> Iterator[tuple[str, str]]:
    reader = desk.clearances().reader("admin")
    for embedder in desk.embedders():
        mine = replace(desk, embedder=embedder)
        embedding.embed(mine, Quiet())
        done = evaluating.evaluate(questions, reader, [embedder], mine, Quiet())
        print(f"{len(questions)} questions with {embedder.model}", file=sys.stderr)
        for row in done.rows:
            weight = "the search as it is set" if row.dense is None else f"meaning {row.dense:.2f}"
            figures = "  ".join(f"{name} {figure}" for name, figure in row.figures.items())
            yield f"{row.embedder.partition('@')[0]} {weight}", figures


def _stackfaq(folder: Path, out: Path) -> dict[str, list[Question]]:
    threads = json.loads((folder / "stackfaq" / "stackExchange-FAQ.json").read_text("utf-8"))["root"]["qapair"]
    questions = []
    for number, thread in enumerate(threads):
        answers = thread["answer"] if isinstance(thread["answer"], list) else [thread["answer"]]
        ids = [f"{number}-{place}" for place in range(len(answers))]
        for id_, answer in zip(ids, answers, strict=True):
            _write(out, id_, thread["question"], answer)
        rephrased = thread["rephr"] if isinstance(thread["rephr"], list) else [thread["rephr"]]
        questions += [
            Question(query=each, expected=frozenset(ids))
            for each in rephrased
            if each and each.strip() not in ("", NOBODY_ANSWERED)
        ]
    return {"": questions}


def _bankfaqs(folder: Path, out: Path) -> dict[str, list[Question]]:
    """Of several questions with one answer the answer is one document, and right for each."""
    ids: dict[str, str] = {}
    questions = []
    with (folder / "bankfaqs" / "BankFAQs.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            question, answer = row["Question"].strip(), row["Answer"].strip()
            if question and answer:
                id_ = ids.setdefault(answer, f"answer-{len(ids)}")
                questions.append(Question(query=question, expected=frozenset({id_})))
    for answer, id_ in ids.items():
        _write(out, id_, "", answer)
    return {"answers alone": questions}


def _bank(folder: Path, out: Path) -> dict[str, list[Question]]:
    for path in sorted((folder / "tau2_banking" / "documents").glob("*.json")):
        (out / path.name).write_bytes(path.read_bytes())
    lines = [json.loads(line) for line in OWN.read_text("utf-8").splitlines() if line]
    kinds = {kind: [each for each in lines if each["kind"] == kind] for kind in ("single", "long", "identifier")}
    return {
        kind: [Question(query=each["query"], expected=frozenset(each["expected"])) for each in some]
        for kind, some in {"all": lines, **kinds}.items()
    }


def _write(out: Path, id_: str, title: str, text: str) -> None:
    named = {"title": title} if title else {}
    (out / f"{id_}.json").write_text(json.dumps({"id": id_, **named, "content": text}), "utf-8")


SETS = {"stackfaq": _stackfaq, "bankfaqs": _bankfaqs, "bank": _bank}

if __name__ == "__main__":
    main()
