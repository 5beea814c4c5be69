"""A message that the classifier is unsure of -> what a language model said it is about, where that is one of the categories."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from harken.domain.classification import Classification

ASKED = "+asked"
"""Ends the name of what classified, where a model's word was taken."""


def categories(found: Classification) -> tuple[str, ...]:
    """The closed set, in one order whatever was found."""
    return tuple(sorted({found.category, *found.others}))


class Outcome(StrEnum):
    """What became of asking: the names of the figure."""

    TAKEN = "taken"
    OUTSIDE = "outside_the_set"
    UNAVAILABLE = "unavailable"  #: no model answered


def outcome(found: Classification, said: Sequence[str]) -> Outcome:
    if not said:
        return Outcome.UNAVAILABLE
    return Outcome.TAKEN if said[0] in categories(found) else Outcome.OUTSIDE


def taken(found: Classification, said: Sequence[str]) -> Classification:
    """What is none of the categories changes nothing; a probability is always ours, never one that a model claims."""
    if outcome(found, said) is not Outcome.TAKEN:
        return found
    return _as(found, said[0], f"{found.model}{ASKED}")


def before(found: Classification) -> Classification:
    """The classifier's own, as it was before anybody was asked."""
    if not found.model.endswith(ASKED):
        return found
    likely = _likely(found)
    return _as(found, max(sorted(likely), key=likely.__getitem__), found.model.removesuffix(ASKED))


def _as(found: Classification, category: str, model: str) -> Classification:
    likely = _likely(found)
    others = {name: share for name, share in likely.items() if name != category}
    return replace(found, category=category, probability=likely[category], others=others, model=model)


def _likely(found: Classification) -> dict[str, float]:
    return {found.category: found.probability, **found.others}
