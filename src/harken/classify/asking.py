"""A message that the classifier is unsure of -> what a language model says, where that is one of the categories."""

from collections.abc import Sequence

from harken.classify.ports import Asker
from harken.domain.classification import OUT_OF_SCOPE
from harken.errors import TryAgainError
from harken.kit import observe

UNSURE = 0.5
"""Below this the best guess is more likely wrong than right."""

Guess = tuple[str, str]
"""A category, and who says so."""


def asked(asker: Asker, text: str, categories: Sequence[str], guess: Guess) -> Guess:
    """The guess stands where the model does not answer, does not know, or answers outside the closed set."""
    category, model = guess
    closed = (*categories, OUT_OF_SCOPE)
    try:
        said = asker.ask(text, closed)
    except TryAgainError:
        return _counted("unavailable", guess)
    if said is None:
        return _counted("unknown", guess)
    if said not in closed:
        return _counted("outside_the_set", guess)
    return _counted("taken", (said, model if said == category else f"{model}+asked"))


def _counted(outcome: str, guess: Guess) -> Guess:
    observe.add(observe.CLASSIFIER_ASKED, outcome=outcome)
    return guess
