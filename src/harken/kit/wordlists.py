"""Phrases of twelve languages in one file -> where they stand in a text, in words or, without spaces, inside of them."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from harken.kit.phrases import Phrases
from harken.kit.words import split

WITHIN = "within"
"""Begins the names of lists for scripts without spaces: `within`, or `within_` and the label."""

EXCUSED = "none"
"""The list of phrases that are looked past."""

MOST_CHARACTERS = 8_000

_JOINED = re.compile(r"-|(?<=\b[dDlL])'(?=\w)|(?<=\b[qQ]u)'(?=\w)|(?<=\b[uU]n)'(?=\w)|(?<=[aeu]ll)'(?=\w)")
"""What French and Italian write together and the lists apart, and hyphens."""


class Stands(NamedTuple):
    label: str
    words: str


class WordList:
    """All languages at once: people mix them, and short texts do not tell theirs."""

    def __init__(self, languages: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        lists: dict[str, list[str]] = {
            EXCUSED: []
        }  # first: of two phrases as long as each other the one listed first counts
        self._within: list[Stands] = []
        for language in languages.values():
            for label, phrases in language.items():
                if label.startswith(WITHIN):
                    self._within += [Stands(label.removeprefix(f"{WITHIN}_"), phrase) for phrase in phrases]
                else:
                    lists.setdefault(label, []).extend(_joined(phrase) for phrase in phrases)
        self._phrases = Phrases(lists)

    def find(self, text: str) -> list[Stands]:
        read = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS])
        found = [Stands(each.label, each.words) for each in self._phrases.find(split(_joined(read)))]
        if read.isascii():
            return found
        return found + [each for each in self._within if each.words in read]


def _joined(text: str) -> str:
    return _JOINED.sub(" ", text.replace("’", "'").replace("İ", "i"))


@cache
def load(package: str, name: str) -> WordList:
    """`lexicons/<name>.toml` of a package."""
    return WordList(tomllib.loads((files(package) / "lexicons" / f"{name}.toml").read_text("utf-8")))
