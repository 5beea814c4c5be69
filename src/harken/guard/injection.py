"""A text -> how much it looks like instructions to the reader's machine, with the reasons and the places.

Deterministic, in English, German, French, Spanish, Italian, Portuguese, Dutch and Polish: telemetry, and what puts a
document aside until a person has looked. It is not the boundary. Somebody who knows the list writes around it; what holds is
that a model's words are checked afterwards and that nothing it reads can choose an action.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from math import prod
from typing import Any, NamedTuple

QUARANTINE = 0.7
"""From this score on a document is put aside; a message is answered all the same, and counted."""

Place = tuple[int, int]

_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]{1,8}")
"""England, Scotland and Wales are flags with tag letters behind them."""

_HIDDEN = re.compile("[\U000e0020-\U000e007e]+|[\u202d\u202e]|[\u200b\u2060\u2062-\u2064]{8,}")
_MARKERS = re.compile(
    r"<\|(?:im_start|im_end|system|user|assistant|endoftext|begin_of_text|start_header_id|eot_id)\|>"
    r"|\[/?INST\]|<</?SYS>>|</?(?:system|assistant)(?:_prompt)?>|<(?:start|end)_of_turn>"
    r"|^[ \t]*#{2,}[ \t]*(?:system|instruction|new instructions?|system prompt)[ \t]*:?[ \t]*$"
    r"|^[ \t]*(?:system|assistant)[ \t]*:[ \t]*(?=you |ignore |from now)",
    re.IGNORECASE | re.MULTILINE,
)
_LEAK = re.compile(
    r"!?\[[^\]\n]{0,200}\]\([^\s()]{1,300}[?&#/=][^\s()]{0,200}(?:\{+\w|\$\w|<\w|%7B|\[\w)", re.IGNORECASE
)
_SIGNS = (
    ("has characters that nobody sees", 0.9, ("",), _HIDDEN),
    ("has the marks of a conversation with a machine", 0.9, ("<", "[", "##", "system", "assistant"), _MARKERS),
    ("has a link with a place for data in it", 0.85, ("](",), _LEAK),
)

_LOOKALIKES = str.maketrans("авсенкмортухіјѕԁһԛԝοανιρłøđ’", "abcehkmoptyxijsdhqwoaviplod'")
"""Cyrillic and Greek letters, and those whose stroke is no accent to Unicode."""

_BETWEEN = r"(?:[^\w.!?]+)"
_GAP = r"(?:[^\w.!?,;]+\w+){0,5}?[^\w.!?,;]+"


class Suspicion(NamedTuple):
    score: float = 0.0  #: 0 to 1
    reasons: tuple[str, ...] = ()  #: what the text does, heaviest first; they never quote it
    spans: tuple[Place, ...] = ()  #: where, in order

    @property
    def suspected(self) -> bool:
        return self.score >= QUARANTINE


class _Rule(NamedTuple):
    reason: str
    weight: float
    hints: tuple[str, ...]
    phrases: re.Pattern[str]


def suspect(text: str) -> Suspicion:
    """Reasons add up as independent doubts do; the same reason counts once, with its heaviest find."""
    weights: dict[str, float] = {}
    spans = set[Place]()
    for reason, weight, place in _finds(text):
        weights[reason] = max(weight, weights.get(reason, 0))
        spans.add(place)
    if not weights:
        return Suspicion()
    heaviest_first = sorted(weights, key=lambda reason: (-weights[reason], reason))
    return Suspicion(
        round(1 - prod(1 - weight for weight in weights.values()), 3), tuple(heaviest_first), tuple(sorted(spans))
    )


def _finds(text: str) -> Iterator[tuple[str, float, Place]]:
    bare = _FLAG.sub(lambda match: " " * len(match[0]), text) if "\U0001f3f4" in text else text
    plain = bare.lower() if bare.isascii() else bare.translate(_SHOWN)
    for reason, weight, hints, sign in _SIGNS[bare.isascii() :]:
        if any(hint in plain for hint in hints):
            yield from ((reason, weight, match.span()) for match in sign.finditer(bare))
    places: Sequence[int] = ()
    for rule in _rules():
        if any(hint in plain for hint in rule.hints):
            for match in rule.phrases.finditer(plain):
                places = places or _places(bare)
                yield rule.reason, rule.weight, (places[match.start()], places[match.end() - 1] + 1)


class _Shown(dict[int, str]):
    """What a character says to a reader: a small letter without its accent, several, or nothing at all."""

    def __missing__(self, code: int) -> str:
        parts = unicodedata.normalize("NFKD", chr(code).casefold().translate(_LOOKALIKES))
        shown = self[code] = "".join(part for part in parts if unicodedata.category(part) not in ("Mn", "Cf"))
        return shown


_SHOWN = _Shown()


def shown(text: str) -> str:
    """As it looks to a reader: small letters without accents, Latin for their doubles in other alphabets."""
    return text.translate(_SHOWN)


def _places(text: str) -> Sequence[int]:
    """Where each letter of the plain text stood."""
    if text.isascii():
        return range(len(text))
    return [at for at, character in enumerate(text) for _ in _SHOWN[ord(character)]]


@cache
def _rules() -> tuple[_Rule, ...]:
    text = resources.files(__package__).joinpath("injection.toml").read_text("utf-8")
    return tuple(_rule(given) for given in tomllib.loads(text)["rule"])


def _rule(given: dict[str, Any]) -> _Rule:
    phrases = "|".join(phrase.replace(" ~ ", _GAP).replace(" ", _BETWEEN) for phrase in given["phrases"])
    return _Rule(given["reason"], given["weight"], tuple(given["hints"]), re.compile(rf"\b(?:{phrases})(?!\w)"))
