"""A language and a number -> the first words that a customer gets back, which promise nothing."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from harken.tickets.changes import Acknowledged

FALLBACK_LANGUAGE: Final = "en"


def acknowledgement(language: str, number: int) -> Acknowledged:
    """In their language where we have words in it."""
    phrases = _phrases()
    spoken = language if language in phrases else FALLBACK_LANGUAGE
    return Acknowledged(text=phrases[spoken].format(number=number), language=spoken)


@cache
def _phrases() -> Mapping[str, str]:
    return tomllib.loads(resources.files(__package__).joinpath("phrases.toml").read_text("utf-8"))
