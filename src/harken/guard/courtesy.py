"""Words that claim nothing -> which sentences need no ground: thanks, regret, questions, who reads it and how to go on."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from harken.kit.stopwords import STOP_WORDS
from harken.kit.terms import bare, terms


@dataclass(frozen=True, slots=True)
class Courtesy:
    mentions: re.Pattern[str]  #: how a message names its subject
    sorry: Mapping[str, re.Pattern[str]]  #: by language
    opens: Mapping[str, re.Pattern[str]]
    answers: re.Pattern[str]  #: yes and no
    warns: re.Pattern[str]  #: "please do not send passwords", up to the end of the clause
    words: Mapping[str, frozenset[str]]  #: terms by language


@cache
def courtesy() -> Courtesy:
    given = tomllib.loads(resources.files(__package__).joinpath("courtesy.toml").read_text("utf-8"))
    longest_first = sorted(given["mentions"], key=len, reverse=True)
    return Courtesy(
        mentions=re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in longest_first), re.IGNORECASE),
        sorry={language: _beginning(words) for language, words in given["sorry"].items()},
        opens={language: _beginning(words) for language, words in given["opens"].items()},
        answers=re.compile(rf"^\W*(?:{'|'.join(given['answers'])})(?!\w)", re.IGNORECASE),
        warns=re.compile("|".join(given["warns"]), re.IGNORECASE),
        words={language: frozenset(terms(text, language)) for language, text in given["words"].items()},
    )


def _beginning(words: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


def telling(text: str, language: str) -> list[str]:
    """The terms that say something of a subject: without stop words, in the order of the text."""
    stop = STOP_WORDS.get(language, frozenset())
    words = (word for word in text.split() if bare(word.strip(".,;:!?¿¡()\"'’“”„«»…").casefold()) not in stop)
    return [term for term in terms(" ".join(words), language) if not term.startswith("=")]
