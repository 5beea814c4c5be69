"""What a reply rests on -> our own confidence in it: a calibrated probability. How its coefficients were made stands in the rules file."""

from collections.abc import Iterable, Mapping
from math import exp

from harken.guard.courtesy import telling
from harken.guard.grounded import Grounding
from harken.guard.rules_tables import Confidence
from harken.guard.seen import UNKNOWN, Seen

UNSAID = 0.5
"""Where nobody classified the message."""

AHEAD = 0.2
"""So far ahead of the others the best is as clearly the best as it can be: more made nothing surer."""


def evidence(seen: Seen, grounding: Grounding, coverage: float) -> Mapping[str, float]:
    """What the confidence is made of, each from 0 to 1."""
    best = max((passage.score for passage in seen.grounds), default=0.0)
    sources = {passage.source for passage in seen.grounds} - {""}
    others = [passage.score for passage in seen.uncited if passage.source not in sources]
    live = seen.context.live
    return {
        "support": grounding.support,
        "weakest": grounding.weakest,
        "coverage": coverage,
        "retrieval": _share(best),
        "margin": _share((best - (sum(others) / len(others) if others else 0.0)) / AHEAD),
        "title": _nearest(seen, sources),
        "sentence": _nearest(seen, (claim.text for claim in grounding.claims)),
        "classified": _share(live.classification.probability) if live else UNSAID,
    }


def ours(found: Mapping[str, float], fitted: Confidence) -> float:
    """A logistic sum of the evidence, 0 to 1, to four places so that every machine writes the same."""
    total = fitted.intercept + sum(getattr(fitted, name) * value for name, value in found.items())
    return round(1 / (1 + exp(-max(min(total, 60.0), -60.0))), 4)


def _nearest(seen: Seen, texts: Iterable[str]) -> float:
    """Of the text that agrees most with the question: Dice's coefficient of their telling terms, 0 to 1."""
    language = seen.language if seen.language != UNKNOWN else "en"
    asked = set(telling(seen.question, language))
    said = [set(telling(text, language)) for text in texts]
    return max((2 * len(asked & each) / (len(asked) + len(each)) for each in said if asked and each), default=0.0)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
