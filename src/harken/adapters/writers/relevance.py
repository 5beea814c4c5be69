"""A question and texts -> how well each speaks of it, and the sentences that matter. No model: stems, and how rare they are.

    asked = weigh(question, texts, language)
    asked.share(text)               # 0 to 1: how much of the question the text speaks of
    asked.excerpt(text, 600)        # its sentences that matter, in their order

The share counts each stem of the question once, weighted by how few of the sentences at hand have it. Stop words count nothing.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harken.kit.terms import query_terms, terms

SHORT_CHARACTERS = 240
"""A text up to here is shown whole: cutting it saves next to nothing."""

MOST_SENTENCES = 8
GAP = " … "

_END = re.compile(r"((?<=[.!?])\s+|(?<=[。！？])|\n+)")
_PARAGRAPH = re.compile(r"\n\s*\n")
_ITEM = re.compile(r"(?:[-*•–]|\d{1,2}[.)])\s")
_STOP = re.compile(r"[.!?。！？:;,…][\"'»”)\]]*$")
_HEADING_CHARACTERS = 100
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|z\.B|bzw|ca|No|Nr|approx|incl|vs|Mr|Mrs|Dr|St|etc)|\b[A-Z]|\d)\.$")


def sentences(text: str) -> list[str]:
    """In order, with their punctuation; an abbreviation or a number with a dot ends none."""
    return [sentence for _, sentence in _apart(text)]


def _apart(text: str) -> list[tuple[str, str]]:
    """Each with what stands before it: a space, or the end of a line before a paragraph or an item of a list."""
    found: list[tuple[str, str]] = []
    gap, pieces = "", _END.split(text)
    for piece, after in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        if words := piece.strip():
            before = "\n" if not found or _PARAGRAPH.search(gap) or _ITEM.match(words) else " "
            if found and _ABBREVIATION.search(found[-1][1]):
                found[-1] = (found[-1][0], f"{found[-1][1]} {words}")
            else:
                found.append((before, words))
            gap = ""
        gap += after
    return found


def _headings(apart: Sequence[tuple[str, str]]) -> list[bool]:
    """Which of them are: a short line of its own that ends without a stop."""
    alone = [
        before == after == "\n"
        for (before, _), after in zip(apart, [*(each for each, _ in apart[1:]), "\n"], strict=True)
    ]
    return [
        own and len(words) <= _HEADING_CHARACTERS and not _STOP.search(words) and not _ITEM.match(words)
        for own, (_, words) in zip(alone, apart, strict=True)
    ]


@dataclass(frozen=True)
class Weights:
    """The stems of a question with what each counts; together 1, or nothing where the question has no word of its own."""

    of: Mapping[str, float]
    language: str
    _seen: dict[str, frozenset[str]] = field(default_factory=dict)

    def share(self, text: str) -> float:
        there = self._terms(text)
        return sum(weight for term, weight in self.of.items() if term in there)

    def excerpt(self, text: str, room: int) -> str:
        """Whole sentences within `room` characters, the most telling and what follows each, in their order.

        A text in which nothing speaks of the question keeps its beginning.
        """
        whole = " ".join(text.split())
        if len(whole) <= min(SHORT_CHARACTERS, room):
            return whole
        parts = sentences(text)
        scores = [self.share(part) for part in parts]
        if not any(scores):
            return cut(whole, room)
        return _joined(parts, _chosen(parts, scores, room)) or cut(parts[scores.index(max(scores))], room)

    def run(self, text: str, room: int) -> str:
        """Sentences that stand together in the text and speak of most of the question, within `room` characters: the fewest
        that do, those after them as long as they speak of it too, and one more, which often says how; up to the next heading.
        Nothing where none does.
        """
        apart = _apart(text)
        parts, heading = [sentence for _, sentence in apart], _headings(apart)
        spans = [
            (self.share(" ".join(parts[start:end])), start, end)
            for start in range(len(parts))
            for end in range(start + 1, min(start + MOST_SENTENCES, len(parts)) + 1)
            if len(" ".join(parts[start:end])) <= room
        ]
        share, start, end = max(spans, key=lambda span: (span[0], span[1] - span[2], -span[1]), default=(0.0, 0, 0))
        if not share:
            return ""
        on = True
        while on and end < len(parts) and not heading[end] and len(" ".join(parts[start : end + 1])) <= room:
            on = self.share(parts[end]) > 0
            end += 1
        return "".join(before + sentence for before, sentence in apart[start:end]).strip()

    def best(self, text: str, most: int = 1) -> list[str]:
        """The most telling sentences, in their order; none where nothing speaks of the question."""
        parts = sentences(text)
        ranked = sorted(range(len(parts)), key=lambda place: (-self.share(parts[place]), place))
        return [parts[place] for place in sorted(place for place in ranked[:most] if self.share(parts[place]))]

    def _terms(self, text: str) -> frozenset[str]:
        known = self._seen.get(text)
        if known is None:
            known = self._seen[text] = frozenset(terms(text, self.language))
        return known


def weigh(question: str, texts: Iterable[str], language: str) -> Weights:
    """`texts` are what the question is to be answered from: a word that all of their sentences have tells little."""
    spoken = language if language != "und" else "en"
    counted = query_terms(question, [spoken])
    those = [frozenset(terms(sentence, spoken)) for text in texts for sentence in sentences(text)]
    having = Counter(term for sentence in those for term in sentence if term in counted)
    weights = {term: weight * math.log1p(len(those) / (1 + having[term]) + 1) for term, weight in counted.items()}
    total = sum(weights.values())
    return Weights({term: weight / total for term, weight in weights.items()} if total else {}, spoken)


def _chosen(parts: Sequence[str], scores: Sequence[float], room: int) -> set[int]:
    """The best first, each with its successor, which often says how or how much; as long as they fit."""
    taken: set[int] = set()
    left = room
    best = sorted((place for place, score in enumerate(scores) if score), key=lambda place: (-scores[place], place))
    for place in [*best, *(place + 1 for place in best)]:
        if place in taken or place >= len(parts):
            continue
        cost = len(parts[place]) + len(GAP)
        if cost <= left:
            taken.add(place)
            left -= cost
    return taken


def _joined(parts: Sequence[str], taken: Iterable[int]) -> str:
    joined, before = "", -1
    for place in sorted(taken):
        joined += (GAP if place > before + 1 and joined else " " if joined else "") + parts[place]
        before = place
    return joined


def cut(text: str, room: int) -> str:
    """At most `room` characters, cut between words."""
    if len(text) <= room:
        return text
    return text[: max(room - 1, 0)].rpartition(" ")[0].rstrip(",;:") + "…"
