"""Texts -> the same texts in another language, by a model that sees tokens and may change no number, link or token."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harken.guard.literals import addresses, links, numbers, plain
from harken.privacy import tokens
from harken.privacy.scanner import scan
from harken.privacy.tokens import TOKEN, Pseudonyms

MOST_TEXTS: Final = 20
MOST_CHARACTERS: Final = 12_000
"""Of all texts together; those beyond stay as they are."""

_NAME = re.compile(r"\b[A-Za-z]*[a-z][A-Z]\w*")
"""Of brands and products, such as KestrelBank: what is written so is a name in every language."""

LONGEST, SHORTEST, SLACK = 4.0, 0.15, 60
"""How much longer or shorter a translation may be, in characters; short texts have some slack."""


@dataclass(frozen=True)
class Hidden:
    """Texts as a model may see them, and what their tokens stand for."""

    given: tuple[str, ...]
    texts: tuple[str, ...]  #: of the first so many that are given
    book: Pseudonyms

    @property
    def asked(self) -> str:
        """What makes two questions one: the texts as a model sees them."""
        return json.dumps(self.texts)

    @classmethod
    def of(cls, texts: Sequence[str], regions: Sequence[str]) -> "Hidden":
        book, hidden, left = Pseudonyms(), [], MOST_CHARACTERS
        for text in texts[:MOST_TEXTS]:
            left -= len(text)
            if left < 0:
                break
            hidden.append(tokens.hide(text, scan(text, regions=tuple(regions)), book))
        return cls(tuple(texts), tuple(hidden), book)

    def are_faithful(self, translated: Sequence[str]) -> bool:
        """Whether every one of them may be used."""
        return len(translated) == len(self.texts) and all(map(faithful, self.texts, translated))

    def revealed(self, translated: Sequence[str]) -> tuple[str, ...]:
        """As many as were given: each translated where the translation is faithful, else as it was."""
        if len(translated) != len(self.texts):
            return self.given
        done = [
            tokens.reveal(after, self.book) if faithful(before, after) else given
            for given, before, after in zip(self.given, self.texts, translated, strict=False)
        ]
        return (*done, *self.given[len(done) :])


def faithful(before: str, after: str) -> bool:
    """The same numbers, links, addresses, names and tokens, as often as they stood, and about as long."""
    if not SHORTEST * len(before) - SLACK <= len(after) <= LONGEST * len(before) + SLACK or bool(after) != bool(before):
        return False
    return _marks(before) == _marks(after)


def _marks(text: str) -> Counter[tuple[str, str]]:
    kept: Counter[tuple[str, str]] = Counter(("token", token) for token in TOKEN.findall(text))
    spelled = TOKEN.sub(" ", plain(text))
    for kind, find in (("link", links), ("address", addresses), ("number", numbers), ("name", _NAME.findall)):
        kept.update((kind, value) for value in find(spelled))
    return kept
