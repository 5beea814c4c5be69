"""Hits in order -> those that fit a budget of tokens: nothing twice, and neighbours side by side."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from harken.kit.terms import terms
from harken.knowledge.found import Candidate, Hit

BYTES_A_TOKEN = 4
"""Of UTF-8; English text has 4.2 a token in the usual vocabularies, German and Spanish 3.5 to 4, Chinese and Japanese 3 to 4."""
MOSTLY = 0.5
"""A passage that shares more than this of the shorter one's place in the document is the same passage."""
SAME_WORDS = 0.9
"""Two passages with one title and the same numbers whose distinct terms agree by this share (Jaccard) say the same."""


def cut(hits: Sequence[Hit], budget: int) -> list[Hit]:
    """The best that fit into `budget` tokens, in order; neighbours in a document stand in reading order where the better one stood.

    Of two that say the same the better is kept. One that does not fit is left out, and a shorter one after it may be in.
    """
    left, kept = budget, list[Hit]()
    for hit in _distinct(hits):
        cost = tokens(hit.passage.text)
        if cost <= left:
            left -= cost
            kept.append(hit)
    return _side_by_side(kept)


def once(hits: Sequence[Hit], most: int) -> list[Hit]:
    """The best `most`, in order; of two that say the same the better is kept."""
    return list(islice(_distinct(hits), most))


def _distinct(hits: Iterable[Hit]) -> Iterator[Hit]:
    kept: list[tuple[Candidate, _Words]] = []
    for hit in hits:
        own = _Words.of(hit.passage)
        if not any(_same_place(hit.passage, each) or own.says_the_same(words) for each, words in kept):
            kept.append((hit.passage, own))
            yield hit


def tokens(text: str) -> int:
    """About how many tokens a language model reads, within a fifth. The vocabulary is the model's, and not known here."""
    return -(-len(text.encode()) // BYTES_A_TOKEN)


@dataclass(frozen=True, slots=True)
class _Words:
    title: frozenset[str]
    numbers: frozenset[str]  #: and what else has a digit in it
    text: frozenset[str]

    @classmethod
    def of(cls, passage: Candidate) -> "_Words":
        text = frozenset(terms(passage.text, passage.language))
        numbers = frozenset(term for term in text if any(map(str.isdigit, term)))
        return cls(frozenset(terms(passage.title, passage.language)), numbers, text)

    def says_the_same(self, other: "_Words") -> bool:
        """Two products' pages may differ in their title and one amount alone; those are two answers."""
        if not self.text or self.title != other.title or self.numbers != other.numbers:
            return False
        return len(self.text & other.text) >= SAME_WORDS * len(self.text | other.text)


def _same_place(one: Candidate, other: Candidate) -> bool:
    if (one.document_id, one.version) != (other.document_id, other.version):
        return False
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared > MOSTLY * min(one.end - one.start, other.end - other.start)


def _side_by_side(kept: Sequence[Hit]) -> list[Hit]:
    there = {_place(hit.passage): hit for hit in kept}
    order: dict[tuple[str, int, int], Hit] = {}
    for hit in kept:
        document, version, ordinal = _place(hit.passage)
        while (document, version, ordinal - 1) in there:
            ordinal -= 1
        while (place := (document, version, ordinal)) in there:
            order[place] = there[place]
            ordinal += 1
    return list(order.values())


def _place(passage: Candidate) -> tuple[str, int, int]:
    return passage.document_id, passage.version, passage.ordinal
