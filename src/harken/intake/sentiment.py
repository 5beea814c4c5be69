"""The words of an English message -> how the customer feels, in thousandths, and the words that weigh most.

Hutto and Gilbert's VADER (2014) with its word list, in integers at the end, plus what words mean to somebody who asks
for support: "waiting" is no neutral word there, and "please" no happy one.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from math import sqrt
from typing import NamedTuple

from harken.intake import lexicon

SHOWN = 3

_NEGATED = -0.74
_NEGATED_BAD = -0.25  # "not terrible" is faint praise
_BOOST = 0.293
_CAPITALS = 0.733
_EXCLAMATION = 0.292
_MOST_EXCLAMATIONS = 4
_BEFORE_BUT, _AFTER_BUT = 0.5, 1.5
_SPREAD = 15
"""VADER's constant: a sum of 4, one very strong word, is 718 thousandths."""

_LOOK_BACK = 3
_EMOTICON = re.compile(r"(?<!\w)(?:[:;=]['-]?[()DPp/\\|]|<3|</3)(?!\w)")
_SHOUTED = re.compile(r"\b[A-Z]{3,}\b")

_NEGATORS = frozenset(
    [
        "not",
        "no",
        "never",
        "without",
        "none",
        "nobody",
        "nothing",
        "neither",
        "nor",
        "cannot",
        "can't",
        "don't",
        "doesn't",
        "didn't",
        "isn't",
        "wasn't",
        "aren't",
        "weren't",
        "won't",
        "wouldn't",
        "couldn't",
        "shouldn't",
        "haven't",
        "hasn't",
        "hadn't",
        "ain't",
        "hardly",
        "barely",
        "rarely",
        "seldom",
        "lack",
        "lacking",
    ]
)
_MORE = frozenset(
    [
        "absolutely",
        "amazingly",
        "awfully",
        "completely",
        "considerably",
        "deeply",
        "especially",
        "exceptionally",
        "extremely",
        "fucking",
        "fuckin",
        "hella",
        "highly",
        "hugely",
        "incredibly",
        "insanely",
        "majorly",
        "more",
        "most",
        "particularly",
        "purely",
        "really",
        "remarkably",
        "seriously",
        "so",
        "soo",
        "sooo",
        "substantially",
        "super",
        "such",
        "thoroughly",
        "too",
        "totally",
        "tremendously",
        "truly",
        "unbelievably",
        "utterly",
        "very",
        "freaking",
        "friggin",
        "bloody",
        "damn",
    ]
)
_LESS = frozenset(
    [
        "almost",
        "barely",
        "kinda",
        "little",
        "marginally",
        "occasionally",
        "partly",
        "scarcely",
        "slightly",
        "somewhat",
        "sorta",
        "fairly",
    ]
)


class Feeling(NamedTuple):
    thousandths: int  #: -1000 to 1000
    words: tuple[str, ...]  #: strongest first


class _Weight(NamedTuple):
    value: float
    at: int
    words: str


def score(text: str, words: Sequence[str]) -> Feeling:
    """`words` are those of `kit.words.split(text)`; the text itself tells capitals and emoticons."""
    weights = _weighed(words, _shouted(text))
    weights += [_Weight(_valences()[face], len(words), face) for face in _faces(text)]
    if not weights:
        return Feeling(0, ())
    weights = _around_but(weights, words)
    total = sum(weight.value for weight in weights)
    louder = min(text.count("!"), _MOST_EXCLAMATIONS) * _EXCLAMATION
    total += louder if total > 0 else -louder if total < 0 else 0
    strongest = sorted(weights, key=lambda weight: (-abs(weight.value), weight.at))
    return Feeling(round(1000 * total / sqrt(total * total + _SPREAD)), tuple(each.words for each in strongest[:SHOWN]))


def _weighed(words: Sequence[str], shouted: frozenset[str]) -> list[_Weight]:
    weights, spoken = [], set[int]()
    for found in _phrases().find(words):
        spoken.update(range(found.start, found.end))
        if value := float(found.label):
            weights.append(_Weight(value, found.start, found.words))
    valences = _valences()
    for at, word in enumerate(words):
        if (valence := valences.get(word)) and at not in spoken:
            if word in shouted:
                valence += _CAPITALS if valence > 0 else -_CAPITALS
            weights.append(_Weight(_in_context(valence, words, at), at, word))
    return weights


def _in_context(valence: float, words: Sequence[str], at: int) -> float:
    """Weakened or turned by the words just before."""
    for distance, word in enumerate(reversed(words[max(at - _LOOK_BACK, 0) : at])):
        if word[0] in ".?!;," or word == "but":
            break  # "no, but thanks" thanks
        if word in _MORE or word in _LESS:
            step = _BOOST * (1 - 0.05 * distance) * (1 if word in _MORE else -1)
            valence += step if valence > 0 else -step
        elif word in _NEGATORS:
            valence *= _NEGATED if valence > 0 else _NEGATED_BAD
    return valence


def _around_but(weights: list[_Weight], words: Sequence[str]) -> list[_Weight]:
    if "but" not in words:
        return weights
    turn = words.index("but")
    return [
        weight._replace(value=weight.value * (_BEFORE_BUT if weight.at < turn else _AFTER_BUT)) for weight in weights
    ]


def _shouted(text: str) -> frozenset[str]:
    """Words in capitals, unless the whole text is."""
    loud = _SHOUTED.findall(text)
    return frozenset(word.lower() for word in loud) if loud and not text.isupper() else frozenset()


def _faces(text: str) -> list[str]:
    if not any(sign in text for sign in ":;=<"):
        return []
    return [face for face in _EMOTICON.findall(text) if face in _valences()]


@cache
def _phrases() -> lexicon.Phrases:
    return lexicon.Phrases(lexicon.toml("sentiment")["phrases"])


@cache
def _valences() -> Mapping[str, float]:
    """Word, emoticon or emoji -> -4 to 4."""
    valences = _vader() | _emoji()
    for value, words in lexicon.toml("sentiment")["words"].items():
        valences |= dict.fromkeys(words.split(), float(value))
    return valences


def _vader() -> dict[str, float]:
    # The file and not the package: importing that brings an HTTP client along.
    rows = (files("vaderSentiment") / "vader_lexicon.txt").read_text("utf-8").splitlines()
    return {cells[0]: float(cells[1]) for row in rows if len(cells := row.split("\t")) > 1}


def _emoji() -> dict[str, float]:
    faces = lexicon.toml("sentiment")["emoji"]
    return {sign: float(value) for value, signs in faces.items() for sign in signs}
