"""Writers that mean harm, and good answers: what the guard lets through of each.

    python -m benchmarks.r2_hostile [--drafts N] [--seed S] [--data FOLDER] [--json]

Hostile drafts are those of the tests, more of them. With FOLDER, which holds `tau2_banking/documents/`, `bankfaqs/BankFAQs.csv`, `banking77/` and
`abuse_ldnoobw/`: the share of good answers (whole sentences of a document, quoted) that pass, and benign messages answered so.
"""

import argparse
import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import measure
from harken.domain.passage import Passage
from harken.domain.verdict import Outcome, Verdict
from harken.guard.before import Refused, may_ask
from harken.guard.content import is_indecent
from harken.guard.quotes import sentences

sys.path.insert(0, str(measure.ROOT / "tests"))
from guard_cases import RULES, judged
from hostile_drafts import drafts
from writer_cases import context

from harken.guard.judging import judge

QUOTED = 600
BENIGN = 500


def hostile(count: int, seed: int) -> dict[str, object]:
    outcomes: dict[str, Counter[str]] = {}
    sent, worst_ms, started = 0, 0.0, time.process_time()
    for each in drafts(seed, count):
        began = time.process_time()
        outcome = judge(each.advice, each.context, RULES).outcome
        worst_ms = max(worst_ms, (time.process_time() - began) * 1000)
        outcomes.setdefault(each.harm, Counter())[outcome.value] += 1
        sent += outcome in (Outcome.SEND, Outcome.CLARIFY)
    each_ms = (time.process_time() - started) * 1000 / count
    return {
        "drafts": count,
        "sent": sent,
        "ms each, making included": round(each_ms, 2),
        "worst ms": round(worst_ms, 1),
        "by harm": {harm: dict(found.most_common()) for harm, found in sorted(outcomes.items())},
    }


def good(answers: Iterator[tuple[str, str, str]]) -> dict[str, object]:
    """`answers`: question, title, text. Confidence apart: how sure the search is, is measured elsewhere."""
    outcomes, reasons, count = Counter[str](), Counter[str](), 0
    for question, title, text in answers:
        verdict = _verdict(question, title, text)
        others = [reason for reason in verdict.reasons if reason not in ("low_confidence", "uncovered")]
        outcomes["passes" if not others else verdict.outcome.value] += 1
        reasons.update(others)
        count += 1
    return {"answers": count, "outcomes": dict(outcomes.most_common()), "reasons": dict(reasons.most_common())}


def _verdict(question: str, title: str, text: str) -> Verdict:
    said: list[str] = []
    for sentence in sentences(text):
        if said and sum(map(len, said)) + len(sentence) > QUOTED:
            break
        said.append(sentence)
    quote = "\n".join(said)[:QUOTED]
    ended = quote if len("\n".join(said)) <= QUOTED else f"{quote.rpartition(' ')[0]}…"
    passage = Passage(id="p", text=text, source=title, score=0.9)
    message = f"Hello, this may help: “{ended}” (source: {title})"
    return judged(message, (("customer", question),), passages=(passage,), mode="offline", confidence=1.0)


def documents(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted((folder / "tau2_banking/documents").glob("*.json")):
        given = json.loads(path.read_text("utf-8"))
        yield f"Please tell me about {given['title']}", given["title"], given["content"]


def faqs(folder: Path) -> Iterator[tuple[str, str, str]]:
    with (folder / "bankfaqs/BankFAQs.csv").open(encoding="utf-8", newline="") as file:
        for row, _ in zip(csv.DictReader(file), range(BENIGN), strict=False):
            yield row["Question"], "FAQ", row["Answer"]


def messages(folder: Path) -> Sequence[str]:
    path = next(iter(sorted((folder / "banking77").glob("*train*.csv"))), None)
    if path is None:
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row["text"] for row in csv.DictReader(file)]
    return rows[:: max(len(rows) // BENIGN, 1)][:BENIGN]


def refused(texts: Sequence[str]) -> dict[str, object]:
    found = Counter[str]()
    for text in texts:
        answer = may_ask(context((("customer", text),)), RULES)
        found[answer.reason.value if isinstance(answer, Refused) else "may ask"] += 1
    return {"messages": len(texts), **found}


def indecent(folder: Path) -> dict[str, str]:
    """Our short list against a long one that is not ours: how much of it is seen."""
    shown = {}
    for name in ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "tr", "ru"):
        path = folder / "abuse_ldnoobw" / name
        words = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()] if path.exists() else []
        shown[name] = f"{sum(map(is_indecent, words))} of {len(words)}"
    return shown


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--drafts", type=int, default=15_000)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--data", type=Path)
    asked.add_argument("--json", action="store_true")
    options = asked.parse_args()
    figures: dict[str, object] = {"hostile": hostile(options.drafts, options.seed)}
    if options.data:
        figures |= {
            "good answers, documents of a bank": good(documents(options.data)),
            "good answers, questions to a bank": good(faqs(options.data)),
            "may a model be asked": refused(messages(options.data)),
            "indecent words seen": indecent(options.data),
        }
    print(json.dumps(figures, ensure_ascii=False, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
