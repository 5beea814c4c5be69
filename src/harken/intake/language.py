"""The words of a message -> its language, how sure we are, and for English the words that say so."""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from harken.intake import lexicon
from harken.kit.spoken import likeliest

LANGUAGES = ("en", "es", "fr", "de", "pt", "it", "nl", "sv", "da", "pl", "tr", "id", "ja", "zh")
"""What is told apart unless the caller says otherwise."""

UNKNOWN = "und"

SURE = 0.8
"""Below this the model guesses: measured on short messages, above it hardly ever wrong."""

HALF_SURE = 0.35
"""Enough for English where an English word stands that no neighbour language has."""

ENOUGH = 4
"""Words that only English has count two, those that it shares with others one."""

SHOWN = 3


_EAST = re.compile(r"[\u3041-\u309f\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9d]")
_KANA = re.compile(r"[\u3041-\u309f\u30a1-\u30fa\u30fc\uff66-\uff9d]")
_LATIN = re.compile(r"[^\W\d_\u3040-\U0010ffff]")
_JAPANESE = frozenset("込働円気図読続経済対応検変発売験権県駅帰頼総転廃拠拡処仮価両択満払様単戻")
"""Forms of characters that Chinese writes otherwise, in either of its scripts."""

LETTERS_OF_A_WORD = 3
"""What an ideograph weighs against Latin letters: it is about half a word."""

FEW_KANA = 0.1
"""A Chinese message may have a kana in a name or for fun; a Japanese one has many, or none in a headline of a few words."""


class Heard(NamedTuple):
    language: str
    thousandths: int  #: probability
    words: tuple[str, ...] = ()


class _Words(NamedTuple):
    english: frozenset[str]
    shared: frozenset[str]
    telling: frozenset[str]
    foreign: frozenset[str]


def detect(text: str, words: Sequence[str], languages: tuple[str, ...] = LANGUAGES) -> Heard:
    """`words` are those of `kit.words.split(text)`. `und` where nothing is certain."""
    if not text.isascii() and (eastern := _eastern(text, languages)):
        return Heard(eastern, 1000)
    known, seen = _words(), set(words)
    foreign = not text.isascii() and any(word.isalpha() and not word.isascii() for word in seen)
    english = seen & known.english
    clean = not foreign and "en" in languages and known.foreign.isdisjoint(seen)
    if clean and english and 2 * len(english) + len(seen & known.shared) >= ENOUGH:
        return Heard("en", 990, tuple(sorted(english)[:SHOWN]))
    best, probability = likeliest(text, languages)
    thousandths = round(probability * 1000)
    if best == "en" and clean and probability >= HALF_SURE and (telling := seen & known.telling):
        return Heard("en", thousandths, tuple(sorted(telling)[:SHOWN]))
    return Heard(best, thousandths) if probability >= SURE else Heard(UNKNOWN, thousandths)


def _eastern(text: str, languages: tuple[str, ...]) -> str | None:
    """By script, which tells Chinese from Japanese better than any statistics of a few characters do."""
    found = _EAST.findall(text)
    if not found or LETTERS_OF_A_WORD * len(found) < len(_LATIN.findall(text)):
        return None
    kana = len(_KANA.findall(text))
    japanese = kana >= FEW_KANA * len(found) if kana else not _JAPANESE.isdisjoint(text)
    spoken = "ja" if japanese else "zh"
    return spoken if spoken in languages else None


@cache
def _words() -> _Words:
    lists = lexicon.toml("languages")
    return _Words(*(frozenset(lists[name].split()) for name in _Words._fields))
