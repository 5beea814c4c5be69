"""A message and what was read in it -> its category, whom it asks for, and how sure all of that is. Numpy only."""

import numpy as np

from harken.classify import calibrate, intents
from harken.classify.features import MOST_CHARACTERS
from harken.classify.fitted import Fitted
from harken.classify.ports import Embedder
from harken.domain.classification import OUT_OF_SCOPE, Classification
from harken.domain.event import Reading

ROUNDED = 4
"""Digits of a probability: what another processor adds differently lies behind them."""


class Classifier:
    """Loads its embedder at the first message. May be called from several threads."""

    def __init__(self, name: str, fitted: Fitted, embedder: Embedder) -> None:
        self.name = name
        self.model = f"{name}@{fitted.version}"
        self.categories = fitted.facts.labels
        self._fitted, self._embedder = fitted, embedder

    def classify(self, text: str, reading: Reading) -> Classification:
        """The same for the same text."""
        inside, shares = self._probabilities(text)
        likely = {label: round(inside * share, ROUNDED) for label, share in zip(self.categories, shares, strict=True)}
        likely[OUT_OF_SCOPE] = round(1 - inside, ROUNDED)
        category = max(likely, key=likely.__getitem__)
        return Classification(
            category=category,
            probability=likely[category],
            model=self.model,
            others={label: share for label, share in likely.items() if label != category},
            language=reading.language,
            sentiment=None if reading.sentiment is None else reading.sentiment / 1000,
            urgency=reading.urgency,
            wants_person=intents.wants_person(text, reading),
            regulatory=intents.regulatory(text, reading),
            in_scope=round(inside, ROUNDED),
        )

    def _probabilities(self, text: str) -> tuple[float, list[float]]:
        """That it is about anything known at all, and of each label where it is."""
        facts = self._fitted.facts
        read = text[:MOST_CHARACTERS]
        scores, signs = self._fitted.scores(read, self._embedder.embed([read])[0])
        inside = float(calibrate.sigmoid(signs.astype(np.float64) @ np.array(facts.scope)))
        return inside, [float(share) for share in calibrate.softmax(scores * facts.sharpness)]
