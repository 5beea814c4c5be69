"""Questions whose answers are known -> the coefficients of our own confidence, and how well they hold on libraries that they have not seen.

    python -m benchmarks.fit_confidence --data FOLDER [--json]

Libraries: the made-up bank's and, from FOLDER, `stackfaq/`, `tau2_banking/documents/` and the classes of `bankfaqs/`
(`benchmarks/shelf.py`). Each question is looked for as the search looks, three to five passages deep, and answered by the offline writer.
Labels are right by construction: an answer is right where it cites a passage that is expected. Of the others some are wrong by
construction: for a fifth of the questions nothing that is expected is there, a tenth is answered from the passage after the best, and in
a tenth some words of a good answer are exchanged. Figures are of libraries held out: each is judged by a fit on the others. The
coefficients are those of a fit on all, with no weight below 0. It prints them as guard_default.toml has them.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from benchmarks import measure, shelf
from benchmarks.shelf import Asked, Library, Shelf
from harken.adapters.writers.offline import OfflineWriter
from harken.domain.passage import Passage
from harken.domain.verdict import Outcome
from harken.guard.confidence import evidence
from harken.guard.courtesy import telling
from harken.guard.coverage import Covering
from harken.guard.grounded import Grounding
from harken.guard.judging import judge
from harken.guard.quotes import sentences
from harken.guard.seen import Seen

sys.path.insert(0, str(measure.ROOT / "tests"))
from guard_cases import RULES
from writer_cases import context, decision

from harken.domain.classification import Classification
from harken.domain.decision import Advice, Context, Draft, Live, OutChannel

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NAMES = ("weakest", "coverage", "retrieval", "margin", "title", "sentence")
SEED = 20261122
MOST_QUESTIONS = 400
"""Of a library."""
DEPTHS = (3, 4, 5)
ABSENT, NEAR_MISS, EXCHANGED = 0.2, 0.1, 0.1
SHARES = (0.25, 0.5, 1.0)
"""Of a message's telling words, where some are exchanged."""
THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
RIDGE = 0.05
LEAST = RULES.content.confidence.least
LIVE = Live(
    classification=Classification(category="general_inquiry", probability=0.9, model="none", language="en"),
    turns=1,
    verified=True,
)


@dataclass(frozen=True, slots=True)
class Case:
    library: str
    evidence: tuple[float, ...]
    right: bool
    sent: bool  #: by the whole guard as it is now


def cases(library: Library, dice: Random) -> Iterator[Case]:
    found = Shelf(library.documents)
    asked = dice.sample(library.questions, min(MOST_QUESTIONS, len(library.questions)))
    for question in asked:
        without = question.expected if dice.random() < ABSENT else frozenset[str]()
        passages = found.best(question.text, dice.choice(DEPTHS), without)
        kind = dice.random()
        if not passages:
            continue
        where = replace(context((("customer", question.text),), passages=passages), live=LIVE)
        if kind < NEAR_MISS:
            draft = _said(passages[1:2], 1)
        elif kind < NEAR_MISS + EXCHANGED:
            draft = _exchanged(_said(passages[:1], 0), library, dice)
        else:
            draft = OfflineWriter().draft(decision(channel=OutChannel.CHAT), where)
        if draft and draft.citations:
            wrong = NEAR_MISS <= kind < NEAR_MISS + EXCHANGED
            yield _case(library.name, draft, where, not wrong and _right(draft, passages, question))


def _said(passages: Sequence[Passage], place: int) -> Draft | None:
    """The beginning of a passage as a model says it, sure of itself; None where there is no passage."""
    message = " ".join(sentences(passages[0].text)[:3]) if passages else ""
    return Draft(message=message, reasoning="", mode="model", citations=(place,), confidence=0.95) if message else None


def _exchanged(draft: Draft | None, library: Library, dice: Random) -> Draft | None:
    if draft is None:
        return None
    words, others = draft.message.split(), dice.choice(library.documents).text.split() or ["other"]
    saying = [place for place, word in enumerate(words) if telling(word, "en")]
    gone = set(dice.sample(saying, round(dice.choice(SHARES) * len(saying))))
    said = [dice.choice(others) if place in gone else word for place, word in enumerate(words)]
    return replace(draft, message=" ".join(said))


def _right(draft: Draft, passages: Sequence[Passage], question: Asked) -> bool:
    if question.says:
        return all(word.lower() in draft.message.lower() for word in question.says)
    return passages[draft.citations[0]].id in question.expected


def _case(library: str, draft: Draft, where: Context, right: bool) -> Case:
    advice = Advice(decision=decision(channel=OutChannel.CHAT), draft=draft)
    seen = Seen(advice=advice, context=where, rules=RULES)
    grounding, covering = Grounding(seen), Covering(seen)
    coverage = 0.0 if covering.by_chance else round(covering.share, 4)
    found = evidence(seen, grounding, coverage)
    sent = judge(advice, where, RULES).outcome is Outcome.SEND
    return Case(library, tuple(found[name] for name in NAMES), right, sent)


def fit(features: Floats, right: Bools) -> Floats:
    """Intercept and weights, none below 0: better evidence never makes a reply less sure."""
    signs = 2 * right.astype(float) - 1
    bounds = [(None, None), *[(0, None)] * features.shape[1]]

    def loss(given: Floats) -> float:
        missed = np.logaddexp(0, -signs * (given[0] + features @ given[1:]))
        return float(missed.sum() + RIDGE * (given[1:] ** 2).sum())

    return np.asarray(minimize(loss, np.zeros(features.shape[1] + 1), method="L-BFGS-B", bounds=bounds).x)


def likely(coefficients: Floats, features: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(coefficients[0] + features @ coefficients[1:]))))


def error_of_calibration(said: Floats, true: Bools, bins: int = 10) -> float:
    """How far what is said is from what is true, bin by bin, weighed by what is in the bin (ECE)."""
    places = np.minimum((said * bins).astype(int), bins - 1)
    there = [places == at for at in range(bins) if (places == at).any()]
    return float(sum(abs(said[at].mean() - true[at].mean()) * at.mean() for at in there))


def figures(libraries: Sequence[Library]) -> dict[str, object]:
    dice = Random(SEED)
    rows = [case for library in libraries for case in cases(library, dice)]
    of = np.array([row.library for row in rows])
    features, right = np.array([row.evidence for row in rows]), np.array([row.right for row in rows])
    held_out = np.zeros(len(rows))
    for name in np.unique(of):
        others = of != name
        held_out[~others] = likely(fit(features[others], right[others]), features[~others])
    shipped = fit(features, right).round(2)
    sent = np.array([row.sent for row in rows])
    return {
        "answers": len(rows),
        "right": round(float(right.mean()), 3),
        "coefficients": dict(zip(("intercept", *NAMES), shipped.tolist(), strict=True)),
        "ECE, libraries held out": round(error_of_calibration(held_out, right), 3),
        "ECE, coefficients as shipped": round(error_of_calibration(likely(shipped, features), right), 3),
        "held out, at least so sure": {str(least): _curve(held_out >= least, right) for least in THRESHOLDS},
        "sent by the whole guard": _curve(sent, right),
        "held out, each library": {
            name: {
                "answers": int((of == name).sum()),
                "right": round(float(right[of == name].mean()), 3),
                "ECE": round(error_of_calibration(held_out[of == name], right[of == name]), 3),
                "at least as sure as the rules want": _curve(held_out[of == name] >= LEAST, right[of == name]),
                "sent by the whole guard": _curve(sent[of == name], right[of == name]),
            }
            for name in dict.fromkeys(of.tolist())
        },
    }


def _curve(sent: Bools, right: Bools) -> dict[str, float | None]:
    return {
        "share": round(float(sent.mean()), 3),
        "right": round(float(right[sent].mean()), 3) if sent.any() else None,
        "of the right ones": round(float(sent[right].mean()), 3) if right.any() else None,
    }


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--json", action="store_true")
    options = asked.parse_args()
    found = figures([shelf.demo(), *shelf.foreign(options.data)])
    print(json.dumps(found, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
