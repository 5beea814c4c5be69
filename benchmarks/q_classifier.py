"""What messages are about: two public sets and our default, each beside plain tf-idf with logistic regression in the same run.

    python -m benchmarks.q_classifier --data FOLDER [--without-yardstick] [--json]

FOLDER holds `clinc150/`, `banking77/`, `airline_sentiment/`, `multidogo/`, `tickets_multilang/`, `bitext/` and `twcs/`; what it
lacks is left out. Nothing of these sets is part of Harken: they measure, and teach only within this run. clinc150: fitted on its
train part, measured on its val part. banking77: on four fifths and the fifth that is left, by a digest of the text. The mappings
of multidogo's intents and of the tickets' queues to our six categories are rough; they are written out below.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measure
from harken.adapters.embedders import WordLlama
from harken.classify import fitting, intents, measures, shipped
from harken.classify.classifier import Classifier
from harken.classify.fitted import load_from
from harken.classify.labels import Labelled
from harken.domain.classification import OUT_OF_SCOPE
from harken.flow.classifying import classified
from harken.flow.reading import understood
from harken.flow.training import said_of
from harken.kit import spans
from harken.kit.circumstances import circumstances

Rows = Sequence[Labelled]
MESSAGES = 2_000
"""Of each set of benign messages, evenly drawn."""

DOGO = {
    "finance": {
        "checkbalance": "billing_inquiry", "disputecharge": "billing_inquiry", "transfermoney": "billing_inquiry",
        "updateaddress": "account_management", "closeaccount": "account_management", "openaccount": "account_management",
        "reportlostcard": "account_management", "replacecard": "account_management", "checkoffereligibility": "general_inquiry",
        "getroutingnumber": "general_inquiry", "orderchecks": "general_inquiry",
    },
    "insurance": {"checkclaimstatus": "general_inquiry", "fileclaim": "general_inquiry", "reportbrokenphone": "technical_support",
                  "reportbrokensoftware": "bug_report", "getproofofinsurance": "account_management"},
}  # fmt: skip
QUEUES = {
    "Technical Support": "technical_support", "IT Support": "technical_support", "Product Support": "technical_support",
    "Service Outages and Maintenance": "technical_support", "Billing and Payments": "billing_inquiry",
    "General Inquiry": "general_inquiry", "Sales and Pre-Sales": "general_inquiry", "Returns and Exchanges": "general_inquiry",
}  # fmt: skip


def clinc(folder: Path) -> tuple[Rows, Rows]:
    sets = json.loads((folder / "clinc150/data_full_train_val.json").read_text("utf-8"))
    train = [Labelled(*row) for row in sets["train"]] + [Labelled(text, "") for text, _ in sets["oos_train"]]
    return train, [Labelled(*row) for row in sets["val"]] + [Labelled(text, "") for text, _ in sets["oos_val"]]


def banking(folder: Path) -> tuple[Rows, Rows]:
    rows = [Labelled(row["text"], row["category"]) for row in table(folder / "banking77/train.csv")]
    fifth = fitting._fifths(rows)
    return (
        [row for row, part in zip(rows, fifth, strict=True) if part != fitting.FIFTHS - 1],
        [row for row, part in zip(rows, fifth, strict=True) if part == fitting.FIFTHS - 1],
    )


def table(path: Path, delimiter: str = ",") -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter=delimiter)


def ours(train: Rows, test: Rows) -> dict[str, Any]:
    embedder = WordLlama()
    started = time.perf_counter()
    fitted = fitting.fit(fitting.read(train, embedder), embedder.model)
    seconds = time.perf_counter() - started
    read = fitting.read([*test, *[Labelled("", label) for label in fitted.facts.labels]], embedder)
    told = said_of(fitted, fitting.score(fitted, read))[: len(test)]
    inside = [each for each in told if each.truth != OUT_OF_SCOPE]
    scores = fitting.score(fitted, read).scores[: len(test), :-1]
    known = read.truth[: len(test)] >= 0
    return {
        "accuracy, forced to a label": round(float((scores.argmax(1) == read.truth[: len(test)])[known].mean()), 4),
        "accuracy in scope": round(measures.accuracy(inside), 4),
        "accuracy of all": round(measures.accuracy(told), 4),
        "macro F1": round(measures.macro_f1(told, fitted.facts.labels), 4),
        "ECE": round(measures.ece(told), 4),
        "out of scope found": measures.recall(told, OUT_OF_SCOPE),
        "in scope refused": round(sum(each.said == OUT_OF_SCOPE for each in inside) / len(inside), 4),
        "seconds to fit": round(seconds, 1),
    }


def yardstick(train: Rows, test: Rows) -> dict[str, Any]:
    """Out of scope is one more label, as it is where nobody thinks about it."""
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    started = time.perf_counter()
    words = TfidfVectorizer(sublinear_tf=True, min_df=2)
    found = LogisticRegression(C=10, max_iter=60).fit(
        words.fit_transform([row.text for row in train]), [row.label for row in train]
    )
    seconds = time.perf_counter() - started
    likely = found.predict_proba(words.transform([row.text for row in test]))
    said = found.classes_[likely.argmax(1)]
    told = [
        measures.Told(row.label, str(name), float(top))
        for row, name, top in zip(test, said, likely.max(1), strict=True)
    ]
    inside = [each for each in told if each.truth]
    return {
        "accuracy in scope": round(measures.accuracy(inside), 4),
        "ECE": round(measures.ece(told), 4),
        "out of scope found": measures.recall(told, ""),
        "in scope refused": round(sum(not each.said for each in inside) / len(inside), 4),
        "seconds to fit": round(seconds, 1),
    }


def default() -> Classifier:
    return Classifier("default", load_from(shipped.FOLDER), WordLlama())


def dogo(folder: Path) -> Rows:
    rows = []
    for domain, mapped in DOGO.items():
        for row in table(folder / f"multidogo/{domain}/dev.tsv", "\t"):
            if label := mapped.get(row["intent"]):
                rows.append(Labelled(row["utterance"], label))
    return drawn(rows)


def tickets(folder: Path) -> Rows:
    rows = table(folder / "tickets_multilang/dataset-tickets-multi-lang-4-20k.csv")
    return drawn(
        [Labelled(f"{row['subject']}. {row['body']}", QUEUES[row["queue"]]) for row in rows if row["queue"] in QUEUES]
    )


def drawn(rows: Sequence[Any]) -> Sequence[Any]:
    return rows[:: max(1, len(rows) // MESSAGES)]


def rough(rows: Rows) -> dict[str, Any]:
    """The default on somebody else's labels."""
    classifier = default()
    said = [classified(row.text, classifier) for row in rows]
    right = [found.category == row.label for found, row in zip(said, rows, strict=True)]
    sure = [ok for ok, found in zip(right, said, strict=True) if found.probability >= 0.75]
    return {
        "messages": len(rows),
        "accuracy": round(sum(right) / len(right), 4),
        "always the most frequent": round(max(sum(r.label == one.label for r in rows) for one in rows) / len(rows), 4),
        "accuracy where sure (0.75)": round(sum(sure) / max(1, len(sure)), 4),
        "share where sure": round(len(sure) / len(rows), 4),
    }


BENIGN: dict[str, Callable[[Path], list[str]]] = {
    "banking77": lambda folder: [row["text"] for row in table(folder / "banking77/train.csv")],
    "clinc150": lambda folder: [row.text for row in clinc(folder)[0]],
    "bitext": lambda folder: [
        row["utterance"]
        for row in table(folder / "bitext/Bitext_Sample_Customer_Service_Training_Dataset.csv")
        if row["intent"] not in ("contact_human_agent", "contact_customer_service", "complaint")
    ],
    "twcs, nobody asked whether they mean it": lambda folder: [
        row["text"] for row in table(folder / "twcs/twcs_merged.csv") if row["inbound"] == "True"
    ],
}


def handed_over(texts: Sequence[str]) -> dict[str, Any]:
    person = law = flagged = any_ = 0
    for text in texts:
        reading, _ = understood(text, spans.find_spans(text), from_customer=True, with_mood=True)
        wants = intents.wants_person(text, reading) >= intents.MEANT
        legal = intents.regulatory(text, reading) >= intents.MEANT
        circumstance = bool(circumstances(text))
        person, law, flagged = person + wants, law + legal, flagged + circumstance
        any_ += wants or legal or circumstance
    return {
        "messages": len(texts),
        "person": person,
        "law": law,
        "circumstance": flagged,
        "share": round(any_ / len(texts), 4),
    }


def feelings(folder: Path) -> dict[str, Any]:
    """`intake/sentiment` on 14,640 tweets: below -50 thousandths negative, above 300 positive."""
    rows = list(table(folder / "airline_sentiment/Tweets.csv"))
    told = []
    for row in rows:
        reading, _ = understood(row["text"], spans.find_spans(row["text"]), from_customer=True, with_mood=True)
        score = reading.sentiment or 0
        told.append(
            measures.Told(
                row["airline_sentiment"], "negative" if score < -50 else "positive" if score > 300 else "neutral", 1.0
            )
        )
    labels = ["negative", "neutral", "positive"]
    by = {f"F1 {each.label}": round(each.f1, 3) for each in measures.by_label(told, labels)}
    return {"tweets": len(rows), "macro F1": round(measures.macro_f1(told, labels), 4), **by}


def quickness() -> str:
    classifier = default()
    texts = [f"I was charged twice for order {number} and would like a refund, please" for number in range(300)]
    classified(texts[0], classifier)
    taken = []
    for text in texts:
        started = time.perf_counter()
        classified(text, classifier)
        taken.append(time.perf_counter() - started)
    return f"{np.median(taken) * 1e3:.2f} ms, p95 {np.quantile(taken, 0.95) * 1e3:.2f} ms"


def figures(folder: Path, *, beside: bool) -> Iterator[tuple[str, Any]]:
    for name, source in {"clinc150": clinc, "banking77": banking}.items():
        train, test = source(folder)
        yield name, ours(train, test)
        if beside:
            yield f"{name}, tf-idf and logistic regression", yardstick(train, test)
    yield "default on multidogo (finance, insurance)", rough(dogo(folder))
    yield "default on tickets_multilang (queues)", rough(tickets(folder))
    for name, texts in BENIGN.items():
        yield f"handed over: {name}", handed_over(drawn(texts(folder)))
    yield "sentiment on airline_sentiment", feelings(folder)
    yield "one message", quickness()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True, help="the folder of real data")
    asked.add_argument("--without-yardstick", action="store_true", help="ours alone: half of the time")
    asked.add_argument("--json", action="store_true", help="one JSON object instead of text")
    given = asked.parse_args()
    shown = {}
    for name, figure in figures(given.data, beside=not given.without_yardstick):
        shown[name] = (
            figure if isinstance(figure, str) else ", ".join(f"{key} {value}" for key, value in figure.items())
        )
        if not given.json:
            print(f"  {name}: {shown[name]}", flush=True)
    measure.show("q_classifier", shown, as_json=given.json)


if __name__ == "__main__":
    main()
