"""Questions whose answers are known -> the coefficients of our own confidence, and how well they are calibrated.

    python -m benchmarks.fit_confidence --data FOLDER [--json]

FOLDER holds `stackfaq/`, `bankfaqs/` and `tau2_banking/documents/`. Each question is looked for among its set's passages as the search does it,
the best one is cited, and the answer is right where it is one that is expected. For a fifth of the questions nothing that is
expected is there. A reply quotes what it cites, or says its first sentences with some of the words exchanged, which makes it wrong.
Fitted on one half of the questions, reported on the other.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
from scipy.optimize import minimize

from benchmarks import measure
from benchmarks.q1_retrieval import _bank, _bankfaqs, _stackfaq
from harken.adapters.embedders import wordllama
from harken.domain.passage import Passage
from harken.flow.evaluating import Question
from harken.guard.confidence import evidence
from harken.guard.courtesy import telling
from harken.guard.coverage import Covering
from harken.guard.grounded import Grounding
from harken.guard.quotes import sentences
from harken.guard.seen import Seen
from harken.kit.terms import query_terms, terms
from harken.knowledge import bm25, fuse, parts

sys.path.insert(0, str(measure.ROOT / "tests"))
from guard_cases import RULES
from writer_cases import context, decision

from harken.domain.decision import Advice, Draft, OutChannel

NAMES = ("weakest", "coverage", "retrieval", "margin")
MOST_QUESTIONS = 400
SHOWN = 5
EXCHANGED = (*[0.0] * 14, 0.25, 0.5, 1.0)
ABSENT = 0.2


class Shelf:
    """One set's passages, with the scores that the search gives them."""

    def __init__(self, texts: Sequence[tuple[str, str, str]]) -> None:
        self.ids = [id_ for id_, _, _ in texts]
        self.titles = [title for _, title, _ in texts]
        self.texts = [text for _, _, text in texts]
        self._embedder = wordllama.WordLlama()
        self._recipe = fuse.recipe_of(self._embedder.model)
        whole = [f"{title}\n{text}" for title, text in zip(self.titles, self.texts, strict=True)]
        self._vectors = fuse.passage_vectors(
            self._embedder.embed(self.titles), self._embedder.embed(whole), self._recipe
        )
        self._counts = [self._counted(title, text) for title, text in zip(self.titles, self.texts, strict=True)]
        self._lengths = np.array([sum(each.values()) for each in self._counts], np.float32)
        self._having: dict[str, list[int]] = {}
        for place, each in enumerate(self._counts):
            for term in each:
                self._having.setdefault(term, []).append(place)

    @staticmethod
    def _counted(title: str, text: str) -> dict[str, int]:
        counts: dict[str, int] = {}
        for term in [*terms(title, "en") * fuse.TITLE_COUNTS, *terms(text, "en")]:
            counts[term] = counts.get(term, 0) + 1
        return counts

    def scores(self, question: str) -> np.ndarray:
        pieces = parts.parts(question)
        vector = fuse.question_vector(self._embedder.embed(pieces))
        dense = np.clip(self._vectors @ vector, 0.0, 1.0)
        asked = [query_terms(piece, ["en"]) for piece in pieces]
        idfs = {
            term: bm25.idf(len(self.ids), len(self._having[term]))
            for each in asked
            for term in each
            if term in self._having
        }
        weights = bm25.weights(asked, fuse.shares(len(pieces)), idfs)
        found = bm25.best(
            [self._postings(term, weight) for term, weight in weights.items()],
            average_length=float(self._lengths.mean()),
            n=len(self.ids),
        )
        lexical = np.zeros(len(self.ids))
        lexical[found.passages] = found.scores
        return self._recipe.dense * dense + (1 - self._recipe.dense) * lexical

    def _postings(self, term: str, weight: float) -> bm25.Postings:
        places = self._having[term]
        return bm25.Postings(
            passages=np.array(places, np.uint32),
            counts=np.array([self._counts[place][term] for place in places], np.uint16),
            lengths=self._lengths[places].astype(np.uint16),
            weight=weight,
        )


def cases(questions: Sequence[Question], shelf: Shelf, dice: Random) -> Iterator[tuple[list[float], bool]]:
    for question in questions:
        scores = shelf.scores(question.query)
        if dice.random() < ABSENT:
            scores[[place for place, id_ in enumerate(shelf.ids) if id_ in question.expected]] = -1
        answers = [place for place, id_ in enumerate(shelf.ids) if id_ in question.expected]
        scores[
            sorted(answers, key=lambda place: -scores[place])[1:]
        ] = -1  # two right answers would stand in each other's light
        order = np.argsort(-scores)[:SHOWN]
        passages = tuple(
            Passage(id=shelf.ids[at], text=shelf.texts[at], source=shelf.titles[at], score=float(scores[at]))
            for at in order
            if scores[at] > 0
        )
        if not passages:
            continue
        right = passages[0].id in question.expected
        exchanged = dice.choice(EXCHANGED)
        message = _said(passages[0].text, exchanged, shelf, dice)
        yield _evidence(question.query, message, passages), right and exchanged == 0


def _said(text: str, exchanged: float, shelf: Shelf, dice: Random) -> str:
    said = " ".join(sentences(text)[:3])
    if not exchanged:
        return said
    others = dice.choice(shelf.texts).split() or ["other"]
    telling_words = [word for word in said.split() if telling(word, "en")]
    gone = set(dice.sample(telling_words, round(exchanged * len(telling_words))))
    return " ".join(dice.choice(others) if word in gone else word for word in said.split())


def _evidence(question: str, message: str, passages: tuple[Passage, ...]) -> list[float]:
    where = context((("customer", question),), passages=passages)
    draft = Draft(message=message, reasoning="", mode="offline", citations=(0,))
    seen = Seen(advice=Advice(decision=decision(channel=OutChannel.EMAIL), draft=draft), context=where, rules=RULES)
    grounding = Grounding(seen)
    found = evidence(seen, support=grounding.support, weakest=grounding.weakest, coverage=Covering(seen).share)
    return [found[name] for name in NAMES]


def fit(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Intercept and weights, none below 0: better evidence never makes a reply less sure."""
    signs = 2 * labels.astype(float) - 1
    least = [(None, None), *[(0, None)] * features.shape[1]]
    found = minimize(
        lambda given: np.logaddexp(0, -signs * (given[0] + features @ given[1:])).sum() + 0.05 * (given[1:] ** 2).sum(),
        np.zeros(features.shape[1] + 1), method="L-BFGS-B", bounds=least,
    )  # fmt: skip
    return np.asarray(found.x)


def error_of_calibration(said: np.ndarray, true: np.ndarray, bins: int = 10) -> float:
    places = np.minimum((said * bins).astype(int), bins - 1)
    return float(
        sum(
            abs(said[places == at].mean() - true[places == at].mean()) * (places == at).mean()
            for at in range(bins)
            if (places == at).any()
        )
    )


def figures(folder: Path) -> dict[str, object]:
    dice = Random(20261122)
    rows: list[tuple[list[float], bool, str]] = []
    for name, read in (("stackfaq", _stackfaq), ("bankfaqs", _bankfaqs), ("bank documents", _bank)):
        with tempfile.TemporaryDirectory() as out:
            questions = next(iter(read(folder, Path(out)).values()))
            shelf = Shelf(list(_documents(Path(out))))
        some = dice.sample(questions, min(MOST_QUESTIONS, len(questions)))
        rows += [(*case, name) for case in cases(some, shelf, dice)]
    dice.shuffle(rows)
    half = len(rows) // 2
    features, labels = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    fitted = fit(features[:half], labels[:half])
    said, true = 1 / (1 + np.exp(-(fitted[0] + features[half:] @ fitted[1:]))), labels[half:]
    sent = said >= RULES.content.confidence.least
    return {
        "cases": len(rows),
        "right": round(float(labels.mean()), 3),
        "coefficients": dict(zip(("intercept", *NAMES), fitted.round(3).tolist(), strict=True)),
        "error of calibration (ECE, ten bins)": round(error_of_calibration(said, true), 4),
        "sent at 0.75": round(float(sent.mean()), 3),
        "right of those sent": round(float(true[sent].mean()), 3) if sent.any() else None,
        "right ones that are sent": round(float(sent[true].mean()), 3),
        "by set": {name: _of(name, rows[half:], said, true) for name in dict.fromkeys(row[2] for row in rows)},
    }


def _of(
    name: str, rows: Sequence[tuple[list[float], bool, str]], said: np.ndarray, true: np.ndarray
) -> dict[str, float]:
    mine = np.array([row[2] == name for row in rows])
    sent = mine & (said >= RULES.content.confidence.least)
    return {
        "ECE": round(error_of_calibration(said[mine], true[mine]), 3),
        "sent": round(float(sent.sum() / mine.sum()), 3),
        "right of those": round(float(true[sent].mean()), 3) if sent.any() else 0.0,
    }


def _documents(folder: Path) -> Iterator[tuple[str, str, str]]:
    for path in sorted(folder.iterdir()):
        text = path.read_text("utf-8")
        if path.suffix == ".json":
            given = json.loads(text)
            yield given.get("id", path.stem), given.get("title", ""), given.get("content", given.get("text", ""))
        else:
            title, _, rest = text.partition("\n")
            yield path.stem, title.lstrip("# "), rest or title


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--json", action="store_true")
    options = asked.parse_args()
    print(json.dumps(figures(options.data), indent=None if options.json else 1))


if __name__ == "__main__":
    main()
