"""What customers write, by category and language, in our own words: what the default classifier is fitted on."""

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from harken.classify.labels import Labelled
from harken.domain.classification import OUT_OF_SCOPE

CATEGORIES = (
    "technical_support",
    "billing_inquiry",
    "feature_request",
    "bug_report",
    "account_management",
    "general_inquiry",
)
LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "ja", "zh")


@cache
def rows() -> tuple[Labelled, ...]:
    return tuple(_rows())


def _rows() -> Iterator[Labelled]:
    for language in LANGUAGES:
        lists = tomllib.loads((files(__package__) / f"{language}.toml").read_text("utf-8"))
        for label, texts in lists.items():
            yield from (Labelled(text, "" if label == OUT_OF_SCOPE else label) for text in texts)
