"""What a reply rests on -> our own confidence in it: a calibrated probability, fitted where it says so in the rules file."""

from collections.abc import Mapping
from math import exp

from harken.guard.rules_tables import Confidence
from harken.guard.seen import Seen

UNSAID = 0.5
"""Where nobody classified the message."""


def evidence(seen: Seen, *, support: float, weakest: float, coverage: float) -> Mapping[str, float]:
    """What the confidence is made of, each from 0 to 1."""
    best = max((passage.score for passage in seen.grounds), default=0.0)
    next_best = max((passage.score for passage in seen.uncited), default=0.0)
    live = seen.context.live
    return {
        "support": support,
        "weakest": weakest,
        "coverage": coverage,
        "retrieval": _share(best),
        "margin": _share(best - next_best),
        "classified": _share(live.classification.probability) if live else UNSAID,
    }


def ours(found: Mapping[str, float], fitted: Confidence) -> float:
    """A logistic sum of the evidence, 0 to 1, to four places so that every machine writes the same."""
    total = fitted.intercept + sum(getattr(fitted, name) * value for name, value in found.items())
    return round(1 / (1 + exp(-max(min(total, 60.0), -60.0))), 4)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
