"""Hits in order -> those that fit a budget of tokens: nothing twice, and neighbours side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

from harken.knowledge.found import Candidate, Hit
from harken.knowledge.terms import terms

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
    kept: list[Hit] = []
    words: list[_Words] = []
    left = budget
    for hit in hits:
        cost, own = tokens(hit.passage.text), _Words.of(hit.passage)
        twice = any(_same_place(hit.passage, each.passage) for each in kept) or any(map(own.says_the_same, words))
        if cost <= left and not twice:
            left -= cost
            kept.append(hit)
            words.append(own)
    return _side_by_side(kept)


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
