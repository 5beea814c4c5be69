"""The words of a customer's message -> how soon somebody should look, and the words that say so."""

from collections.abc import Sequence
from functools import cache

from harken.domain.event import Urgency
from harken.intake import lexicon

_LEVELS = {"none": Urgency.NONE, "soon": Urgency.SOON, "urgent": Urgency.URGENT, "critical": Urgency.CRITICAL}


def read(words: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """The highest level of `Urgency` that a phrase names, with every phrase of that level."""
    found = _phrases().find(words)
    level = max((_LEVELS[each.label] for each in found), default=Urgency.NONE)
    if level == Urgency.NONE:
        return Urgency.NONE, ()
    return level, tuple(dict.fromkeys(each.words for each in found if _LEVELS[each.label] == level))


@cache
def _phrases() -> lexicon.Phrases:
    return lexicon.Phrases(lexicon.toml("urgency"))
