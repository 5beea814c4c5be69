"""A name -> the instructions that a model is given: files `prompts/NAME@VERSION.md`, which never change once used.

Whoever changes a word makes a new version beside the old one and names it in `IN_USE`: a record says which one was read.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

CANARY: Final = "hkn-5d1e-quiet-otter-90c7"
"""Stands in the instructions and nowhere else, so a message that holds it has leaked them."""

SECRET_SENTENCE_CHARACTERS: Final = 40

MESSAGE, ANSWER, SUGGESTION, TRANSLATION, CATEGORY = "message", "answer", "suggest", "translate", "classify"

IN_USE: Final = {MESSAGE: 1, ANSWER: 2, SUGGESTION: 1, TRANSLATION: 1, CATEGORY: 1}


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    version: int
    text: str

    @property
    def label(self) -> str:
        """`answer@1`, for records."""
        return f"{self.name}@{self.version}"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@cache
def template(name: str) -> Template:
    """The version in use."""
    version = IN_USE[name]
    text = resources.files(__package__).joinpath("prompts", f"{name}@{version}.md").read_text("utf-8")
    return Template(name, version, text.replace("{canary}", CANARY).strip())


@cache
def secrets() -> tuple[str, ...]:
    """What no message may repeat: the canary and every sentence of any instructions."""
    texts = [template(name).text for name in IN_USE]
    sentences = (part.strip("- ") for text in texts for line in text.splitlines() for part in line.split(". "))
    return (CANARY, *dict.fromkeys(each for each in sentences if len(each) >= SECRET_SENTENCE_CHARACTERS))
