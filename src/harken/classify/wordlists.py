"""Phrases of twelve languages in one file -> where they stand in a text, in words or, without spaces, inside of them."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from harken.kit.phrases import Phrases
from harken.kit.words import split

WITHIN = "within"
MOST_CHARACTERS = 8_000

_JOINED = re.compile(r"-|(?<=\b[dDlL])'(?=\w)|(?<=\b[qQ]u)'(?=\w)|(?<=\b[uU]n)'(?=\w)")


class Stands(NamedTuple):
    label: str
    words: str


class WordList:
    """All languages at once: people mix them, and short texts do not tell theirs."""

    def __init__(self, languages: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        lists: dict[str, list[str]] = {}
        for language in languages.values():
            for label, phrases in language.items():
                lists.setdefault(label, []).extend(phrases)
        self._within = lists.pop(WITHIN, [])
        self._phrases = Phrases(lists)

    def find(self, text: str) -> list[Stands]:
        read = text[:MOST_CHARACTERS]
        found = [Stands(each.label, each.words) for each in self._phrases.find(_words(read))]
        return found + [Stands(WITHIN, piece) for piece in self._within if piece in read]


def _words(text: str) -> list[str]:
    """French and Italian join with an apostrophe or a hyphen what the lists write apart."""
    return split(_JOINED.sub(" ", text.replace("’", "'")))


@cache
def load(name: str) -> WordList:
    return WordList(tomllib.loads((files(__package__) / "lexicons" / f"{name}.toml").read_text("utf-8")))
