"""A customer's question and the cited passages -> how much of the question they speak of, and whether it says anything."""

from collections import Counter
from functools import cached_property
from math import log1p

from harken.guard.courtesy import courtesy, telling
from harken.guard.seen import UNKNOWN, Seen


class Covering:
    """The question of one reply, against what is cited."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._language = seen.language if seen.language != UNKNOWN else "en"

    @cached_property
    def terms(self) -> frozenset[str]:
        """What the question tells of."""
        courteous = courtesy().words.get(self._language, frozenset())
        return frozenset(term for term in telling(self._seen.question, self._language) if term not in courteous)

    @cached_property
    def share(self) -> float:
        """0 to 1, rare words counting more, by the passages that were found; 1 where the question tells nothing."""
        if not self.terms:
            return 1.0 if not self._seen.question else 0.0
        passages = [
            frozenset(telling(f"{each.source} {each.text}", self._language)) for each in self._seen.context.passages
        ]
        counts = Counter(term for each in passages for term in self.terms & each)
        weights = {term: log1p((len(passages) - counts[term] + 0.5) / (counts[term] + 0.5)) for term in self.terms}
        return sum(weights[term] for term in self.terms & self._cited) / sum(weights.values())

    @property
    def by_chance(self) -> bool:
        """One word in common, and none with a title: "something is wrong" speaks of no wrong PIN."""
        titles = frozenset(term for each in self._seen.grounds for term in telling(each.source, self._language))
        return len(self.terms & self._cited) < 2 and not self.terms & titles

    @cached_property
    def _cited(self) -> frozenset[str]:
        return frozenset(
            term for each in self._seen.grounds for term in telling(f"{each.source} {each.text}", self._language)
        )

    @property
    def vague(self) -> bool:
        return len(self.terms) < self._seen.rules.content.clarify.vague_terms
